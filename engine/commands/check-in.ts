import { assert } from "../assert.ts";
import { type BookingRecord, fateOf } from "../booking.ts";
import type { EventState } from "../event-state.ts";
import type { CommandKey } from "../facts.ts";
import type { UserId } from "../ids.ts";
import type { Decision } from "../replies.ts";
import { refuseUnlessStanding } from "./find-booking.ts";
import { accept, nextFact, refuse } from "./outcome.ts";

/** Lets somebody in with a ticket, once; or takes that back. The requester is of the staff. */
export interface CheckIn {
  readonly kind: "checkIn";
  readonly ticketCode: string;
  readonly by: UserId;
  readonly undo: boolean;
  readonly key: CommandKey | null;
}

export function checkIn(state: EventState, command: CheckIn, nowMs: number): Decision {
  const { ticketCode, by, undo, key } = command;
  const bookingId = state.bookingByTicketCode.get(ticketCode);
  const known = bookingId === undefined ? undefined : state.bookings.get(bookingId);
  if (known === undefined) return refuse({ code: "ticket_not_found" });
  const { record } = known;
  const index = record.ticketCodes.indexOf(ticketCode);
  assert(index >= 0, "a code that is known is that of a ticket");
  const refusal = refuseUnlessStanding(record, index);
  if (refusal !== null) return refuse(refusal);
  const { checkedInAtMs } = fateOf(record, index);
  if (undo && checkedInAtMs === null) return refuse({ code: "not_checked_in" });
  if (!undo && checkedInAtMs !== null) {
    return refuse({ code: "already_checked_in", atMs: checkedInAtMs });
  }
  const base = nextFact(state, nowMs, key);
  const booking = entered(record, index, undo ? null : nowMs, base.seq, nowMs);
  return accept({
    kind: "bookingChanged",
    ...base,
    change: undo ? "check_in_undone" : "checked_in",
    booking,
    tickets: [index],
    by,
    reason: null,
    moves: [],
    holdEnd: null,
  });
}

function entered(
  record: BookingRecord,
  index: number,
  checkedInAtMs: number | null,
  seq: number,
  atMs: number,
): BookingRecord {
  const tickets = record.items
    .map((_, n) => fateOf(record, n))
    .with(index, { cancelledAtMs: null, checkedInAtMs });
  const before = { status: "confirmed", payment: null, cancelled: null, ...record.later } as const;
  return { ...record, later: { ...before, tickets, seq, atMs } };
}
