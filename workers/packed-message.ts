/**
 * What crosses between threads, many messages in one buffer: numbers, and parts of any other kind,
 * each read in the order in which they were written.
 *
 *   count of numbers │ the numbers, 8 bytes each │ the parts, one array, packed
 *
 * A number costs a fortieth of what it costs as JSON. Parts are JSON, which V8 reads in half the
 * time that msgpack takes, and into texts of their own: msgpackr's are windows into one large text,
 * slow to hash and to compare, and keep it alive. Where one of them has bytes in it, which is rare,
 * they are msgpack.
 */
import { Packr, Unpackr } from "msgpackr";
import { assert } from "../engine/assert.ts";

// Records would be defined anew in every message, and their readers compiled anew behind it.
const packr = new Packr({ useRecords: false, variableMapSize: true });
const unpackr = new Unpackr({ useRecords: false });

const NUMBER_BYTES = 8;
const NUMBERS_MIN = 1_024;
/** Memory for more is given back. */
const NUMBERS_KEPT_MAX = 64 * 1_024;
/** An array in JSON begins with this; none in msgpack does. */
const BRACKET = 0x5b;

/** Used again for one message after another. */
export class MessageWriter {
  #numbers = new Float64Array(NUMBERS_MIN);
  #count = 0;
  #parts: unknown[] = [];
  #hasBytes = false;

  number(value: number): void {
    if (this.#count === this.#numbers.length) {
      const larger = new Float64Array(2 * this.#count);
      larger.set(this.#numbers);
      this.#numbers = larger;
    }
    this.#numbers[this.#count] = value;
    this.#count += 1;
  }

  part(value: unknown): void {
    this.#parts.push(value);
  }

  /** A Uint8Array is somewhere in it. */
  partWithBytes(value: unknown): void {
    this.#parts.push(value);
    this.#hasBytes = true;
  }

  /** What was written since the last call. */
  take(): ArrayBuffer {
    const count = this.#count;
    const numbersEnd = NUMBER_BYTES * (1 + count);
    const [written, parts, hasBytes] = [this.#numbers, this.#parts, this.#hasBytes];
    // Begun anew first: what throws here is gone, and not in the next message, too.
    this.#count = 0;
    this.#parts = [];
    this.#hasBytes = false;
    if (written.length > NUMBERS_KEPT_MAX) this.#numbers = new Float64Array(NUMBERS_MIN);
    const packed = hasBytes ? packr.pack(parts) : JSON.stringify(parts);
    const bytes = new Uint8Array(numbersEnd + Buffer.byteLength(packed));
    const numbers = new Float64Array(bytes.buffer, 0, 1 + count);
    numbers[0] = count;
    numbers.set(written.subarray(0, count), 1);
    const rest = Buffer.from(bytes.buffer, numbersEnd);
    if (typeof packed === "string") rest.write(packed);
    else rest.set(packed);
    return bytes.buffer;
  }
}

/** Reads what a MessageWriter of the same program has written: nothing is checked but the end. */
export class MessageReader {
  readonly #numbers: Float64Array;
  readonly #parts: readonly unknown[];
  #nextNumber = 0;
  #nextPart = 0;

  constructor(buffer: ArrayBuffer) {
    const count = new Float64Array(buffer, 0, 1)[0] ?? 0;
    this.#numbers = new Float64Array(buffer, NUMBER_BYTES, count);
    const packed = Buffer.from(buffer, NUMBER_BYTES * (1 + count));
    this.#parts = packed[0] === BRACKET ? JSON.parse(packed.toString()) : unpackr.unpack(packed);
  }

  get hasNumbers(): boolean {
    return this.#nextNumber < this.#numbers.length;
  }

  number(): number {
    const value = this.#numbers[this.#nextNumber];
    assert(value !== undefined, "a number that is read was written");
    this.#nextNumber += 1;
    return value;
  }

  /** Of the type that was written there. */
  part<Part>(): Part {
    assert(this.#nextPart < this.#parts.length, "a part that is read was written");
    const value = this.#parts[this.#nextPart] as Part;
    this.#nextPart += 1;
    return value;
  }
}
