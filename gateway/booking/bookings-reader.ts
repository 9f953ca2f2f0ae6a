import type { Pool } from "pg";
import type { BookingLater, BookingRecord } from "../../engine/booking.ts";
import type { BookingId, EventId, HoldId, UserId } from "../../engine/ids.ts";
import type { PlaceItem } from "../../engine/place.ts";
import type { HoldTerms } from "../../engine/terms.ts";

/** A booking as the database has it. */
export interface StoredBooking {
  readonly eventId: EventId;
  readonly record: BookingRecord;
  /** Who booked; another than the owner once it was handed over. */
  readonly buyerId: UserId;
  /** seq of the fact that made it. */
  readonly seq: number;
}

interface BookingRow {
  readonly event_id: string;
  readonly id: string;
  readonly hold_id: string;
  readonly user_id: string;
  readonly buyer_id: string | null;
  readonly email: string | null;
  readonly code: string;
  readonly booked_ms: string;
  readonly seq: string;
  readonly ordinals: number[] | null;
  readonly terms: HoldTerms | null;
  readonly later: BookingLater | null;
  readonly items: PlaceItem[];
  readonly ticket_codes: string[];
}

const SELECT = `
  SELECT b.event_id, b.id, b.hold_id, b.user_id, b.buyer_id, b.email, b.code, b.booked_ms, b.seq,
         b.ordinals, b.terms, b.later, t.items, t.ticket_codes
  FROM bookings b
  CROSS JOIN LATERAL (
    SELECT json_agg(json_build_object(
             'place', place, 'category', category, 'priceMinor', price_minor,
             'charge', CASE WHEN due_minor IS NOT NULL THEN json_build_object(
               'discountMinor', discount_minor, 'feeMinor', fee_minor, 'taxMinor', tax_minor,
               'dueMinor', due_minor) END) ORDER BY position) AS items,
           array_agg(code ORDER BY position) AS ticket_codes
    FROM tickets WHERE event_id = b.event_id AND booking_id = b.id
  ) t`;

/** Reads bookings for buyers and organisers, straight from the projected rows. */
export class BookingsReader {
  readonly #pool: Pool;

  constructor(pool: Pool) {
    this.#pool = pool;
  }

  async find(eventId: EventId, bookingId: BookingId): Promise<StoredBooking | null> {
    const text = `${SELECT} WHERE b.event_id = $1 AND b.id = $2`;
    const { rows } = await this.#pool.query<BookingRow>({
      name: "booking",
      text,
      values: [eventId, bookingId],
    });
    const [row] = rows;
    return row === undefined ? null : stored(row);
  }

  /** A buyer's bookings, newest first, after (older than) `before`. */
  async listOf(userId: UserId, limit: number, before: BookingId | null): Promise<StoredBooking[]> {
    const text = `${SELECT} WHERE b.user_id = $1 AND ($2::uuid IS NULL OR b.id < $2)
      ORDER BY b.id DESC LIMIT $3`;
    const { rows } = await this.#pool.query<BookingRow>({
      name: "bookings-of",
      text,
      values: [userId, before, limit],
    });
    return rows.map(stored);
  }

  /** An event's bookings, newest first, after (older than) `before`; null: any code. */
  async listOfEvent(
    eventId: EventId,
    { limit, before, code }: { limit: number; before: BookingId | null; code: string | null },
  ): Promise<StoredBooking[]> {
    const withCode = code === null ? "" : "AND b.code = $4";
    const text = `${SELECT} WHERE b.event_id = $1 AND ($2::uuid IS NULL OR b.id < $2) ${withCode}
      ORDER BY b.id DESC LIMIT $3`;
    const { rows } = await this.#pool.query<BookingRow>({
      name: code === null ? "bookings-of-event" : "bookings-by-code",
      text,
      values: [eventId, before, limit, ...(code === null ? [] : [code])],
    });
    return rows.map(stored);
  }
}

function stored(row: BookingRow): StoredBooking {
  const userId = row.user_id as UserId;
  return {
    eventId: row.event_id as EventId,
    buyerId: (row.buyer_id ?? userId) as UserId,
    record: {
      bookingId: row.id as BookingId,
      holdId: row.hold_id as HoldId,
      userId,
      email: row.email,
      code: row.code,
      items: row.items,
      ordinals: row.ordinals,
      ticketCodes: row.ticket_codes,
      bookedAtMs: Number(row.booked_ms),
      terms: row.terms,
      later: row.later,
    },
    seq: Number(row.seq),
  };
}
