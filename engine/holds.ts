/** How holds are made and found, and how they end by themselves. */

import { assert } from "./assert.ts";
import { nextFact } from "./commands/outcome.ts";
import type { EventState } from "./event-state.ts";
import type { BookingChanged, Held, HoldEnded } from "./facts.ts";
import { movesFreeing } from "./facts.ts";
import type { ActiveHold, EndedHold } from "./hold-book.ts";
import type { HoldId, UserId } from "./ids.ts";
import { HELD } from "./inventory.ts";
import { withoutMoney } from "./payments.ts";
import type { Refusal } from "./replies.ts";

/** What a hold is once it was made. Member by member: by far most facts come here. */
export function activeHoldOf(fact: Held): ActiveHold {
  return {
    holdId: fact.holdId,
    userId: fact.userId,
    items: fact.items,
    ordinals: fact.ordinals,
    terms: fact.terms,
    paying: null,
    createdAtMs: fact.atMs,
    expiresAtMs: fact.expiresAtMs,
    extended: false,
    seq: fact.seq,
  };
}

/**
 * The requester's active hold, or why there is none. Another buyer's hold does not exist for them.
 */
export function findHold(state: EventState, holdId: HoldId, userId: UserId): ActiveHold | Refusal {
  const active = state.holds.find(holdId);
  if (active !== undefined) {
    return active.userId === userId ? active : { code: "hold_not_found" };
  }
  const ended = state.holds.findEnded(holdId);
  if (ended === undefined || ended.userId !== userId) return { code: "hold_not_found" };
  return refusalOfEnd(ended);
}

function refusalOfEnd({ end, bookingId }: EndedHold): Refusal {
  if (end === "expired") return { code: "hold_expired" };
  if (end === "cancelled") return { code: "event_cancelled" };
  if (end === "released" || bookingId === null) return { code: "hold_released" };
  return { code: "hold_booked", bookingId };
}

/**
 * The end of the hold that is due first; null: none is due. A hold lives in [creation, expiresAt).
 */
export function nextExpiry(state: EventState, nowMs: number): HoldEnded | BookingChanged | null {
  const due = state.holds.firstDue(nowMs);
  return due === null ? null : endOf(state, due, "expired", nowMs);
}

/** A hold's end without a booking; the booking that it was to pay for ends with it. */
export function endOf(
  state: EventState,
  hold: ActiveHold,
  reason: HoldEnded["reason"],
  nowMs: number,
): HoldEnded | BookingChanged {
  const { holdId, userId, items, ordinals, terms, paying } = hold;
  const base = nextFact(state, nowMs);
  if (paying === null) {
    return { kind: "holdEnded", ...base, reason, holdId, userId, items, ordinals, terms };
  }
  const known = state.bookings.get(paying);
  assert(known !== undefined, "a booking that is paid for is known");
  return {
    kind: "bookingChanged",
    ...base,
    change: "payment_expired",
    booking: withoutMoney(known.record, "expired", { ...base, by: null, reason }),
    tickets: items.map((_, index) => index),
    by: null,
    reason,
    moves: movesFreeing(items, terms, HELD),
    holdEnd: reason,
  };
}
