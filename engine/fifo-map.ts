/**
 * A map that knows its oldest entry.
 *
 * A plain Map does not, for long: V8 leaves a hole where an entry was deleted, and every walk from
 * the beginning passes all holes in front of the first entry. Deleting the oldest of n entries
 * again and again costs O(n) each. Here one iterator stays where the oldest entry was found, so an
 * entry is passed once.
 *
 * Invariants: entries lie in the order in which they were set last; no entry lies before the
 * iterator, except the one that `#oldest` names.
 */
export class FifoMap<Key, Value> {
  readonly #map = new Map<Key, Value>();
  #fromOldest = this.#map.keys();
  #oldest: { readonly key: Key } | null = null;

  get size(): number {
    return this.#map.size;
  }

  get(key: Key): Value | undefined {
    return this.#map.get(key);
  }

  /** The entry becomes the newest, whether it was there or not. */
  set(key: Key, value: Value): void {
    this.delete(key);
    this.#map.set(key, value);
  }

  delete(key: Key): boolean {
    if (this.#oldest !== null && this.#oldest.key === key) this.#oldest = null;
    return this.#map.delete(key);
  }

  /** The key that was set longest ago; undefined: the map is empty. */
  oldestKey(): Key | undefined {
    if (this.#oldest !== null) return this.#oldest.key;
    if (this.#map.size === 0) return undefined;
    let next = this.#fromOldest.next();
    if (next.done) {
      // It has seen the end, and goes no further whatever is set later.
      this.#fromOldest = this.#map.keys();
      next = this.#fromOldest.next();
    }
    if (next.done) return undefined;
    this.#oldest = { key: next.value };
    return next.value;
  }

  /** Oldest first. */
  values(): IterableIterator<Value> {
    return this.#map.values();
  }
}
