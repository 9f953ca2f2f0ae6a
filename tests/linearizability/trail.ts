/**
 * The way back: every change of the search's state leaves a note of how to undo it, so that a wrong
 * guess costs what it changed and nothing else.
 */
export class Trail {
  readonly #undo: (() => void)[] = [];

  /** Where the state is now; `rewind` comes back to it. */
  mark(): number {
    return this.#undo.length;
  }

  note(undo: () => void): void {
    this.#undo.push(undo);
  }

  set<Key, Value>(map: Map<Key, Value>, key: Key, value: Value): void {
    const before = map.get(key);
    map.set(key, value);
    this.note(() => {
      if (before === undefined) map.delete(key);
      else map.set(key, before);
    });
  }

  add<Item>(set: Set<Item>, item: Item): void {
    set.add(item);
    this.note(() => set.delete(item));
  }

  /** The item comes back at the end of the set: orders of sets mean nothing here. */
  delete<Item>(set: Set<Item>, item: Item): void {
    if (set.delete(item)) this.note(() => set.add(item));
  }

  rewind(mark: number): void {
    while (this.#undo.length > mark) this.#undo.pop()?.();
  }
}
