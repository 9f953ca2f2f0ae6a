import { assert } from "./assert.ts";
import { ChunkedList } from "./chunked-list.ts";
import type { HoldId } from "./ids.ts";

const CAPACITY_MIN = 8;
const NONE = new Float64Array(0);

/** Holds by the time of their end, the first one on top: a heap without an object an entry. */
export class DueHeap {
  #times = NONE;
  readonly #ids = new ChunkedList<HoldId>();
  #size = 0;

  get size(): number {
    return this.#size;
  }

  /** Unix ms; Infinity: there is no hold. */
  get firstMs(): number {
    return this.#size === 0 ? Number.POSITIVE_INFINITY : (this.#times[0] ?? 0);
  }

  /** Of the hold that ends at `firstMs`, which there must be. */
  get firstId(): HoldId {
    return this.#idAt(0);
  }

  clear(): void {
    this.#size = 0;
    this.#ids.clear();
    this.#times = NONE;
  }

  push(ms: number, id: HoldId): void {
    let index = this.#size;
    this.#size += 1;
    if (index === this.#times.length) this.#makeRoom();
    // Most holds end after those before them.
    while (index > 0) {
      const parent = (index - 1) >> 1;
      if (this.#timeAt(parent) <= ms) break;
      this.#put(index, this.#timeAt(parent), this.#idAt(parent));
      index = parent;
    }
    this.#put(index, ms, id);
  }

  pop(): void {
    const size = this.#size - 1;
    assert(size >= 0, "what is taken off was there");
    const [ms, id] = [this.#timeAt(size), this.#idAt(size)];
    this.#size = size;
    let index = 0;
    for (;;) {
      let child = 2 * index + 1;
      if (child + 1 < size && this.#timeAt(child + 1) < this.#timeAt(child)) child += 1;
      if (child >= size || this.#timeAt(child) >= ms) break;
      this.#put(index, this.#timeAt(child), this.#idAt(child));
      index = child;
    }
    this.#put(index, ms, id);
    this.#ids.put(size, undefined);
  }

  #timeAt(index: number): number {
    return this.#times[index] ?? 0;
  }

  #idAt(index: number): HoldId {
    return this.#ids.at(index) as HoldId;
  }

  #put(index: number, ms: number, id: HoldId): void {
    this.#times[index] = ms;
    this.#ids.put(index, id);
  }

  #makeRoom(): void {
    const larger = new Float64Array(Math.max(CAPACITY_MIN, 2 * this.#times.length));
    larger.set(this.#times);
    this.#times = larger;
  }
}
