import { assert } from "../assert.ts";
import type { BookingRecord } from "../booking.ts";
import type { EventState } from "../event-state.ts";
import type { CommandKey } from "../facts.ts";
import type { ActiveHold } from "../hold-book.ts";
import { findHold } from "../holds.ts";
import type { BookingId, HoldId, UserId } from "../ids.ts";
import { type PlaceItem, totalMinor } from "../place.ts";
import type { Decision, Refusal } from "../replies.ts";
import { accept, refuse } from "./outcome.ts";

/** What a booking is given that its hold does not have. */
export interface NewBooking {
  readonly holdId: HoldId;
  readonly userId: UserId;
  /** Fresh. */
  readonly bookingId: BookingId;
  /** Fresh. */
  readonly code: string;
  /** Fresh: at least as many as the hold may have places. */
  readonly ticketCodes: readonly string[];
  readonly email: string | null;
}

/** Turns a hold into a confirmed booking that owes nothing now (payment provider `none`). */
export interface Book extends NewBooking {
  readonly kind: "book";
  /** Whether the organisation lets a buyer owe: otherwise only a total of 0 is booked unpaid. */
  readonly invoiceAllowed: boolean;
  readonly key: CommandKey | null;
}

export function book(state: EventState, command: Book, nowMs: number): Decision {
  const found = findBookable(state, command);
  if ("code" in found) return refuse(found);
  if (!command.invoiceAllowed && totalMinor(found.items) > 0) {
    return refuse({ code: "payment_required" });
  }
  const booking = bookingOf(found, command, nowMs);
  const { key } = command;
  return accept({ kind: "booked", seq: state.seq + 1, atMs: nowMs, key, booking });
}

/** The requester's hold, if a booking can be made of it now. */
export function findBookable(
  state: EventState,
  { holdId, userId }: Pick<NewBooking, "holdId" | "userId">,
): ActiveHold | Refusal {
  const found = findHold(state, holdId, userId);
  if ("code" in found) return found;
  if (state.definition?.status === "cancelled") return { code: "event_cancelled" };
  if (found.paying !== null) return { code: "hold_paying", bookingId: found.paying };
  return found;
}

/** What a hold is when it becomes a booking. */
type BookedHold = Pick<ActiveHold, "holdId" | "userId" | "items" | "ordinals" | "terms">;

export function bookingOf(
  { holdId, userId, items, ordinals, terms }: BookedHold,
  { bookingId, code, ticketCodes, email }: NewBooking,
  bookedAtMs: number,
): BookingRecord {
  return {
    bookingId,
    holdId,
    userId,
    email,
    code,
    items,
    ordinals,
    ticketCodes: codesFor(items, ticketCodes),
    terms,
    bookedAtMs,
    later: null,
  };
}

/** As many of the fresh codes as there are places, cancelled ones included. */
export function codesFor(items: readonly PlaceItem[], fresh: readonly string[]): readonly string[] {
  assert(fresh.length >= items.length, "a ticket code for every place");
  return fresh.length === items.length ? fresh : fresh.slice(0, items.length);
}
