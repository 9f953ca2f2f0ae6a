/**
 * Reads a row of PostgreSQL's binary COPY (see copy-rows.ts, which writes them), column by column:
 * who reads knows their types.
 *
 *   row     count of columns (i16), then for each: length (-1: NULL), bytes
 *   array   dimensions, whether there are NULLs, type; of the dimension: length, first index; then
 *           for each element: length (-1: NULL), bytes
 *
 * Lengths and all that is not said to be otherwise are i32, big-endian.
 */
const COUNT_BYTES = 2;
const LENGTH_BYTES = 4;
const ARRAY_LENGTH_AT = 12;
const ARRAY_HEADER_BYTES = 20;
const TWO_TO_32 = 4_294_967_296;
const UUID_TEXT_BYTES = 36;
/** Bytes of a uuid behind which its text has a dash. */
const DASH_BEHIND = [3, 5, 7, 9];
const DASH = 0x2d;

/** The two hex digits of a byte, as their codes. */
const DIGITS = Array.from({ length: 256 }, (_, byte) => {
  const text = byte.toString(16).padStart(2, "0");
  return [text.charCodeAt(0), text.charCodeAt(1)] as const;
});
const HIGH = Uint8Array.from(DIGITS, ([high]) => high);
const LOW = Uint8Array.from(DIGITS, ([, low]) => low);
/** Where in the text each byte of a uuid begins. */
const UUID_PLACES = Uint8Array.from({ length: 16 }, (_, index) => {
  return 2 * index + DASH_BEHIND.filter((byte) => byte < index).length;
});
const uuidText = Buffer.alloc(UUID_TEXT_BYTES, DASH);

export class CopyRowReader {
  #bytes: Buffer = uuidText;
  /** Where the column begins that is being read, and the one behind it. */
  #from = 0;
  #next = 0;

  /** Goes to the first column of the row that begins at `at`. */
  begin(bytes: Buffer, at: number): void {
    this.#bytes = bytes;
    this.#next = at + COUNT_BYTES;
  }

  uuid(): string | null {
    if (this.#column() < 0) return null;
    for (let index = 0; index < 16; index += 1) {
      const byte = this.#bytes[this.#from + index] ?? 0;
      const place = UUID_PLACES[index] ?? 0;
      uuidText[place] = HIGH[byte] ?? 0;
      uuidText[place + 1] = LOW[byte] ?? 0;
    }
    return uuidText.toString("latin1");
  }

  /** A safe integer. */
  bigint(): number | null {
    return this.#column() < 0 ? null : this.#int64(this.#from);
  }

  boolean(): boolean | null {
    return this.#column() < 0 ? null : this.#bytes[this.#from] === 1;
  }

  /** Of a column of type text or json. */
  text(): string | null {
    return this.#column() < 0 ? null : this.#bytes.toString("utf8", this.#from, this.#next);
  }

  /** An array of integers or bigints, in one dimension or none. */
  numbers(): (number | null)[] | null {
    if (this.#column() < 0) return null;
    const bytes = this.#bytes;
    const from = this.#from;
    const values: (number | null)[] = [];
    if (bytes.readInt32BE(from) === 0) return values;
    const count = bytes.readInt32BE(from + ARRAY_LENGTH_AT);
    let next = from + ARRAY_HEADER_BYTES;
    for (let index = 0; index < count; index += 1) {
      const width = bytes.readInt32BE(next);
      next += LENGTH_BYTES;
      if (width === 4) values.push(bytes.readInt32BE(next));
      else values.push(width < 0 ? null : this.#int64(next));
      next += Math.max(0, width);
    }
    return values;
  }

  /** Goes to the next column. Returns how many bytes it has; below 0: it is NULL. */
  #column(): number {
    const length = this.#bytes.readInt32BE(this.#next);
    this.#from = this.#next + LENGTH_BYTES;
    this.#next = this.#from + Math.max(0, length);
    return length;
  }

  #int64(at: number): number {
    return this.#bytes.readInt32BE(at) * TWO_TO_32 + this.#bytes.readUInt32BE(at + 4);
  }
}
