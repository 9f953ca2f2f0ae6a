/**
 * Statements that many wait for at once: while one is under way, what is asked meanwhile gathers
 * for the next (group commit). Whoever comes first never waits for company.
 *
 * Invariants:
 * - One call of `run` at a time, with at most `entriesMax` entries, in the order of their coming.
 * - It fails for all of its entries, or for none.
 */
export class Gathering<Entry, Answer> {
  readonly #entriesMax: number;
  readonly #run: (entries: readonly Entry[]) => Promise<readonly Answer[]>;
  #waiting: Waiting<Entry, Answer>[] = [];
  #isRunning = false;

  /** `run` answers each entry at its index. */
  constructor(entriesMax: number, run: (entries: readonly Entry[]) => Promise<readonly Answer[]>) {
    this.#entriesMax = entriesMax;
    this.#run = run;
  }

  ask(entry: Entry): Promise<Answer> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ entry, resolve, reject });
      if (this.#isRunning) return;
      this.#isRunning = true;
      // Those who ask in the same turn of the event loop share the first one.
      setImmediate(() => this.#next());
    });
  }

  #next(): void {
    const batch = this.#waiting.splice(0, this.#entriesMax);
    if (batch.length === 0) {
      this.#isRunning = false;
      return;
    }
    void this.#answer(batch).finally(() => this.#next());
  }

  async #answer(batch: readonly Waiting<Entry, Answer>[]): Promise<void> {
    try {
      const answers = await this.#run(batch.map(({ entry }) => entry));
      if (answers.length !== batch.length) throw new Error("an entry was not answered");
      for (const [index, answer] of answers.entries()) batch[index]?.resolve(answer);
    } catch (error) {
      for (const { reject } of batch) reject(error);
    }
  }
}

interface Waiting<Entry, Answer> {
  readonly entry: Entry;
  readonly resolve: (answer: Answer) => void;
  readonly reject: (error: unknown) => void;
}
