/**
 * Items in an order that who uses it knows: they come anywhere, and go from the front most of all.
 * To come or to go costs the way from the nearer end, not the length.
 *
 * Invariant: the items are those from the head on; what is before it is nothing, and is let go when
 * it is as much as they are.
 */
export class Line<Item> implements Iterable<Item> {
  readonly #items: (Item | undefined)[];
  #head = 0;

  constructor(items: Item[] = []) {
    this.#items = items;
  }

  get count(): number {
    return this.#items.length - this.#head;
  }

  at(place: number): Item | undefined {
    return place < 0 ? undefined : this.#items[this.#head + place];
  }

  /** The item comes before the one that has this place. */
  insert(place: number, item: Item): void {
    const at = this.#head + place;
    if (this.#head === 0 || place * 2 > this.count) {
      this.#items.splice(at, 0, item);
      return;
    }
    this.#head -= 1;
    this.#items.copyWithin(this.#head, this.#head + 1, at);
    this.#items[at - 1] = item;
  }

  /** The item at this place, which is gone from it; undefined: there was none. */
  take(place: number): Item | undefined {
    const item = this.at(place);
    if (item === undefined) return undefined;
    if (place * 2 > this.count) {
      this.#items.splice(this.#head + place, 1);
      return item;
    }
    this.#items.copyWithin(this.#head + 1, this.#head, this.#head + place);
    this.#items[this.#head] = undefined;
    this.#head += 1;
    if (this.#head * 2 >= this.#items.length) {
      this.#items.splice(0, this.#head);
      this.#head = 0;
    }
    return item;
  }

  /** A list of its own: at most so many, from this place on. */
  part(from: number, limit: number): Item[] {
    const items: Item[] = [];
    const end = Math.min(this.count, from + limit);
    for (let place = from; place < end; place += 1) {
      const item = this.at(place);
      if (item !== undefined) items.push(item);
    }
    return items;
  }

  *[Symbol.iterator](): Iterator<Item> {
    for (let place = 0; place < this.count; place += 1) {
      const item = this.at(place);
      if (item !== undefined) yield item;
    }
  }
}
