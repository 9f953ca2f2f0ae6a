import { fateOf, STANDING } from "../booking.ts";
import type { EventState } from "../event-state.ts";
import type { CommandKey } from "../facts.ts";
import type { UserId } from "../ids.ts";
import type { Decision } from "../replies.ts";
import { codesFor } from "./book.ts";
import { type BookingRequester, findBooking, refuseUnlessStanding } from "./find-booking.ts";
import { accept, answer, nextFact, refuse } from "./outcome.ts";

/** Hands a booking over to somebody else, or to the same person under another id. */
export interface Transfer extends BookingRequester {
  readonly kind: "transfer";
  readonly email: string;
  /** The user of that address. */
  readonly toUserId: UserId;
  /**
   * At least as many as the booking may have tickets; they alone admit from then on. Fresh, unless
   * it is the same person.
   */
  readonly ticketCodes: readonly string[];
  readonly key: CommandKey | null;
}

export function transfer(state: EventState, command: Transfer, nowMs: number): Decision {
  const known = findBooking(state, command);
  if (known === null) return refuse({ code: "booking_not_found" });
  const { record } = known;
  const { toUserId, email } = command;
  if (record.userId === toUserId && record.email === email) {
    return answer({ kind: "booking", booking: known });
  }
  const standing = record.items.findIndex((_, n) => fateOf(record, n).cancelledAtMs === null);
  const refusal = refuseUnlessStanding(record, Math.max(standing, 0));
  if (refusal !== null) return refuse(refusal);
  for (const [index] of record.items.entries()) {
    const { checkedInAtMs, cancelledAtMs } = fateOf(record, index);
    // Of one that was cancelled since, nothing is handed over.
    if (checkedInAtMs === null || cancelledAtMs !== null) continue;
    return refuse({ code: "already_checked_in", atMs: checkedInAtMs });
  }
  // Another address of theirs: tickets that are printed go on admitting.
  const isTheirs = record.userId === toUserId;
  const ticketCodes = isTheirs ? record.ticketCodes : codesFor(record.items, command.ticketCodes);
  const base = nextFact(state, nowMs, command.key);
  const { seq } = base;
  const later = {
    status: "confirmed",
    tickets: record.items.map(() => STANDING),
    payment: null,
    cancelled: null,
    ...record.later,
    seq,
    atMs: nowMs,
  } as const;
  return accept({
    kind: "bookingChanged",
    ...base,
    change: "transferred",
    booking: { ...record, userId: toUserId, email, ticketCodes, later },
    tickets: record.items.map((_, index) => index),
    by: command.userId,
    reason: null,
    moves: [],
    holdEnd: null,
  });
}
