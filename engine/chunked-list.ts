const CHUNK_BITS = 12;
const CHUNK_SIZE = 1 << CHUNK_BITS;
const CHUNK_MASK = CHUNK_SIZE - 1;

/**
 * Items by number, in pieces: an array that grows is copied, and with half a million items
 * everybody waits for that.
 */
export class ChunkedList<Item> {
  readonly #chunks: (Item | undefined)[][] = [];

  /** undefined: nothing was put there. */
  at(index: number): Item | undefined {
    return this.#chunks[index >>> CHUNK_BITS]?.[index & CHUNK_MASK];
  }

  /** There is an item, or has been one, before each that is put: they have no gaps. */
  put(index: number, item: Item | undefined): void {
    const chunk = this.#chunks[index >>> CHUNK_BITS];
    if (chunk === undefined) this.#chunks.push([item]);
    else chunk[index & CHUNK_MASK] = item;
  }

  clear(): void {
    this.#chunks.length = 0;
  }
}
