import type { BookingRecord, KnownBooking } from "../booking.ts";
import { fateOf, statusOf, ticketIdOf } from "../booking.ts";
import type { EventState } from "../event-state.ts";
import type { BookingId, ItemId, UserId } from "../ids.ts";
import type { Refusal } from "../replies.ts";

/** Who asks for a change of a booking. */
export interface BookingRequester {
  readonly bookingId: BookingId;
  readonly userId: UserId;
  /** True when the requester may act for the event's organisation. */
  readonly asOrganizer: boolean;
}

/** The booking, if it is the requester's to change; for others it does not exist. */
export function findBooking(
  state: EventState,
  { bookingId, userId, asOrganizer }: BookingRequester,
): KnownBooking | null {
  const known = state.bookings.get(bookingId);
  const isTheirs = known !== undefined && (asOrganizer || known.record.userId === userId);
  return isTheirs ? known : null;
}

/** Position of a ticket that stands in a confirmed booking, or why there is none. */
export function findTicket(record: BookingRecord, ticketId: ItemId): number | Refusal {
  const index = record.items.findIndex((_, n) => ticketIdOf(record, n) === ticketId);
  if (index < 0) return { code: "ticket_not_found" };
  return refuseUnlessStanding(record, index) ?? index;
}

export function refuseUnlessStanding(record: BookingRecord, index: number): Refusal | null {
  const status = statusOf(record);
  if (status === "pending_payment") return { code: "booking_pending" };
  if (status !== "confirmed") return { code: "booking_cancelled" };
  return fateOf(record, index).cancelledAtMs === null ? null : { code: "ticket_cancelled" };
}
