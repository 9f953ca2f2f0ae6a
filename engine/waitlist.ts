import { assert } from "./assert.ts";
import type { UserId, WaitlistEntryId } from "./ids.ts";

/** Somebody who waits for places. */
export interface WaitlistEntry {
  readonly entryId: WaitlistEntryId;
  readonly userId: UserId;
  /** Places wanted, all at once. */
  readonly quantity: number;
  /** Categories that will do; null: any. */
  readonly categories: readonly number[] | null;
  /** Higher ones come first. */
  readonly priority: number;
  /** seq and time of arrival. */
  readonly seq: number;
  readonly atMs: number;
}

/** An entry in the line, with what happened around it. */
export interface Waiting {
  readonly entry: WaitlistEntry;
  /** How many behind it were offered places since it came, because what was free did not fit it. */
  readonly skips: number;
}

/**
 * Who waits, in the order in which they are served: priority, then arrival.
 *
 * Invariants:
 * - A buyer is in it once at most.
 * - `skips` counts the offers made to entries behind this one since it came.
 */
export class Waitlist {
  #line: Waiting[] = [];
  readonly #byUser = new Map<UserId, WaitlistEntry>();

  get count(): number {
    return this.#line.length;
  }

  line(): readonly Waiting[] {
    return this.#line;
  }

  ofUser(userId: UserId): WaitlistEntry | undefined {
    return this.#byUser.get(userId);
  }

  /** From 1; 0: it does not wait. */
  positionOf(entryId: WaitlistEntryId): number {
    return this.#line.findIndex(({ entry }) => entry.entryId === entryId) + 1;
  }

  add(entry: WaitlistEntry, skips = 0): void {
    assert(!this.#byUser.has(entry.userId), "a buyer waits once");
    const at = this.#line.findIndex((other) => isBefore(entry, other.entry));
    this.#line.splice(at < 0 ? this.#line.length : at, 0, { entry, skips });
    this.#byUser.set(entry.userId, entry);
  }

  remove(entryId: WaitlistEntryId): void {
    const at = this.positionOf(entryId) - 1;
    assert(at >= 0, "an entry that leaves was waiting");
    this.#drop(at);
  }

  /** The entry got its offer: it waits no longer, and those before it have been skipped. */
  offered(entryId: WaitlistEntryId): void {
    const at = this.positionOf(entryId) - 1;
    assert(at >= 0, "who is offered places was waiting");
    for (let n = 0; n < at; n += 1) {
      const skipped = this.#line[n];
      if (skipped !== undefined) this.#line[n] = { ...skipped, skips: skipped.skips + 1 };
    }
    this.#drop(at);
  }

  #drop(at: number): void {
    const [gone] = this.#line.splice(at, 1);
    if (gone === undefined) return;
    this.#byUser.delete(gone.entry.userId);
  }
}

export function isBefore(a: WaitlistEntry, b: WaitlistEntry): boolean {
  return a.priority !== b.priority ? a.priority > b.priority : a.seq < b.seq;
}
