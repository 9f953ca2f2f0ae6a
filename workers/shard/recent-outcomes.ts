import type { Fact } from "../../engine/facts.ts";

interface Outcome {
  readonly lsn: number;
  readonly fact: Fact;
}

/**
 * The outcomes of one event's keyed requests that PostgreSQL may not have yet: what a repeated
 * request is answered with meanwhile.
 *
 * Invariant: outcomes lie in the order of lsn, which within an event is the order of seq.
 */
export class RecentOutcomes {
  #outcomes: Outcome[] = [];

  get count(): number {
    return this.#outcomes.length;
  }

  add(lsn: number, fact: Fact): void {
    this.#outcomes.push({ lsn, fact });
  }

  /** The fact with this seq; null: it was projected, so the store has it. */
  find(seq: number): Fact | null {
    let low = 0;
    let high = this.#outcomes.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#outcomes[middle]?.fact.seq ?? seq) < seq) low = middle + 1;
      else high = middle;
    }
    const found = this.#outcomes[low]?.fact;
    return found?.seq === seq ? found : null;
  }

  /** Forgets what PostgreSQL has. */
  projected(lsn: number): void {
    const first = this.#outcomes.findIndex((outcome) => outcome.lsn > lsn);
    this.#outcomes = first < 0 ? [] : this.#outcomes.slice(first);
  }
}
