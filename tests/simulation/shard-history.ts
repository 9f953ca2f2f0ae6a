import type { Fact } from "../../engine/facts.ts";
import type { EventId } from "../../engine/ids.ts";

export interface DecidedFact {
  readonly eventId: EventId;
  readonly fact: Fact;
  /** By the wall clock of who decided it, Unix ms. */
  readonly decidedMs: number;
}

/**
 * What one shard decided, in order, over all lives of the node.
 *
 * Invariant: facts above `releasedLsn` may vanish in a crash; those up to it may not.
 */
export class ShardHistory {
  /** The fact with lsn n is at n - 1. */
  readonly #facts: DecidedFact[] = [];
  /** Somebody was told something that rests on the facts up to here. */
  releasedLsn = 0;
  /** The models have taken the facts up to here. */
  takenLsn = 0;
  /** Where the present owner went on. */
  recoveredLsn = 0;
  /** Somebody was told up to here by a process that had lost the shard by then. */
  claimedLsn = 0;
  /** The database has the facts up to here. */
  storedLsn = 0;

  get lastLsn(): number {
    return this.#facts.length;
  }

  append(fact: DecidedFact): void {
    this.#facts.push(fact);
  }

  at(lsn: number): DecidedFact | undefined {
    return this.#facts[lsn - 1];
  }

  /** A restart found the facts up to here: the others never were. */
  cutTo(lsn: number): void {
    this.#facts.length = Math.min(this.#facts.length, lsn);
  }
}
