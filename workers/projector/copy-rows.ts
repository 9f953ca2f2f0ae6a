/**
 * Rows in the binary format of PostgreSQL's COPY, framed as the messages that bring them:
 *
 *   'd' length   "PGCOPY\n\377\r\n\0" flags extension   row row …   -1   'c' 4
 *   row          count of columns, then for each: length (-1: NULL), bytes
 *
 * Big-endian. Of the ways into a table it is the cheapest by far: nothing is parsed there, and rows
 * are put into their pages, and into the write-ahead log, a page at a time.
 */
import { assert } from "../../engine/assert.ts";
import type { EventId } from "../../engine/ids.ts";
import { rowMemory } from "./row-memory.ts";

const SIGNATURE_TEXT = "PGCOPY\n\xff\r\n\0";
const SIGNATURE = Buffer.from(SIGNATURE_TEXT, "latin1");
const DATA_HEADER_BYTES = 5;
const NO_FLAGS_NO_EXTENSION = Buffer.alloc(8);
/** The end of the rows, and the message that nothing comes after them. */
const TRAILER = Buffer.from([0xff, 0xff, 0x63, 0, 0, 0, 4]);
/** What a row takes usually, for the first guess at what all of them take. */
export const ROW_BYTES = 256;
/** No number, uuid or head of an array takes more. */
const FIXED_BYTES_MAX = 64;
/** With its length. */
const UUID_COLUMN_BYTES = 20;
const INTEGER_OID = 23;
const BIGINT_OID = 20;
const TWO_TO_32 = 4_294_967_296;

/** Half a byte, by the code of its hex digit. */
const HEX = new Uint8Array(128);
for (const [value, digit] of [..."0123456789abcdef"].entries()) HEX[digit.charCodeAt(0)] = value;

export class CopyRows {
  readonly #columns: number;
  #bytes: Buffer;
  #length = 0;
  #count = 0;
  /** The one that was written last, and where its column is. */
  #eventId: EventId | null = null;
  #eventIdAt = 0;

  /** Of `columns` each; `bytes`: about what they take. */
  constructor(columns: number, bytes = ROW_BYTES) {
    this.#columns = columns;
    this.#bytes = rowMemory.take(bytes);
  }

  get count(): number {
    return this.#count;
  }

  /** Begins a row; its columns follow in their order. */
  row(): this {
    if (this.#count === 0) this.#begin();
    this.#count += 1;
    this.#reserve(FIXED_BYTES_MAX);
    this.#length = this.#bytes.writeInt16BE(this.#columns, this.#length);
    return this;
  }

  missing(): this {
    this.#reserve(FIXED_BYTES_MAX);
    this.#int32(-1);
    return this;
  }

  /** In its canonical form, as all ids have it. */
  uuid(text: string | null): this {
    if (text === null) return this.missing();
    this.#reserve(FIXED_BYTES_MAX);
    this.#int32(16);
    this.#hex(text, 0, 8);
    this.#hex(text, 9, 13);
    this.#hex(text, 14, 18);
    this.#hex(text, 19, 23);
    this.#hex(text, 24, 36);
    return this;
  }

  /** As `uuid`, and not parsed again where it is that of the row before, as most events are. */
  eventId(text: EventId): this {
    if (text !== this.#eventId) {
      this.#eventId = text;
      this.#eventIdAt = this.#length;
      return this.uuid(text);
    }
    this.#reserve(FIXED_BYTES_MAX);
    const [bytes, from, to] = [this.#bytes, this.#eventIdAt, this.#length];
    for (let n = 0; n < UUID_COLUMN_BYTES; n += 1) bytes[to + n] = bytes[from + n] ?? 0;
    this.#length += UUID_COLUMN_BYTES;
    return this;
  }

  /** The one whose canonical form is in `bytes` at `at`. */
  uuidAt(bytes: Buffer, at: number): this {
    this.#reserve(FIXED_BYTES_MAX);
    this.#int32(16);
    this.#digits(bytes, at, at + 8);
    this.#digits(bytes, at + 9, at + 13);
    this.#digits(bytes, at + 14, at + 18);
    this.#digits(bytes, at + 19, at + 23);
    this.#digits(bytes, at + 24, at + 36);
    return this;
  }

  integer(value: number | null): this {
    if (value === null) return this.missing();
    this.#reserve(FIXED_BYTES_MAX);
    this.#int32(4);
    this.#int32(value);
    return this;
  }

  bigint(value: number | null): this {
    if (value === null) return this.missing();
    this.#reserve(FIXED_BYTES_MAX);
    this.#int32(8);
    this.#int64(value);
    return this;
  }

  boolean(value: boolean): this {
    this.#reserve(FIXED_BYTES_MAX);
    this.#int32(1);
    this.#bytes[this.#length] = value ? 1 : 0;
    this.#length += 1;
    return this;
  }

  /** Any text. U+0000, which PostgreSQL cannot store, becomes U+FFFD. */
  text(value: string | null): this {
    if (value === null) return this.missing();
    const storable = value.includes("\0") ? value.replaceAll("\0", "\uFFFD") : value;
    this.#reserve(4 + 3 * storable.length);
    const written = this.#bytes.write(storable, this.#length + 4);
    this.#int32(written);
    this.#length += written;
    return this;
  }

  /** `size` bytes, which `write` puts where it is told to. */
  bytes(size: number, write: (into: Buffer, at: number) => void): this {
    this.#reserve(4 + size);
    this.#int32(size);
    write(this.#bytes, this.#length);
    this.#length += size;
    return this;
  }

  integers(values: readonly number[] | null): this {
    if (values === null) return this.missing();
    return this.#array(values, { oid: INTEGER_OID, width: 4 });
  }

  bigints(values: readonly (number | null)[] | null): this {
    if (values === null) return this.missing();
    return this.#array(values, { oid: BIGINT_OID, width: 8 });
  }

  /** The messages, in memory that whoever has sent them may give back to rowMemory. */
  finish(): Buffer {
    if (this.#count === 0) this.#begin();
    this.#reserve(TRAILER.length);
    TRAILER.copy(this.#bytes, this.#length);
    this.#length += TRAILER.length;
    // The length counts itself and the end of the rows, and not the message behind it.
    this.#bytes.writeInt32BE(this.#length - 6, 1);
    return this.#bytes.subarray(0, this.#length);
  }

  #array(
    values: readonly (number | null)[],
    { oid, width }: { readonly oid: number; readonly width: 4 | 8 },
  ): this {
    this.#reserve(FIXED_BYTES_MAX + (4 + width) * values.length);
    const start = this.#length;
    let hasNull = 0;
    this.#int32(0);
    this.#int32(values.length === 0 ? 0 : 1);
    this.#int32(0);
    this.#int32(oid);
    if (values.length > 0) {
      this.#int32(values.length);
      this.#int32(1);
    }
    for (const value of values) {
      if (value === null) {
        hasNull = 1;
        this.#int32(-1);
        continue;
      }
      this.#int32(width);
      if (width === 4) this.#int32(value);
      else this.#int64(value);
    }
    this.#bytes.writeInt32BE(this.#length - start - 4, start);
    this.#bytes.writeInt32BE(hasNull, start + 8);
    return this;
  }

  #begin(): void {
    assert(this.#length === 0, "rows begin once");
    const { length } = SIGNATURE;
    this.#bytes[0] = 0x64;
    SIGNATURE.copy(this.#bytes, DATA_HEADER_BYTES);
    NO_FLAGS_NO_EXTENSION.copy(this.#bytes, DATA_HEADER_BYTES + length);
    this.#length = DATA_HEADER_BYTES + length + NO_FLAGS_NO_EXTENSION.length;
  }

  #hex(text: string, start: number, end: number): void {
    const bytes = this.#bytes;
    let to = this.#length;
    for (let at = start; at < end; at += 2) {
      const high = HEX[text.charCodeAt(at)] ?? 0;
      bytes[to] = (high << 4) | (HEX[text.charCodeAt(at + 1)] ?? 0);
      to += 1;
    }
    this.#length = to;
  }

  #digits(from: Buffer, start: number, end: number): void {
    const bytes = this.#bytes;
    let to = this.#length;
    for (let at = start; at < end; at += 2) {
      const high = HEX[from[at] ?? 0] ?? 0;
      bytes[to] = (high << 4) | (HEX[from[at + 1] ?? 0] ?? 0);
      to += 1;
    }
    this.#length = to;
  }

  #int32(value: number): void {
    const bytes = this.#bytes;
    const at = this.#length;
    bytes[at] = value >>> 24;
    bytes[at + 1] = value >>> 16;
    bytes[at + 2] = value >>> 8;
    bytes[at + 3] = value;
    this.#length = at + 4;
  }

  #int64(value: number): void {
    const high = Math.floor(value / TWO_TO_32);
    this.#int32(high);
    this.#int32(value - high * TWO_TO_32);
  }

  #reserve(bytes: number): void {
    if (this.#length + bytes <= this.#bytes.length) return;
    const larger = rowMemory.take(this.#length + bytes);
    this.#bytes.copy(larger, 0, 0, this.#length);
    rowMemory.give(this.#bytes);
    this.#bytes = larger;
  }
}
