import { assert } from "./assert.ts";
import { DueHeap } from "./due-heap.ts";
import type { BookingId, HoldId, UserId } from "./ids.ts";
import { ENDED_HOLDS_PER_EVENT_MAX } from "./limits.ts";
import { OrderedRecords } from "./ordered-records.ts";
import type { PlaceItem } from "./place.ts";
import { type HoldTerms, isOffer } from "./terms.ts";

export interface ActiveHold {
  readonly holdId: HoldId;
  readonly userId: UserId;
  readonly items: readonly PlaceItem[];
  /** Which of the hold's ids each item has; null: 0, 1, 2 … */
  readonly ordinals: readonly number[] | null;
  /** null: plain ones. */
  readonly terms: HoldTerms | null;
  /** The pending booking whose money it waits for; null: none. */
  readonly paying: BookingId | null;
  readonly createdAtMs: number;
  readonly expiresAtMs: number;
  readonly extended: boolean;
  /** seq of the fact that made the hold what it is. */
  readonly seq: number;
}

export interface EndedHold {
  readonly holdId: HoldId;
  readonly userId: UserId;
  readonly end: "released" | "expired" | "cancelled" | "booked";
  /** Set when `end` is `booked`. */
  readonly bookingId: BookingId | null;
  readonly atMs: number;
  /** It was a waitlist's offer. */
  readonly isOffer: boolean;
}

/**
 * Whether its buyer took places and dropped them again. An offer that runs out came when nobody was
 * there to take it; who gives one back could go on joining and leaving.
 */
export const isDrop = ({ end, isOffer }: Pick<EndedHold, "end" | "isOffer">): boolean =>
  end === "released" || (end === "expired" && !isOffer);

const idOf = ({ holdId }: Pick<ActiveHold, "holdId">): HoldId => holdId;

/** Entries of ended holds that are kept rather than sorted out. */
const STALE_ENTRIES_MIN = 1_024;

/**
 * The holds of one event: the active ones, the order in which they will end, and the last ones
 * ended.
 *
 * Invariants:
 * - Every active hold has a heap entry with its own `expiresAtMs`. Entries of holds that ended or
 *   were extended stay behind until they reach the top, or are more than the active ones.
 * - A hold is active or ended, never both. Ended holds are remembered up to a bound, oldest out
 *   first.
 */
export class HoldBook {
  readonly #active = new OrderedRecords<ActiveHold>(idOf, { isRouted: true });
  readonly #ended = new OrderedRecords<EndedHold>(idOf, { isRouted: true });
  readonly #due = new DueHeap();
  /** Active holds that the waitlist offered, by buyer: one, besides those being paid for. */
  readonly #offers = new Map<UserId, readonly HoldId[]>();

  get count(): number {
    return this.#active.size;
  }

  find(holdId: HoldId): ActiveHold | undefined {
    return this.#active.get(holdId);
  }

  /** What the waitlist has offered the buyer, and is still theirs. */
  offersTo(userId: UserId): readonly ActiveHold[] {
    const offers = (this.#offers.get(userId) ?? []).map((holdId) => this.#active.get(holdId));
    return offers.filter((hold) => hold !== undefined);
  }

  findEnded(holdId: HoldId): EndedHold | undefined {
    return this.#ended.get(holdId);
  }

  /** Those of now: what happens to them later does not change the list. */
  active(): readonly ActiveHold[] {
    return this.#active.all();
  }

  /** Oldest first. */
  ended(): readonly EndedHold[] {
    return this.#ended.all();
  }

  /** Adds a hold, or replaces it with its changed self. */
  put(hold: ActiveHold): void {
    const { holdId, expiresAtMs } = hold;
    const before = this.#active.put(hold);
    if (isOffer(hold.terms) && before === undefined) {
      this.#offers.set(hold.userId, [...(this.#offers.get(hold.userId) ?? []), holdId]);
    }
    // One that ends when it did has its entry: however often it changes, it has no second one.
    if (before?.expiresAtMs !== expiresAtMs) this.#due.push(expiresAtMs, holdId);
  }

  end(ended: EndedHold): void {
    assert(this.#active.delete(ended.holdId) !== undefined, "a hold that ends was active");
    if (ended.isOffer) this.#endOffer(ended);
    if (this.#due.size > 2 * this.#active.size + STALE_ENTRIES_MIN) this.#dropStale();
    this.remember(ended);
  }

  remember(ended: EndedHold): void {
    this.#ended.put(ended);
    if (this.#ended.size > ENDED_HOLDS_PER_EVENT_MAX) this.#ended.deleteOldest();
  }

  /**
   * The active hold that ends first, if its time is over at `nowMs`; null: none is due. Drops stale
   * heap entries, which nobody can see.
   */
  firstDue(nowMs: number): ActiveHold | null {
    while (this.#due.firstMs <= nowMs) {
      const hold = this.#active.get(this.#due.firstId);
      if (hold !== undefined && hold.expiresAtMs === this.#due.firstMs) return hold;
      this.#due.pop();
    }
    return null;
  }

  #endOffer({ userId, holdId }: EndedHold): void {
    const left = (this.#offers.get(userId) ?? []).filter((other) => other !== holdId);
    if (left.length === 0) this.#offers.delete(userId);
    else this.#offers.set(userId, left);
  }

  /** Costs as much as the ends since the last time have saved: O(1) an end, taken together. */
  #dropStale(): void {
    this.#due.clear();
    for (const { expiresAtMs, holdId } of this.#active.all()) this.#due.push(expiresAtMs, holdId);
  }
}
