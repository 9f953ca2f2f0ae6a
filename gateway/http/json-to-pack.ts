/**
 * JSON that we have written, as MessagePack, without an object in between: two thirds of what it
 * takes to read the one and to write the other (a reply: 1.7 and 2.7 µs in a loop), and no garbage.
 */
const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const MINUS = 0x2d;
const ZERO = 0x30;
const NINE = 0x39;
const OPEN_LIST = 0x5b;
const CLOSE_LIST = 0x5d;
const OPEN_MAP = 0x7b;
const CLOSE_MAP = 0x7d;
const LETTER_F = 0x66;
const LETTER_N = 0x6e;
const LETTER_T = 0x74;

/** So many digits are an exact integer. */
const EXACT_DIGITS = 15;
/** Beyond that much, what a message took is given back. */
const KEPT_BYTES_MAX = 1024 * 1024;
/** What any token takes at most, but for the letters of a text. */
const TOKEN_BYTES_MAX = 9;

/** A list or a map that has not ended: where its head is, and how many items it has by now. */
const heads: number[] = [];
const counts: number[] = [];

let out = Buffer.allocUnsafeSlow(16 * 1024);
let end = 0;

/** `json`: whole and valid. Integers beyond 32 bits become floats. */
export function packedJson(json: Buffer): Buffer {
  end = 0;
  let at = 0;
  while (at < json.length) at = readToken(json, at);
  const packed = Buffer.from(out.subarray(0, end));
  if (out.length > KEPT_BYTES_MAX) out = Buffer.allocUnsafeSlow(16 * 1024);
  return packed;
}

/** Where the next one begins. */
function readToken(json: Buffer, at: number): number {
  reserve(end + TOKEN_BYTES_MAX);
  const byte = json[at] ?? 0;
  switch (byte) {
    case QUOTE:
      counted();
      return readText(json, at + 1);
    case OPEN_LIST:
    case OPEN_MAP:
      counted();
      heads.push(end);
      counts.push(0);
      end += 1;
      return at + 1;
    case CLOSE_LIST:
      close(0x90, 0xdc, counts.pop() ?? 0);
      return at + 1;
    case CLOSE_MAP:
      close(0x80, 0xde, (counts.pop() ?? 0) / 2);
      return at + 1;
    case LETTER_N:
      return literal(0xc0, at + 4);
    case LETTER_F:
      return literal(0xc2, at + 5);
    case LETTER_T:
      return literal(0xc3, at + 4);
    default:
      if (byte !== MINUS && (byte < ZERO || byte > NINE)) return at + 1;
      counted();
      return readNumber(json, at);
  }
}

/** One more item of what is open. */
function counted(): void {
  const last = counts.length - 1;
  if (last >= 0) counts[last] = (counts[last] ?? 0) + 1;
}

function literal(byte: number, next: number): number {
  counted();
  out[end] = byte;
  end += 1;
  return next;
}

/** Writes the head: of few items one byte, which is there; for more, what follows makes room. */
function close(few: number, many: number, count: number): void {
  const head = heads.pop() ?? 0;
  if (count < 16) {
    out[head] = few | count;
    return;
  }
  const more = count < 0x10000 ? 2 : 4;
  reserve(end + more);
  out.copyWithin(head + 1 + more, head + 1, end);
  end += more;
  out[head] = more === 2 ? many : many + 1;
  out.writeUIntBE(count, head + 1, more);
}

function readText(json: Buffer, start: number): number {
  let at = start;
  for (let byte = json[at]; byte !== QUOTE; byte = json[at]) {
    if (byte === BACKSLASH) return readEscaped(json, start, at);
    at += 1;
  }
  textHead(at - start);
  // Most texts are short, and a call of `copy` costs more than they do.
  if (at - start < 64) {
    const [to, ahead] = [out, end - start];
    for (let n = start; n < at; n += 1) to[n + ahead] = json[n] ?? 0;
  } else json.copy(out, end, start, at);
  end += at - start;
  return at + 1;
}

function readEscaped(json: Buffer, start: number, firstAt: number): number {
  let at = firstAt;
  while (json[at] !== QUOTE) at += json[at] === BACKSLASH ? 2 : 1;
  const text = Buffer.from(JSON.parse(json.toString("utf8", start - 1, at + 1)), "utf8");
  textHead(text.length);
  end += text.copy(out, end);
  return at + 1;
}

function textHead(length: number): void {
  reserve(end + TOKEN_BYTES_MAX + length);
  if (length < 32) {
    out[end] = 0xa0 | length;
    end += 1;
    return;
  }
  const bytes = length < 0x100 ? 1 : length < 0x10000 ? 2 : 4;
  out[end] = bytes === 1 ? 0xd9 : bytes === 2 ? 0xda : 0xdb;
  end = out.writeUIntBE(length, end + 1, bytes);
}

function readNumber(json: Buffer, start: number): number {
  const isNegative = json[start] === MINUS;
  let at = isNegative ? start + 1 : start;
  const digitsAt = at;
  let value = 0;
  for (let byte = json[at] ?? 0; byte >= ZERO && byte <= NINE; byte = json[at] ?? 0) {
    value = value * 10 + byte - ZERO;
    at += 1;
  }
  const isWhole = at - digitsAt <= EXACT_DIGITS && !isPartOfNumber(json[at]);
  if (isWhole) {
    writeNumber(isNegative && value !== 0 ? -value : value);
    return at;
  }
  while (isPartOfNumber(json[at])) at += 1;
  writeNumber(Number(json.toString("latin1", start, at)));
  return at;
}

/** Of one that is more than a few digits: `.`, `e`, `E`, `+`, `-` or a digit. */
function isPartOfNumber(byte: number | undefined): boolean {
  if (byte === undefined) return false;
  if (byte >= ZERO && byte <= NINE) return true;
  return byte === 0x2e || byte === 0x65 || byte === 0x45 || byte === 0x2b || byte === MINUS;
}

function writeNumber(value: number): void {
  if (!Number.isInteger(value) || value > 0xffffffff || value < -0x80000000) {
    out[end] = 0xcb;
    end = out.writeDoubleBE(value, end + 1);
  } else if (value >= 0) {
    if (value < 0x80) end = out.writeUInt8(value, end);
    else if (value < 0x100) headed(0xcc, value, 1);
    else if (value < 0x10000) headed(0xcd, value, 2);
    else headed(0xce, value, 4);
  } else if (value >= -32) end = out.writeInt8(value, end);
  else if (value >= -0x80) headed(0xd0, value + 0x100, 1);
  else if (value >= -0x8000) headed(0xd1, value + 0x10000, 2);
  else headed(0xd2, value + 0x100000000, 4);
}

function headed(head: number, value: number, bytes: number): void {
  out[end] = head;
  end = out.writeUIntBE(value, end + 1, bytes);
}

/** There is room up to `to`. */
function reserve(to: number): void {
  if (to <= out.length) return;
  const larger = Buffer.allocUnsafeSlow(2 * to);
  out.copy(larger, 0, 0, end);
  out = larger;
}
