import { assert } from "./assert.ts";

const CHUNK_BITS = 12;
const CHUNK_SIZE = 1 << CHUNK_BITS;
const CHUNK_MASK = CHUNK_SIZE - 1;

/**
 * Items by number, in pieces: an array that grows is copied, and with half a million items
 * everybody waits for that.
 *
 * Invariant: there are no gaps. Who puts an item has put one under each number before it.
 */
export class ChunkedList<Item> {
  readonly #chunks: (Item | undefined)[][] = [];

  /** undefined: nothing was put there. */
  at(index: number): Item | undefined {
    return this.#chunks[index >>> CHUNK_BITS]?.[index & CHUNK_MASK];
  }

  put(index: number, item: Item | undefined): void {
    const number = index >>> CHUNK_BITS;
    if (number === this.#chunks.length) this.#chunks.push([]);
    const chunk = this.#chunks[number];
    assert(chunk !== undefined, "items have no gaps");
    chunk[index & CHUNK_MASK] = item;
  }

  clear(): void {
    this.#chunks.length = 0;
  }
}
