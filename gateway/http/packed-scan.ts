/**
 * A look at MessagePack that strangers send, before a reader is let near it: nothing but what JSON
 * has, no lengths that the bytes don't have, no depth without end. A reader that trusts its bytes
 * would make an array as long as four bytes say, and run other code for extensions.
 */
import { isUtf8 } from "node:buffer";

/** What is wrong with it. */
export class PackedFault extends Error {}

/** Lists and maps within one another. */
const DEPTH_MAX = 64;
const TOO_EARLY = "The frame ends too early";
const SHARED_KEYS: ReadonlySet<string> = new Set(["__proto__", "constructor"]);
const SHARED_KEY_CHARS: ReadonlySet<number> = new Set(Array.from(SHARED_KEYS, (key) => key.length));

/** Bytes behind the first one, of what has a fixed number of them. */
const FIXED = new Map([
  [0xc0, 0],
  [0xc2, 0],
  [0xc3, 0],
  [0xca, 4],
  [0xcb, 8],
  [0xcc, 1],
  [0xcd, 2],
  [0xce, 4],
  [0xcf, 8],
  [0xd0, 1],
  [0xd1, 2],
  [0xd2, 4],
  [0xd3, 8],
  [0xd4, 2],
]);

/** How writers in JavaScript say `undefined`: the one extension that comes in. */
const UNDEFINED_HEAD = 0xd4;
export const UNDEFINED = Buffer.from([UNDEFINED_HEAD, 0, 0]);

/** Items that are to come of the lists and maps that are open, by depth; of a map, keys too. */
const left = new Int32Array(DEPTH_MAX + 1);
const isMap = new Uint8Array(DEPTH_MAX + 1);

/** Where the value that begins at `start` ends. Throws PackedFault. */
export function packedEnd(bytes: Buffer, start: number): number {
  let at = start;
  let depth = 0;
  do {
    const byte = byteAt(bytes, at);
    const isKey = isMap[depth] === 1 && (left[depth] ?? 0) % 2 === 0 && depth > 0;
    left[depth] = (left[depth] ?? 0) - 1;
    at += 1;
    const kind = isUndefined(bytes, at - 1) ? FIXED_SIZE : kindOf(byte);
    if (isKey && kind !== TEXT) throw new PackedFault("Keys of maps must be texts");
    if (kind === FIXED_SIZE) {
      at += byte < 0x80 || byte >= 0xe0 ? 0 : (FIXED.get(byte) ?? 0);
    } else {
      const lengthBytes = lengthBytesOf(byte);
      const count = lengthBytes === 0 ? byte & shortMaskOf(byte) : lengthAt(bytes, at, lengthBytes);
      at += lengthBytes;
      if (count > bytes.length - at) throw new PackedFault(TOO_EARLY);
      if (kind === TEXT) {
        checkText(bytes, at, at + count, isKey);
        at += count;
      } else if (count > 0) {
        depth += 1;
        if (depth > DEPTH_MAX) throw new PackedFault(`No more than ${DEPTH_MAX} levels are read`);
        left[depth] = kind === MAP ? 2 * count : count;
        isMap[depth] = kind === MAP ? 1 : 0;
      }
    }
    while (depth > 0 && left[depth] === 0) depth -= 1;
  } while (depth > 0);
  if (at > bytes.length) throw new PackedFault(TOO_EARLY);
  return at;
}

const FIXED_SIZE = 0;
const TEXT = 1;
const LIST = 2;
const MAP = 3;

const isUndefined = (bytes: Buffer, at: number): boolean =>
  bytes[at] === UNDEFINED_HEAD && bytes[at + 1] === 0 && bytes[at + 2] === 0;

function kindOf(byte: number): number {
  if (byte < 0x80 || byte >= 0xe0) return FIXED_SIZE;
  if (byte < 0x90) return MAP;
  if (byte < 0xa0) return LIST;
  if (byte < 0xc0) return TEXT;
  if (byte >= 0xd9 && byte <= 0xdb) return TEXT;
  if (byte === 0xdc || byte === 0xdd) return LIST;
  if (byte === 0xde || byte === 0xdf) return MAP;
  if (FIXED.has(byte) && byte !== UNDEFINED_HEAD) return FIXED_SIZE;
  if (byte === 0xc1) throw new PackedFault("The byte 0xc1 begins nothing in MessagePack");
  throw new PackedFault("Bytes and extensions of MessagePack are not accepted");
}

/** Of a text, a list or a map: how many bytes its length has behind the first one. */
function lengthBytesOf(byte: number): number {
  if (byte < 0xc0) return 0;
  if (byte === 0xd9) return 1;
  return byte === 0xda || byte === 0xdc || byte === 0xde ? 2 : 4;
}

const shortMaskOf = (byte: number): number => (byte < 0xa0 ? 0x0f : 0x1f);

function lengthAt(bytes: Buffer, at: number, count: number): number {
  if (at + count > bytes.length) throw new PackedFault(TOO_EARLY);
  return bytes.readUIntBE(at, count);
}

function byteAt(bytes: Buffer, at: number): number {
  const byte = bytes[at];
  if (byte === undefined) throw new PackedFault(TOO_EARLY);
  return byte;
}

function checkText(bytes: Buffer, from: number, to: number, isKey: boolean): void {
  let bits = 0;
  for (let at = from; at < to; at += 1) bits |= bytes[at] ?? 0;
  if (bits >= 0x80 && !isUtf8(bytes.subarray(from, to))) {
    throw new PackedFault("Texts must be UTF-8");
  }
  if (!isKey || !SHARED_KEY_CHARS.has(to - from)) return;
  if (SHARED_KEYS.has(bytes.toString("latin1", from, to))) {
    throw new PackedFault("The keys __proto__ and constructor are not accepted");
  }
}
