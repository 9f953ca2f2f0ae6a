import { statusOf } from "../booking.ts";
import type { EventState } from "../event-state.ts";
import type { BookingId, UserId } from "../ids.ts";
import type { Decision } from "../replies.ts";
import { findBooking } from "./find-booking.ts";
import { accept, answer, nextFact, refuse } from "./outcome.ts";

/**
 * Takes the owner's address out of a booking, which stays what it is otherwise: whoever it was is
 * gone. Not while money is on its way, since the hold waits for the booking as it was.
 */
export interface ForgetBuyer {
  readonly kind: "forgetBuyer";
  readonly bookingId: BookingId;
  /** The owner. */
  readonly userId: UserId;
}

export function forgetBuyer(state: EventState, command: ForgetBuyer, nowMs: number): Decision {
  const { bookingId, userId } = command;
  const known = findBooking(state, { bookingId, userId, asOrganizer: false });
  if (known === null) return refuse({ code: "booking_not_found" });
  const { record } = known;
  if (record.email === null) return answer({ kind: "booking", booking: known });
  if (statusOf(record) === "pending_payment") return refuse({ code: "booking_pending" });
  const base = nextFact(state, nowMs, null);
  const before = { status: "confirmed", tickets: null, payment: null, cancelled: null } as const;
  const later = { ...before, ...record.later, seq: base.seq, atMs: nowMs };
  return accept({
    kind: "bookingChanged",
    ...base,
    change: "buyer_forgotten",
    booking: { ...record, email: null, later },
    tickets: [],
    by: userId,
    reason: null,
    moves: [],
    holdEnd: null,
  });
}
