import { TextIndex } from "./text-index.ts";

/**
 * Records, each known by a text of its own, in the order in which they came.
 *
 * Invariant: a record's text is what `textOf` says of it, and does not change.
 */
export class OrderedRecords<Item> {
  readonly #items: (Item | undefined)[] = [];
  readonly #index: TextIndex;
  readonly #textOf: (item: Item) => string;

  constructor(textOf: (item: Item) => string) {
    const items = this.#items;
    this.#textOf = textOf;
    this.#index = new TextIndex({
      isOf: (row, text) => {
        const item = items[row];
        return item !== undefined && textOf(item) === text;
      },
      move: (from, to) => {
        items[to] = items[from];
      },
      resize: (count) => {
        items.length = count;
      },
    });
  }

  get size(): number {
    return this.#index.count;
  }

  get(text: string): Item | undefined {
    const row = this.#index.find(text);
    return row < 0 ? undefined : this.#items[row];
  }

  /** Adds the record behind all others, or puts it in the place of the one with its text. */
  put(item: Item): Item | undefined {
    const text = this.#textOf(item);
    const row = this.#index.find(text);
    if (row < 0) {
      this.#items[this.#index.add(text)] = item;
      return undefined;
    }
    const before = this.#items[row];
    this.#items[row] = item;
    return before;
  }

  /** The record that is gone; undefined: there was none. */
  delete(text: string): Item | undefined {
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
    return this.#items.filter((item) => item !== undefined);
  }

  #remove(row: number): Item | undefined {
    const item = this.#items[row];
    this.#items[row] = undefined;
    this.#index.remove(row);
    return item;
  }
}
