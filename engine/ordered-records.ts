import { ChunkedList } from "./chunked-list.ts";
import { TextIndex, type TextRows } from "./text-index.ts";

/**
 * Records, each known by a text of its own, in the order in which they came.
 *
 * Invariant: a record's text is what `textOf` says of it, and does not change.
 */
export class OrderedRecords<Item, Id extends string = string> implements TextRows {
  readonly #items = new ChunkedList<Item>();
  readonly #index: TextIndex;
  readonly #textOf: (item: Item) => Id;

  constructor(textOf: (item: Item) => Id, { isRouted = false } = {}) {
    this.#index = new TextIndex(this, { isRouted });
    this.#textOf = textOf;
  }

  get size(): number {
    return this.#index.count;
  }

  get(text: Id): Item | undefined {
    const row = this.#index.find(text);
    return row < 0 ? undefined : this.#items.at(row);
  }

  /** Adds the record behind all others, or puts it in the place of the one with its text. */
  put(item: Item): Item | undefined {
    const text = this.#textOf(item);
    const row = this.#index.find(text);
    if (row < 0) {
      this.#items.put(this.#index.add(text), item);
      return undefined;
    }
    const before = this.#items.at(row);
    this.#items.put(row, item);
    return before;
  }

  /** The record that is gone; undefined: there was none. */
  delete(text: Id): Item | undefined {
    const row = this.#index.find(text);
    return row < 0 ? undefined : this.#remove(row);
  }

  /** The record that came first is gone. */
  deleteOldest(): void {
    const row = this.#index.oldest();
    if (row >= 0) this.#remove(row);
  }

  /** A list of its own, oldest first. */
  all(): Item[] {
    const all: Item[] = [];
    for (let row = this.#index.oldest(); row >= 0; row = this.#index.after(row)) {
      const item = this.#items.at(row);
      if (item !== undefined) all.push(item);
    }
    return all;
  }

  isOf(row: number, text: string): boolean {
    const item = this.#items.at(row);
    return item !== undefined && this.#textOf(item) === text;
  }

  #remove(row: number): Item | undefined {
    const item = this.#items.at(row);
    this.#items.put(row, undefined);
    this.#index.remove(row);
    return item;
  }
}
