/**
 * Who is next, by key, within this process.
 *
 * Invariants:
 * - Of one key, at most one has its turn, and turns come in the order of asking.
 * - Several keys are asked for in ascending order, so no two wait for each other.
 */
export class LocalQueue {
  /** The end of each key's line; a key without a line is not in it. */
  readonly #tails = new Map<string, Promise<void>>();

  /** Runs the work in the turn of all of its keys. */
  async inTurn<T>(keys: readonly string[], work: () => Promise<T>): Promise<T> {
    const ends: (() => void)[] = [];
    for (const key of [...new Set(keys)].sort()) ends.push(await this.#turn(key));
    try {
      return await work();
    } finally {
      for (const end of ends) end();
    }
  }

  get size(): number {
    return this.#tails.size;
  }

  async #turn(key: string): Promise<() => void> {
    const before = this.#tails.get(key);
    let ended = (): void => undefined;
    const mine = new Promise<void>((resolve) => {
      ended = resolve;
    });
    this.#tails.set(key, mine);
    if (before !== undefined) await before;
    return () => {
      if (this.#tails.get(key) === mine) this.#tails.delete(key);
      ended();
    };
  }
}
