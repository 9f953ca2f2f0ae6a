import type { KnownBooking } from "../../engine/booking.ts";
import type { BookingId, EventId, ItemId, UserId } from "../../engine/ids.ts";
import {
  BOOKING_COLUMNS,
  type BookingRow,
  knownBooking,
  TICKETS,
} from "../../workers/store/booking-rows.ts";
import type { Identity } from "../identity/tokens.ts";
import type { ScopedRows } from "../tenancy/database.ts";
import { asker, person } from "../tenancy/scope.ts";

/** A booking as the database has it. */
export interface StoredBooking extends KnownBooking {
  readonly eventId: EventId;
  /** Who booked; another than the owner once it was handed over. */
  readonly buyerId: UserId;
}

interface Row extends BookingRow {
  readonly event_id: string;
}

/** `which` says which bookings, and in which order: tickets are read of those alone. */
const select = (which: string): string => `
  SELECT b.event_id, ${BOOKING_COLUMNS}, t.tickets FROM (SELECT * FROM bookings b ${which}) b
  CROSS JOIN LATERAL (
    SELECT ${TICKETS} FROM tickets WHERE event_id = b.event_id AND booking_id = b.id
  ) t ORDER BY b.id DESC`;

/** Than $2; null: all. As one bound, so that a later page costs what the first one does. */
const OLDER = "b.id < coalesce($2::uuid, 'ffffffff-ffff-ffff-ffff-ffffffffffff')";

/** Reads bookings for buyers and organisers, straight from the projected rows. */
export class BookingsReader {
  readonly #database: ScopedRows;

  constructor(database: ScopedRows) {
    this.#database = database;
  }

  /** null also where the asker may not see it. */
  async find(
    identity: Identity,
    eventId: EventId,
    bookingId: BookingId,
  ): Promise<StoredBooking | null> {
    const text = select("WHERE b.event_id = $1 AND b.id = $2");
    const { rows } = await this.#database.in(asker(identity)).query<Row>({
      name: "booking",
      text,
      values: [eventId, bookingId],
    });
    const [row] = rows;
    return row === undefined ? null : stored(row);
  }

  /**
   * The booking that has the ticket; null also where the asker may not see it. A hold whose payment
   * failed may have been booked again, with the same tickets: then it is the one that stands, or
   * the last one.
   */
  async bookingIdOfTicket(
    identity: Identity,
    eventId: EventId,
    ticketId: ItemId,
  ): Promise<BookingId | null> {
    const { rows } = await this.#database.in(asker(identity)).query<{ booking_id: string }>({
      name: "booking-of-ticket",
      text: `SELECT booking_id FROM tickets WHERE event_id = $1 AND id = $2
             ORDER BY status = 'cancelled', booking_id DESC LIMIT 1`,
      values: [eventId, ticketId],
    });
    return (rows[0]?.booking_id ?? null) as BookingId | null;
  }

  /** A buyer's bookings, newest first, after (older than) `before`. */
  async listOf(userId: UserId, limit: number, before: BookingId | null): Promise<StoredBooking[]> {
    const text = select(`WHERE b.user_id = $1 AND ${OLDER} ORDER BY b.id DESC LIMIT $3`);
    const { rows } = await this.#database.in(person(userId)).query<Row>({
      name: "bookings-of",
      text,
      values: [userId, before, limit],
    });
    return rows.map(stored);
  }

  /** An event's bookings, newest first, after (older than) `before`; null: any code. */
  async listOfEvent(
    identity: Identity,
    eventId: EventId,
    { limit, before, code }: { limit: number; before: BookingId | null; code: string | null },
  ): Promise<StoredBooking[]> {
    const withCode = code === null ? "" : "AND b.code = $4";
    const text = select(
      `WHERE b.event_id = $1 AND ${OLDER} ${withCode} ORDER BY b.id DESC LIMIT $3`,
    );
    const { rows } = await this.#database.in(asker(identity)).query<Row>({
      name: code === null ? "bookings-of-event" : "bookings-by-code",
      text,
      values: [eventId, before, limit, ...(code === null ? [] : [code])],
    });
    return rows.map(stored);
  }
}

function stored(row: Row): StoredBooking {
  const known = knownBooking(row);
  const buyerId = (row.buyer_id ?? row.user_id) as UserId;
  return { ...known, eventId: row.event_id as EventId, buyerId };
}
