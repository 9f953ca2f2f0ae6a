/**
 * Writes msgpack where it is to lie, byte for byte what msgpackr writes elsewhere: a fact is 20
 * small values, and to pack, to cut off and to copy them takes longer than to write them.
 */

const ARRAY_16_MAX = 0xffff;
/** A type, and the longest number or length behind it. */
const HEAD_BYTES_MAX = 9;
const NULL = 0xc0;
/** Never used in msgpack. */
const NOTHING = 0xc1;
/** What is not written: who asks has another way for it. */
export const NOT_WRITTEN = -1;

/**
 * Writes null, booleans, numbers, texts of ASCII and arrays of all these. Returns where it ends;
 * NOT_WRITTEN: it is something else, or there is no room, and some bytes from `at` on are waste.
 */
export function writeRow(view: DataView, at: number, value: unknown): number {
  if (at + HEAD_BYTES_MAX > view.byteLength) return NOT_WRITTEN;
  if (typeof value === "string") return writeText(view, at, value);
  if (typeof value === "number") return writeNumber(view, at, value);
  if (value === null) return writeByte(view, at, NULL);
  if (typeof value === "boolean") return writeByte(view, at, value ? 0xc3 : 0xc2);
  return Array.isArray(value) ? writeArray(view, at, value) : NOT_WRITTEN;
}

function writeArray(view: DataView, at: number, values: readonly unknown[]): number {
  const { length } = values;
  if (length > ARRAY_16_MAX) return NOT_WRITTEN;
  let end: number;
  if (length < 16) {
    end = writeByte(view, at, 0x90 | length);
  } else {
    view.setUint8(at, 0xdc);
    view.setUint16(at + 1, length);
    end = at + 3;
  }
  for (let index = 0; index < length && end !== NOT_WRITTEN; index += 1) {
    end = writeRow(view, end, values[index]);
  }
  return end;
}

function writeText(view: DataView, at: number, text: string): number {
  const { length } = text;
  if (length > 0xff || at + HEAD_BYTES_MAX + length > view.byteLength) return NOT_WRITTEN;
  let end: number;
  if (length < 32) {
    end = writeByte(view, at, 0xa0 | length);
  } else {
    view.setUint8(at, 0xd9);
    view.setUint8(at + 1, length);
    end = at + 2;
  }
  let all = 0;
  for (let index = 0; index < length; index += 1) {
    const unit = text.charCodeAt(index);
    all |= unit;
    view.setUint8(end + index, unit);
  }
  return all < 0x80 ? end + length : NOT_WRITTEN;
}

function writeNumber(view: DataView, at: number, value: number): number {
  if (value >>> 0 === value) {
    if (value < 0x80) return writeByte(view, at, value);
    if (value < 0x100) {
      view.setUint8(at, 0xcc);
      view.setUint8(at + 1, value);
      return at + 2;
    }
    if (value < 0x1_0000) {
      view.setUint8(at, 0xcd);
      view.setUint16(at + 1, value);
      return at + 3;
    }
    view.setUint8(at, 0xce);
    view.setUint32(at + 1, value);
    return at + 5;
  }
  if (value >> 0 === value && value >= -0x20) return writeByte(view, at, 0x100 + value);
  // A large one; a negative one below -32 is rare.
  if (value < 0 && value >= -0x8000_0000) return NOT_WRITTEN;
  view.setUint8(at, 0xcb);
  view.setFloat64(at + 1, value);
  return at + 9;
}

function writeByte(view: DataView, at: number, byte: number): number {
  view.setUint8(at, byte);
  return at + 1;
}

/**
 * Reads what `writeRow` writes, value by value: who reads says what should come. What else is
 * there, and what ends too early, is told from it; after that nothing more can be read.
 */
export class RowReader {
  #bytes: Buffer = Buffer.alloc(0);
  #at = 0;
  #end = 0;

  /** What is to be read ends before `end`. */
  begin(bytes: Buffer, at: number, end = bytes.length): void {
    this.#bytes = bytes;
    this.#at = at;
    this.#end = end;
  }

  /** Where the next value begins. */
  get at(): number {
    return this.#at;
  }

  /** Whether null is here; another value stays to be read. */
  null(): boolean {
    if (this.#at >= this.#end || this.#bytes[this.#at] !== NULL) return false;
    this.#at += 1;
    return true;
  }

  /** How many values the array has that begins here; -1: another value is here. */
  array(): number {
    const head = this.#byte();
    if (head >> 4 === 0x9) return head & 0xf;
    return head === 0xdc && this.#has(2) ? this.#bytes.readUInt16BE(this.#skip(2)) : -1;
  }

  /** NaN: another value is here. */
  number(): number {
    const head = this.#byte();
    if (head < 0x80) return head;
    if (head >= 0xe0) return head - 0x100;
    const size = head === 0xcc ? 1 : head === 0xcd ? 2 : head === 0xce ? 4 : head === 0xcb ? 8 : 0;
    if (size === 0 || !this.#has(size)) return Number.NaN;
    const at = this.#skip(size);
    return size === 8 ? this.#bytes.readDoubleBE(at) : this.#bytes.readUIntBE(at, size);
  }

  /** null: another value is here. */
  text(): string | null {
    const length = this.#textLength();
    if (length < 0) return null;
    const from = this.#skip(length);
    return this.#bytes.toString("utf8", from, from + length);
  }

  /** Where the text begins that is here, which is not read; -1: another value is here. */
  skipText(): number {
    const length = this.#textLength();
    return length < 0 ? -1 : this.#skip(length);
  }

  /** -1: another value is here. */
  #textLength(): number {
    const head = this.#byte();
    const length = head >> 5 === 0b101 ? head & 0x1f : head === 0xd9 ? this.#byte() : -1;
    return length >= 0 && this.#has(length) ? length : -1;
  }

  #has(bytes: number): boolean {
    return this.#at + bytes <= this.#end;
  }

  /** At the end it is one that begins no value. */
  #byte(): number {
    return this.#has(1) ? (this.#bytes[this.#skip(1)] ?? NOTHING) : NOTHING;
  }

  /** Returns where it was. */
  #skip(bytes: number): number {
    const at = this.#at;
    this.#at += bytes;
    return at;
  }
}
