/** What no loader reads of an event's rows: tickets' states, refunds and history. */
import type { BookingRecord } from "../../engine/booking.ts";
import type { Fact } from "../../engine/facts.ts";
import type { EventId } from "../../engine/ids.ts";
import type { OutboxRow } from "../../workers/projector/outbox-rows.ts";
import { differences } from "../model/differences.ts";
import type { EventModel } from "../model/event-model.ts";
import { fateIn, ordinalIn, positionsIn, statusIn } from "../model/model-state.ts";
import { itemIdIn } from "../model/routed-ids.ts";
import type { EventRows, HistoryRow, TicketRow } from "./virtual-rows.ts";

/** Differences of the rows from the model of the same seq, as sentences; []: they agree. */
export function driftOfRows(model: EventModel, rows: EventRows): string[] {
  const records = model.everyBooking();
  return [...driftOfTickets(records, rows), ...driftOfRefunds(records, rows)];
}

function driftOfTickets(records: readonly BookingRecord[], { tickets }: EventRows): string[] {
  const expected = records.flatMap(ticketsOf);
  // A hold whose payment has failed may be booked again: its tickets' ids are the same then.
  const nameOf = ({ id, bookingId }: TicketRow): string => `ticket ${id} of booking ${bookingId}`;
  const told = new Map([...tickets.values()].map((ticket) => [nameOf(ticket), ticket]));
  const drift = expected.flatMap((ticket) =>
    differences(nameOf(ticket), told.get(nameOf(ticket)), ticket),
  );
  return [...drift, ...differences("the tickets' count", tickets.size, expected.length)];
}

function ticketsOf(record: BookingRecord): TicketRow[] {
  const status = statusIn(record);
  return positionsIn(record).flatMap((n) => {
    const item = record.items[n];
    if (item === undefined) return [];
    const { cancelledAtMs, checkedInAtMs } = fateIn(record, n);
    const isStanding = status === "confirmed" && cancelledAtMs === null;
    const ticket: TicketRow = {
      ...item,
      id: itemIdIn(record.holdId, ordinalIn(record, n)),
      bookingId: record.bookingId,
      position: ordinalIn(record, n),
      code: record.ticketCodes[n] ?? "",
      status: status === "pending_payment" ? "pending" : isStanding ? "valid" : "cancelled",
      checkedInMs: checkedInAtMs,
      cancelledMs: cancelledAtMs,
    };
    return [ticket];
  });
}

/** Whoever pays refunds out has each, whatever became of it since. */
function driftOfRefunds(records: readonly BookingRecord[], { refunds }: EventRows): string[] {
  const drift: string[] = [];
  let count = 0;
  for (const { bookingId, later } of records) {
    const { payment } = later ?? {};
    for (const { refundId, amountMinor, reason } of payment?.refunds ?? []) {
      const row = refunds.get(refundId);
      const told = row && [row.bookingId, row.intentId, row.amountMinor, row.reason];
      const owed = [bookingId, payment?.intentId, amountMinor, reason];
      // One that was decided before it was ever stored needs nobody.
      if (row !== undefined || isDue(later, refundId)) {
        drift.push(...differences(`refund ${refundId}`, told, owed));
      }
      if (row !== undefined) count += 1;
    }
  }
  return [...drift, ...differences("the refunds' count", refunds.size, count)];
}

function isDue(later: BookingRecord["later"], refundId: string): boolean {
  const refunds = later?.payment?.refunds ?? [];
  return refunds.some((refund) => refund.refundId === refundId && refund.status === "due");
}

/**
 * Differences of the history, and of what others are told, of the facts after `fromSeq`, as
 * sentences; []: both have all of them.
 */
export function driftOfHistory(
  model: EventModel,
  { history, outbox }: EventRows,
  fromSeq: number,
): string[] {
  const { eventId } = model;
  const drift: string[] = [];
  for (let seq = fromSeq + 1; seq <= model.seq; seq += 1) {
    const fact = model.factAt(seq);
    if (fact === undefined) continue;
    const row = history.get(seq);
    const told = row && lineOf(row);
    drift.push(...differences(`the history at ${seq}`, told, historyOf(fact)));
    drift.push(...differences(`the outbox at ${seq}`, outbox.get(seq), toldOf(eventId, fact)));
  }
  return drift;
}

type Line = Omit<HistoryRow, "detail">;

const lineOf = ({ detail: _, ...line }: HistoryRow): Line => line;

/** Holds have none, nor has a booking that was confirmed at once. */
function historyOf(fact: Fact): Line | undefined {
  const { seq, atMs, kind } = fact;
  const line = { seq, atMs, kind, change: null, bookingId: null, byUser: null, reason: null };
  switch (fact.kind) {
    case "configured":
    case "placesChanged":
      return { ...line, byUser: fact.by };
    case "queued":
      return { ...line, byUser: fact.entry.userId };
    case "unqueued": {
      const { reason, userId } = fact;
      return { ...line, reason, byUser: reason === "left" ? userId : null };
    }
    case "paymentStarted": {
      const { bookingId, userId } = fact.booking;
      return { ...line, bookingId, byUser: userId };
    }
    case "booked": {
      const { bookingId, later } = fact.booking;
      return later === null ? undefined : { ...line, bookingId };
    }
    case "bookingChanged": {
      const { change, by: byUser, reason, booking } = fact;
      return { ...line, change, byUser, reason, bookingId: booking.bookingId };
    }
    default:
      return undefined;
  }
}

/** Whoever has a booking, or an offer, hears of all that becomes of it; so does who sells. */
function toldOf(eventId: EventId, fact: Fact): OutboxRow | undefined {
  const { seq, atMs } = fact;
  const about = { eventId, seq, atMs, change: null, subjectId: null };
  switch (fact.kind) {
    case "configured":
    case "placesChanged":
      return { ...about, kind: fact.kind };
    case "booked":
      return { ...about, kind: "booked", subjectId: fact.booking.bookingId };
    case "bookingChanged": {
      const { change, booking } = fact;
      return { ...about, kind: "bookingChanged", change, subjectId: booking.bookingId };
    }
    case "held":
      if (fact.terms?.source !== "waitlist") return undefined;
      return { ...about, kind: "offered", subjectId: fact.holdId };
    default:
      return undefined;
  }
}
