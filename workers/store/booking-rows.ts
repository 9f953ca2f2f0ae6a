/** Bookings and holds, as their rows tell of them. */
import { assert } from "../../engine/assert.ts";
import type { BookingLater, BookingRecord, KnownBooking } from "../../engine/booking.ts";
import type { Charge } from "../../engine/charges.ts";
import type { ActiveHold, EndedHold } from "../../engine/hold-book.ts";
import {
  type BookingId,
  type EventId,
  type HoldId,
  isUuidV7,
  type UserId,
} from "../../engine/ids.ts";
import { ENDED_HOLDS_PER_EVENT_MAX } from "../../engine/limits.ts";
import type { PlaceItem } from "../../engine/place.ts";
import { type HoldTerms, isOffer } from "../../engine/terms.ts";
import { CopyRowReader } from "./copy-row-reader.ts";

// Arrays travel as JSON, which is parsed natively; 64-bit integers as text, all below 2^53. Active
// holds, of which an event may have 100,000s, travel in the binary format of COPY.

export interface HoldRow {
  readonly id: string;
  readonly user_id: string;
  readonly items: readonly number[];
  readonly charges: readonly (number | null)[] | null;
  readonly ordinals: readonly number[] | null;
  readonly terms: HoldTerms | null;
  readonly paying: string | null;
  readonly created_ms: string;
  readonly expires_ms: string;
  readonly extended: boolean;
  readonly seq: string;
}
/** What a HoldRow has of table holds. */
export const HOLD_COLUMNS = `
  id, user_id, array_to_json(items) AS items, array_to_json(charges) AS charges,
  array_to_json(ordinals) AS ordinals, terms, paying, created_ms, expires_ms, extended, seq`;

export function activeHold(row: HoldRow): ActiveHold {
  return {
    holdId: row.id as HoldId,
    userId: row.user_id as UserId,
    items: itemsOf(row.items, row.charges),
    ordinals: row.ordinals,
    terms: row.terms,
    paying: row.paying as BookingId | null,
    createdAtMs: Number(row.created_ms),
    expiresAtMs: Number(row.expires_ms),
    extended: row.extended,
    seq: Number(row.seq),
  };
}

/** COPY takes no parameters: the id is a part of it, and can be nothing but an id. */
export function copyOfActiveHolds(eventId: EventId): string {
  assert(isUuidV7(eventId), "an event's id is one");
  return `
    COPY (SELECT id, user_id, items, charges, ordinals, terms, paying, created_ms, expires_ms,
                 extended, seq
          FROM holds WHERE event_id = '${eventId}' AND status = 'active' ORDER BY id)
    TO STDOUT (FORMAT binary)`;
}

const reader = new CopyRowReader();

/** The row of `copyOfActiveHolds` that begins at `at`. */
export function copiedHold(bytes: Buffer, at: number): ActiveHold {
  reader.begin(bytes, at);
  const [holdId, userId] = [present(reader.uuid()) as HoldId, present(reader.uuid()) as UserId];
  const items = itemsOf(present(reader.numbers()).map(present), reader.numbers());
  const ordinals = reader.numbers()?.map(present) ?? null;
  const terms = reader.text();
  return {
    holdId,
    userId,
    items,
    ordinals,
    terms: terms === null ? null : JSON.parse(terms),
    paying: reader.uuid() as BookingId | null,
    createdAtMs: present(reader.bigint()),
    expiresAtMs: present(reader.bigint()),
    extended: present(reader.boolean()),
    seq: present(reader.bigint()),
  };
}

function present<Value>(value: Value | null): Value {
  assert(value !== null, "the column has no NULL");
  return value;
}

/** `items`: triples of place, category, price; `charges`: quadruples, see `chargeOf`. */
function itemsOf(
  items: readonly number[],
  charges: readonly (number | null)[] | null,
): PlaceItem[] {
  const made: PlaceItem[] = [];
  for (let at = 0, from = 0; at < items.length; at += 3, from += 4) {
    const charge = charges === null ? null : chargeOf(charges.slice(from, from + 4));
    const [place = 0, category = 0, priceMinor = 0] = [items[at], items[at + 1], items[at + 2]];
    made.push({ place, category, priceMinor, charge });
  }
  return made;
}

function chargeOf(numbers: readonly (number | null)[]): Charge | null {
  const [discountMinor = null, feeMinor = null, taxMinor = null, dueMinor = null] = numbers;
  if (discountMinor === null || feeMinor === null || taxMinor === null) return null;
  return dueMinor === null ? null : { discountMinor, feeMinor, taxMinor, dueMinor };
}

export interface EndedRow {
  readonly id: string;
  readonly user_id: string;
  readonly status: EndedHold["end"];
  readonly seq: string;
  readonly ended_ms: string;
  readonly booking_id: string | null;
  readonly terms: HoldTerms | null;
}
/** Those that were booked without a payment are known from their bookings. */
export const ENDED_HOLDS = `
  SELECT id, user_id, status, seq, ended_ms, booking_id, terms
  FROM holds
  WHERE event_id = $1 AND status <> 'active' AND (status <> 'booked' OR paying IS NOT NULL)
  ORDER BY seq DESC LIMIT $2`;

export interface BookingRow {
  readonly id: string;
  readonly hold_id: string;
  readonly user_id: string;
  readonly buyer_id: string | null;
  readonly email: string | null;
  readonly code: string;
  readonly booked_ms: string;
  readonly seq: string;
  readonly ordinals: readonly number[] | null;
  readonly terms: HoldTerms | null;
  readonly later: BookingLater | null;
  readonly tickets: readonly TicketColumns[];
}
type TicketColumns = readonly [
  place: number,
  category: number,
  priceMinor: number,
  code: string,
  ...charge: number[],
];
/** What a BookingRow has of table bookings (b) … */
export const BOOKING_COLUMNS = `
  b.id, b.hold_id, b.user_id, b.buyer_id, b.email, b.code, b.booked_ms, b.seq,
  array_to_json(b.ordinals) AS ordinals, b.terms, b.later`;
/** … and of its tickets. */
export const TICKETS = `
  json_agg(
    CASE WHEN due_minor IS NULL THEN json_build_array(place, category, price_minor, code)
         ELSE json_build_array(place, category, price_minor, code,
                               discount_minor, fee_minor, tax_minor, due_minor)
    END ORDER BY position) AS tickets`;
export const BOOKINGS = `
  SELECT ${BOOKING_COLUMNS}, t.tickets FROM bookings b
  JOIN (SELECT booking_id, ${TICKETS}
        FROM tickets WHERE event_id = $1 GROUP BY booking_id) t ON t.booking_id = b.id
  WHERE b.event_id = $1 ORDER BY b.seq`;

export function knownBooking(row: BookingRow): KnownBooking {
  const record: BookingRecord = {
    bookingId: row.id as BookingId,
    holdId: row.hold_id as HoldId,
    userId: row.user_id as UserId,
    email: row.email,
    code: row.code,
    items: row.tickets.map(itemOf),
    ordinals: row.ordinals,
    ticketCodes: row.tickets.map(([, , , code]) => code),
    bookedAtMs: Number(row.booked_ms),
    terms: row.terms,
    later: row.later,
  };
  return { record, seq: Number(row.seq) };
}

function itemOf([place, category, priceMinor, , ...charge]: TicketColumns): PlaceItem {
  return { place, category, priceMinor, charge: chargeOf(charge) };
}

/** Oldest first. What was booked at once is taken from the booking: its hold may have no row. */
export function endedHolds(
  rows: readonly EndedRow[],
  bookings: readonly BookingRow[],
): EndedHold[] {
  const ended = rows.map((row) => ({
    seq: Number(row.seq),
    hold: {
      holdId: row.id as HoldId,
      userId: row.user_id as UserId,
      end: row.status,
      bookingId: row.booking_id as BookingId | null,
      atMs: Number(row.ended_ms),
      isOffer: isOffer(row.terms),
    },
  }));
  for (const row of bookings) {
    if (row.later?.payment != null) continue;
    ended.push({
      seq: Number(row.seq),
      hold: {
        holdId: row.hold_id as HoldId,
        userId: (row.buyer_id ?? row.user_id) as UserId,
        end: "booked",
        bookingId: row.id as BookingId,
        atMs: Number(row.booked_ms),
        isOffer: isOffer(row.terms),
      },
    });
  }
  return ended
    .sort((a, b) => a.seq - b.seq)
    .slice(-ENDED_HOLDS_PER_EVENT_MAX)
    .map(({ hold }) => hold);
}
