import type { HoldId } from "../../engine/ids.ts";

/**
 * When which holds are due, in the order of time.
 *
 * Invariant: `#instants` is sorted, without repetition, and has exactly the keys of `#holdsAt`.
 */
export class DueList {
  readonly #instants: number[] = [];
  readonly #holdsAt = new Map<number, Set<HoldId>>();

  /** The first instant at which a hold is due, Unix ms; null: nothing is held. */
  get firstMs(): number | null {
    return this.#instants[0] ?? null;
  }

  add(holdId: HoldId, dueMs: number): void {
    const holds = this.#holdsAt.get(dueMs);
    if (holds !== undefined) {
      holds.add(holdId);
      return;
    }
    this.#holdsAt.set(dueMs, new Set([holdId]));
    // Mostly the last: holds of one length are due in the order in which they are made.
    const before = this.#instants.findLastIndex((instantMs) => instantMs < dueMs);
    this.#instants.splice(before + 1, 0, dueMs);
  }

  remove(holdId: HoldId, dueMs: number): void {
    const holds = this.#holdsAt.get(dueMs);
    holds?.delete(holdId);
    if (holds === undefined || holds.size > 0) return;
    this.#holdsAt.delete(dueMs);
    this.#instants.splice(this.#instants.indexOf(dueMs), 1);
  }
}
