/** Bookings, their tickets and their refunds as SQL. */
import {
  type BookingRecord,
  fateOf,
  statusOf,
  type TicketStatus,
  ticketIdOf,
  ticketStatusOf,
} from "../../engine/booking.ts";
import type { EventId } from "../../engine/ids.ts";
import { type PlaceItem, totalMinor } from "../../engine/place.ts";
import { jsonColumn, jsonText, plainColumn, rareColumn, textColumn } from "./array-literals.ts";
import { ROW_BYTES } from "./copy-rows.ts";
import type { NetEffects } from "./effects.ts";
import { type Insertion, insertion, type Statement } from "./statement.ts";

/** Only what comes after the row's last change changes it. */
export function changeBookings({ bookingChanges }: NetEffects): Statement {
  return {
    name: "change-bookings",
    text: `
      UPDATE bookings SET user_id = u.user_id, email = u.email, status = u.status,
        total_minor = u.total_minor, terms = u.terms, later = u.later, changed_seq = u.changed_seq,
        buyer_id = CASE WHEN bookings.user_id = u.user_id THEN bookings.buyer_id
                        ELSE COALESCE(bookings.buyer_id, bookings.user_id) END
      FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::text[], $5::text[], $6::bigint[],
                  $7::json[], $8::json[], $9::bigint[])
        AS u (event_id, id, user_id, email, status, total_minor, terms, later, changed_seq)
      WHERE bookings.event_id = u.event_id AND bookings.id = u.id
        AND COALESCE(bookings.changed_seq, bookings.seq) < u.changed_seq`,
    values: [
      plainColumn(bookingChanges, (change) => change.eventId),
      plainColumn(bookingChanges, (change) => change.record.bookingId),
      plainColumn(bookingChanges, (change) => change.record.userId),
      textColumn(bookingChanges, (change) => change.record.email),
      plainColumn(bookingChanges, (change) => statusOf(change.record)),
      plainColumn(bookingChanges, (change) => totalMinor(change.record.items)),
      rareColumn(bookingChanges, (change) => change.record.terms, jsonColumn),
      jsonColumn(bookingChanges, (change) => change.record.later),
      plainColumn(bookingChanges, (change) => change.record.later?.seq ?? null),
    ],
    rowCount: bookingChanges.length,
  };
}

export function insertBookings({ bookingsMade }: NetEffects): Insertion {
  return insertion(
    {
      name: "insert-bookings",
      table: "bookings",
      columns: `event_id, id, hold_id, user_id, email, code, status, total_minor, booked_ms, seq,
        buyer_id, ordinals, terms, later, changed_seq`,
    },
    bookingsMade,
    (into, { eventId, record, seq, buyerId }) =>
      into
        .row()
        .eventId(eventId)
        .uuid(record.bookingId)
        .uuid(record.holdId)
        .uuid(record.userId)
        .text(record.email)
        .text(record.code)
        .text(statusOf(record))
        .bigint(totalMinor(record.items))
        .bigint(record.bookedAtMs)
        .bigint(seq)
        .uuid(buyerId)
        .integers(record.ordinals)
        .text(jsonText(record.terms))
        .text(jsonText(record.later))
        .bigint(record.later?.seq ?? null),
  );
}

interface TicketRow {
  readonly eventId: EventId;
  readonly record: BookingRecord;
  readonly index: number;
  readonly item: PlaceItem;
  readonly status: TicketStatus;
}

function ticketsOf(
  { eventId, record }: { readonly eventId: EventId; readonly record: BookingRecord },
  indexes: readonly number[],
): TicketRow[] {
  return indexes.flatMap((index) => {
    const item = record.items[index];
    const status = ticketStatusOf(record, index);
    return item === undefined ? [] : [{ eventId, record, index, item, status }];
  });
}

const positionOf = ({ ordinals }: BookingRecord, index: number): number =>
  ordinals?.[index] ?? index;

/** A ticket's key. Not its id: of a hold that was booked twice, both bookings' tickets have it. */
const keyColumns = (rows: readonly TicketRow[]) => [
  plainColumn(rows, (row) => row.eventId),
  plainColumn(rows, (row) => row.record.bookingId),
  plainColumn(rows, ({ record, index }) => positionOf(record, index)),
];

const codeColumn = (rows: readonly TicketRow[]) =>
  textColumn(rows, ({ record, index }) => record.ticketCodes[index] ?? "");

const priceColumns = (rows: readonly TicketRow[]) => [
  rareColumn(rows, ({ item }) => item.charge?.discountMinor ?? null, plainColumn),
  rareColumn(rows, ({ item }) => item.charge?.feeMinor ?? null, plainColumn),
  rareColumn(rows, ({ item }) => item.charge?.taxMinor ?? null, plainColumn),
  rareColumn(rows, ({ item }) => item.charge?.dueMinor ?? null, plainColumn),
];

const fateColumns = (rows: readonly TicketRow[]) => [
  rareColumn(rows, ({ record, index }) => fateOf(record, index).checkedInAtMs, plainColumn),
  rareColumn(rows, ({ record, index }) => fateOf(record, index).cancelledAtMs, plainColumn),
];

/**
 * Within a batch seats go from hand to hand, in a circle even, and their unique index is checked
 * row by row. So every ticket that may change its seat leaves it first; then those are written that
 * have no seat at the end, and those last that have one.
 */
export function changeTickets(effects: NetEffects): Statement[] {
  const changed = effects.bookingChanges.flatMap((change) => ticketsOf(change, change.tickets));
  const moved = effects.bookingChanges.flatMap((change) => ticketsOf(change, change.moved));
  return [
    vacateTickets(moved.filter(({ status }) => status === "valid")),
    writeTickets(changed.filter(({ status }) => status !== "valid")),
    writeTickets(changed.filter(({ status }) => status === "valid")),
  ];
}

function vacateTickets(rows: readonly TicketRow[]): Statement {
  return {
    name: "vacate-tickets",
    text: `
      UPDATE tickets SET status = 'pending'
      FROM unnest($1::uuid[], $2::uuid[], $3::integer[]) AS u (event_id, booking_id, position)
      WHERE tickets.event_id = u.event_id AND tickets.booking_id = u.booking_id
        AND tickets.position = u.position`,
    values: keyColumns(rows),
    rowCount: rows.length,
  };
}

function writeTickets(rows: readonly TicketRow[]): Statement {
  return {
    name: "change-tickets",
    text: `
      UPDATE tickets SET place = u.place, category = u.category, price_minor = u.price_minor,
        code = u.code, status = u.status, discount_minor = u.discount_minor,
        fee_minor = u.fee_minor, tax_minor = u.tax_minor, due_minor = u.due_minor,
        checked_in_ms = u.checked_in_ms, cancelled_ms = u.cancelled_ms
      FROM unnest($1::uuid[], $2::uuid[], $3::integer[], $4::integer[], $5::integer[],
                  $6::bigint[], $7::text[], $8::text[], $9::bigint[], $10::bigint[],
                  $11::bigint[], $12::bigint[], $13::bigint[], $14::bigint[])
        AS u (event_id, booking_id, position, place, category, price_minor, code, status,
              discount_minor, fee_minor, tax_minor, due_minor, checked_in_ms, cancelled_ms)
      WHERE tickets.event_id = u.event_id AND tickets.booking_id = u.booking_id
        AND tickets.position = u.position`,
    values: [
      ...keyColumns(rows),
      plainColumn(rows, (row) => row.item.place),
      plainColumn(rows, (row) => row.item.category),
      plainColumn(rows, (row) => row.item.priceMinor),
      codeColumn(rows),
      plainColumn(rows, (row) => row.status),
      ...priceColumns(rows),
      ...fateColumns(rows),
    ],
    rowCount: rows.length,
  };
}

export function insertTickets({ bookingsMade }: NetEffects): Insertion {
  return insertion(
    {
      name: "insert-tickets",
      table: "tickets",
      columns: `event_id, booking_id, position, id, place, category, price_minor, code, status,
        discount_minor, fee_minor, tax_minor, due_minor, checked_in_ms, cancelled_ms`,
      bytes: bookingsMade.reduce(
        (sum, made) => sum + ROW_BYTES * made.record.items.length,
        ROW_BYTES,
      ),
    },
    bookingsMade,
    (into, { eventId, record }) => {
      for (const [index, item] of record.items.entries()) {
        const { checkedInAtMs, cancelledAtMs } = fateOf(record, index);
        into
          .row()
          .eventId(eventId)
          .uuid(record.bookingId)
          .integer(positionOf(record, index))
          .uuid(ticketIdOf(record, index))
          .integer(item.place)
          .integer(item.category)
          .bigint(item.priceMinor)
          .text(record.ticketCodes[index] ?? "")
          .text(ticketStatusOf(record, index))
          .bigint(item.charge?.discountMinor ?? null)
          .bigint(item.charge?.feeMinor ?? null)
          .bigint(item.charge?.taxMinor ?? null)
          .bigint(item.charge?.dueMinor ?? null)
          .bigint(checkedInAtMs)
          .bigint(cancelledAtMs);
      }
    },
  );
}

/** One that is told of again may be on its way already: its row is the refund runner's then. */
export function insertRefunds({ refunds }: NetEffects): Statement {
  return {
    name: "insert-refunds",
    text: `
      INSERT INTO refunds (event_id, refund_id, booking_id, intent_id, provider, amount_minor,
        currency, status, reason, created_ms)
      SELECT u.event_id, u.refund_id, u.booking_id, u.intent_id, u.provider, u.amount_minor,
        inventories.currency, 'due', u.reason, u.at_ms
      FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::uuid[], $5::text[], $6::bigint[],
                  $7::text[], $8::bigint[])
        AS u (event_id, refund_id, booking_id, intent_id, provider, amount_minor, reason, at_ms)
      JOIN inventories ON inventories.event_id = u.event_id
      ON CONFLICT (event_id, refund_id) DO NOTHING`,
    values: [
      plainColumn(refunds, (due) => due.eventId),
      plainColumn(refunds, (due) => due.refund.refundId),
      plainColumn(refunds, (due) => due.bookingId),
      plainColumn(refunds, (due) => due.payment.intentId),
      textColumn(refunds, (due) => due.payment.provider),
      plainColumn(refunds, (due) => due.refund.amountMinor),
      textColumn(refunds, (due) => due.refund.reason),
      plainColumn(refunds, (due) => due.atMs),
    ],
    rowCount: refunds.length,
    isRepeatable: true,
  };
}
