import { assert } from "../../engine/assert.ts";

/** No less is taken at once: small tables share a size. */
const BYTES_MIN = 64 * 1024;
/** What is kept for the next transactions: that of two large ones. */
const KEPT_BYTES_MAX = 32 * 1024 * 1024;

/**
 * Memory for rows on their way into PostgreSQL, used again and again: what is taken anew for each
 * transaction is seen by the collector as pressure, and makes it go through the whole heap.
 *
 * Invariant: what is free in here is referred to from nowhere else.
 */
export class RowMemory {
  readonly #free: ArrayBuffer[] = [];
  #bytes = 0;

  /** At least `bytes` of memory with anything in it, all of its ArrayBuffer. */
  take(bytes: number): Buffer {
    let found = -1;
    for (const [index, memory] of this.#free.entries()) {
      const isCloser =
        memory.byteLength < (this.#free[found]?.byteLength ?? Number.POSITIVE_INFINITY);
      if (memory.byteLength >= bytes && isCloser) found = index;
    }
    const [memory] = found < 0 ? [] : this.#free.splice(found, 1);
    if (memory === undefined) return Buffer.allocUnsafeSlow(sizeOf(bytes));
    this.#bytes -= memory.byteLength;
    return Buffer.from(memory);
  }

  /** Takes back what `take` gave, or a part of it: nobody reads or writes it any more. */
  give({ buffer }: Buffer): void {
    // What is smaller is not from here.
    if (!(buffer instanceof ArrayBuffer) || buffer.byteLength < BYTES_MIN) return;
    assert(!this.#free.includes(buffer), "memory is given back once");
    if (this.#bytes + buffer.byteLength > KEPT_BYTES_MAX) return;
    this.#free.push(buffer);
    this.#bytes += buffer.byteLength;
  }
}

/** Powers of two, so that what one table has used fits another. */
function sizeOf(bytes: number): number {
  let size = BYTES_MIN;
  while (size < bytes) size *= 2;
  return size;
}

/** Of this thread. */
export const rowMemory = new RowMemory();
