/** What every baseline does in the same way, because it is rare and nobody measures it. */
import type { Pool, QueryResultRow } from "pg";
import type { BookingRecord, KnownBooking } from "../../engine/booking.ts";
import type { InventoryDefinition } from "../../engine/definition.ts";
import type { BookingId, EventId, HoldId, UserId } from "../../engine/ids.ts";
import type { Refusal } from "../../engine/replies.ts";
import { HELD_COLUMNS, type HeldColumns, type HeldRow, heldRow } from "./held-row.ts";
import type { HoldOrder } from "./sale-design.ts";
import { isActive, itemsOf, type SoldRow } from "./statements.ts";

export interface UsedKey {
  readonly fingerprint: string;
  readonly outcomeId: string;
}

interface BookingColumns extends SoldRow {
  readonly id: string;
  readonly hold_id: string;
  readonly user_id: string;
  readonly email: string | null;
  readonly code: string;
  readonly booked_ms: string;
  readonly ticket_codes: readonly string[];
}

/** `which`: the bookings (b), in an order and a number. */
const bookingsWhere = (which: string): string => `
  SELECT b.id, b.hold_id, b.user_id, b.email, b.code, b.booked_ms, b.seq, t.*
  FROM (SELECT * FROM baseline.bookings b ${which}) b
  CROSS JOIN LATERAL (
    SELECT array_agg(place ORDER BY position) AS places,
      array_agg(category ORDER BY position) AS categories,
      array_agg(price_minor ORDER BY position) AS prices,
      array_agg(code ORDER BY position) AS ticket_codes
    FROM baseline.tickets WHERE event_id = b.event_id AND booking_id = b.id
  ) t ORDER BY b.id DESC`;

const CONFIGURE_AREAS = `
  INSERT INTO baseline.areas (event_id, area, capacity)
  SELECT $1, n - 1, capacity FROM unnest($2::integer[]) WITH ORDINALITY a(capacity, n)
  ON CONFLICT DO NOTHING`;
const CONFIGURE_SEATS = `
  INSERT INTO baseline.seats (event_id, seat)
  SELECT $1, n FROM generate_series(0, $2::integer - 1) n ON CONFLICT DO NOTHING`;

/** Gives back what holds of areas have kept past their end. Seats end by themselves. */
const RECLAIM = `
  WITH due AS (
    SELECT id FROM baseline.holds
    WHERE event_id = $1 AND status = 'active' AND expires_ms <= $2
    LIMIT 1000 FOR UPDATE SKIP LOCKED
  ), ended AS (
    UPDATE baseline.holds h SET status = 'expired', version = version + 1
    FROM due WHERE h.event_id = $1 AND h.id = due.id RETURNING h.places
  ), freed AS (
    SELECT place, count(*)::integer AS quantity FROM ended, unnest(places) place
    WHERE place < 0 GROUP BY place
  ), counted AS (
    UPDATE baseline.areas a SET taken = taken - quantity, version = version + 1
    FROM freed WHERE a.event_id = $1 AND a.area = -1 - freed.place
  )
  SELECT count(*)::integer AS count FROM ended`;

const RELEASE = `
  WITH ended AS (
    UPDATE baseline.holds SET status = 'released', version = version + 1
    WHERE event_id = $1 AND id = $2 AND user_id = $3 AND ${isActive("$4")}
    RETURNING places
  ), seated AS (
    UPDATE baseline.seats s SET until_ms = 0, hold_id = NULL, version = version + 1
    FROM ended WHERE s.event_id = $1 AND s.seat = ANY (ended.places) AND s.hold_id = $2
  ), freed AS (
    SELECT place, count(*)::integer AS quantity FROM ended, unnest(places) place
    WHERE place < 0 GROUP BY place
  ), counted AS (
    UPDATE baseline.areas a SET taken = taken - quantity, version = version + 1
    FROM freed WHERE a.event_id = $1 AND a.area = -1 - freed.place
  )
  SELECT nextval('baseline.seqs') AS seq FROM ended`;

const EXTEND = `
  WITH longer AS (
    UPDATE baseline.holds
    SET extended = true, expires_ms = $5, seq = nextval('baseline.seqs'), version = version + 1
    WHERE event_id = $1 AND id = $2 AND user_id = $3 AND ${isActive("$4")}
      AND NOT extended
    RETURNING places, seq
  ), seated AS (
    UPDATE baseline.seats s SET until_ms = $5, version = version + 1
    FROM longer WHERE s.event_id = $1 AND s.seat = ANY (longer.places) AND s.hold_id = $2
  )
  SELECT seq FROM longer`;

/** Whose hold, and when. */
export interface HoldChange {
  readonly eventId: EventId;
  readonly holdId: HoldId;
  readonly userId: UserId;
  readonly nowMs: number;
}

export class SaleStore {
  readonly #pool: Pool;

  constructor(pool: Pool) {
    this.#pool = pool;
  }

  /** Makes the rows of an event's places. Repeating it is harmless. */
  async configure({ eventId, areas, seatCategories }: InventoryDefinition): Promise<void> {
    await this.#pool.query(CONFIGURE_AREAS, [eventId, areas.map(({ capacity }) => capacity)]);
    await this.#pool.query(CONFIGURE_SEATS, [eventId, seatCategories.length]);
    // The planner has to know how many there are before statements are prepared.
    await this.#pool.query("ANALYZE baseline.areas, baseline.seats");
  }

  async findHold(eventId: EventId, holdId: HoldId): Promise<HeldRow | null> {
    const text = `SELECT ${HELD_COLUMNS} FROM baseline.holds WHERE event_id = $1 AND id = $2`;
    const [row] = await this.#ask<HeldColumns>("find hold", text, [eventId, holdId]);
    return row === undefined ? null : heldRow(eventId, holdId, row);
  }

  async findBooking(eventId: EventId, bookingId: BookingId): Promise<KnownBooking | null> {
    const text = bookingsWhere("WHERE event_id = $1 AND id = $2");
    const [row] = await this.#ask<BookingColumns>("find booking", text, [eventId, bookingId]);
    return row === undefined ? null : known(row);
  }

  /** Newest first, after (older than) `before`. */
  async bookingsOfEvent(
    eventId: EventId,
    limit: number,
    before: BookingId | null,
  ): Promise<KnownBooking[]> {
    const older = "id < coalesce($2::uuid, 'ffffffff-ffff-ffff-ffff-ffffffffffff')";
    const text = bookingsWhere(`WHERE event_id = $1 AND ${older} ORDER BY id DESC LIMIT $3`);
    const values = [eventId, before, limit];
    return (await this.#ask<BookingColumns>("bookings of event", text, values)).map(known);
  }

  async findKey(eventId: EventId, digest: string): Promise<UsedKey | null> {
    const text = `SELECT fingerprint, outcome_id AS "outcomeId" FROM baseline.keys
      WHERE event_id = $1 AND digest = $2`;
    const [row] = await this.#ask<UsedKey>("find key", text, [eventId, digest]);
    return row ?? null;
  }

  /** What is not free of what the order wants; null: all of it is. */
  async refusalOf({ eventId, seats, areas, nowMs }: HoldOrder): Promise<Refusal | null> {
    if (seats.length > 0) {
      const text = `SELECT seat FROM baseline.seats
        WHERE event_id = $1 AND seat = ANY ($2) AND until_ms > $3 ORDER BY seat`;
      const values = [eventId, seats, nowMs];
      const taken = await this.#ask<{ seat: number }>("taken seats", text, values);
      if (taken.length > 0) {
        return { code: "seat_unavailable", seats: taken.map(({ seat }) => seat) };
      }
    }
    for (const { area, quantity } of areas) {
      const text = `SELECT capacity - taken AS free FROM baseline.areas
        WHERE event_id = $1 AND area = $2`;
      const [row] = await this.#ask<{ free: number }>("free places", text, [eventId, area]);
      const available = row?.free ?? 0;
      if (available < quantity) return { code: "insufficient_capacity", area, available };
    }
    return null;
  }

  /** Ends holds whose time is over; answers with how many. */
  async reclaim(eventId: EventId, nowMs: number): Promise<number> {
    const [row] = await this.#ask<{ count: number }>("reclaim", RECLAIM, [eventId, nowMs]);
    return row?.count ?? 0;
  }

  /** seq of the release; null: it is not an active hold of theirs. */
  async release({ eventId, holdId, userId, nowMs }: HoldChange): Promise<number | null> {
    const values = [eventId, holdId, userId, nowMs];
    const [row] = await this.#ask<{ seq: string }>("release", RELEASE, values);
    return row === undefined ? null : Number(row.seq);
  }

  /** seq of the extension; null: it is not an active hold of theirs, or was extended. */
  async extend(change: HoldChange, expiresAtMs: number): Promise<number | null> {
    const { eventId, holdId, userId, nowMs } = change;
    const values = [eventId, holdId, userId, nowMs, expiresAtMs];
    const [row] = await this.#ask<{ seq: string }>("extend", EXTEND, values);
    return row === undefined ? null : Number(row.seq);
  }

  async #ask<Row extends QueryResultRow>(
    name: string,
    text: string,
    values: readonly unknown[],
  ): Promise<Row[]> {
    return (await this.#pool.query<Row>({ name, text, values: [...values] })).rows;
  }
}

function known(row: BookingColumns): KnownBooking {
  const record: BookingRecord = {
    bookingId: row.id as BookingId,
    holdId: row.hold_id as HoldId,
    userId: row.user_id as UserId,
    email: row.email,
    code: row.code,
    items: itemsOf(row),
    ordinals: null,
    ticketCodes: row.ticket_codes,
    bookedAtMs: Number(row.booked_ms),
    terms: null,
    later: null,
  };
  return { record, seq: Number(row.seq) };
}
