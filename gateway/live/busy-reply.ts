import { problemDocument } from "../http/problem.ts";

/** Ids longer than this are read as all else is. */
const ID_BYTES_MAX = 100;
const OP_FIRST = Buffer.from('{"op":"hold","id":');
const ID_FIRST = Buffer.from('{"id":');
const OP_SECOND = Buffer.from(',"op":"hold"');
const COMMA = ",".charCodeAt(0);
const ZERO = "0".charCodeAt(0);
const QUOTE = '"'.charCodeAt(0);

const { status, document } = problemDocument("busy");
/** What goes before the id in the reply, and what follows it. */
const BEGINNING = Buffer.from('{"op":"reply","id":');
const REST = Buffer.from(JSON.stringify({ status, body: document }).replace("{", ","));

/**
 * The answer `busy` to a hold, from no more of it than its first bytes; null: it does not begin as
 * most clients begin a hold and its id, so somebody has to read it. Under overload nearly all that
 * is said is this, so neither message nor reply ever becomes a string: taking a message apart costs
 * several times as much as refusing it.
 */
export function busyReplyTo(message: Uint8Array): Uint8Array | null {
  if (startsWith(message, OP_FIRST, 0)) {
    const endAt = endOfId(message, OP_FIRST.length);
    return message[endAt] === COMMA ? replyTo(message, OP_FIRST.length, endAt) : null;
  }
  if (!startsWith(message, ID_FIRST, 0)) return null;
  const endAt = endOfId(message, ID_FIRST.length);
  if (!startsWith(message, OP_SECOND, endAt)) return null;
  const isWhole = message[endAt + OP_SECOND.length] === COMMA;
  return isWhole ? replyTo(message, ID_FIRST.length, endAt) : null;
}

function replyTo(message: Uint8Array, idAt: number, idEndAt: number): Uint8Array {
  return Buffer.concat([BEGINNING, message.subarray(idAt, idEndAt), REST]);
}

function startsWith(message: Uint8Array, bytes: Uint8Array, at: number): boolean {
  if (at < 0 || message.length < at + bytes.length) return false;
  for (let index = 0; index < bytes.length; index += 1) {
    if (message[at + index] !== bytes[index]) return false;
  }
  return true;
}

/** Where the id that begins `at` is over: ≤ 15 digits, or a plain word in quotes; -1: neither. */
function endOfId(message: Uint8Array, at: number): number {
  const isText = message[at] === QUOTE;
  let end = isText ? at + 1 : at;
  while (end < message.length && (isText ? isWordByte(message[end]) : isDigit(message[end]))) {
    end += 1;
  }
  if (!isText) {
    const isNumber = end > at && end - at <= 15 && (message[at] !== ZERO || end === at + 1);
    return isNumber ? end : -1;
  }
  const isPlain = message[end] === QUOTE && end > at + 1 && end - at < ID_BYTES_MAX;
  return isPlain ? end + 1 : -1;
}

function isDigit(byte = 0): boolean {
  return byte >= 0x30 && byte <= 0x39;
}

function isWordByte(byte = 0): boolean {
  const lower = byte | 0x20;
  return isDigit(byte) || (lower >= 0x61 && lower <= 0x7a) || byte === 0x5f || byte === 0x2d;
}
