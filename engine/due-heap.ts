import type { HoldId } from "./ids.ts";

const CAPACITY_MIN = 8;
const NONE = new Float64Array(0);

/** Holds by the time of their end, the first one on top: a heap without an object an entry. */
export class DueHeap {
  #times = NONE;
  readonly #ids: HoldId[] = [];

  get size(): number {
    return this.#ids.length;
  }

  /** Unix ms; Infinity: there is no hold. */
  get firstMs(): number {
    return this.#ids.length === 0 ? Number.POSITIVE_INFINITY : (this.#times[0] ?? 0);
  }

  /** Of the hold that ends at `firstMs`, which there must be. */
  get firstId(): HoldId {
    return this.#idAt(0);
  }

  clear(): void {
    this.#ids.length = 0;
    this.#times = NONE;
  }

  push(ms: number, id: HoldId): void {
    let index = this.#ids.length;
    this.#ids.push(id);
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
    const size = this.#ids.length - 1;
    const ms = this.#timeAt(size);
    const id = this.#ids.pop();
    if (size <= 0 || id === undefined) return;
    let index = 0;
    for (;;) {
      let child = 2 * index + 1;
      if (child + 1 < size && this.#timeAt(child + 1) < this.#timeAt(child)) child += 1;
      if (child >= size || this.#timeAt(child) >= ms) break;
      this.#put(index, this.#timeAt(child), this.#idAt(child));
      index = child;
    }
    this.#put(index, ms, id);
  }

  #timeAt(index: number): number {
    return this.#times[index] ?? 0;
  }

  #idAt(index: number): HoldId {
    return this.#ids[index] as HoldId;
  }

  #put(index: number, ms: number, id: HoldId): void {
    this.#times[index] = ms;
    this.#ids[index] = id;
  }

  #makeRoom(): void {
    const larger = new Float64Array(Math.max(CAPACITY_MIN, 2 * this.#times.length));
    larger.set(this.#times);
    this.#times = larger;
  }
}
