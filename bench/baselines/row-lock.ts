/**
 * Baseline (a): a transaction that locks with SELECT … FOR UPDATE, a statement after another.
 *
 * What it does. A hold: BEGIN; INSERT the request's key; SELECT … FOR UPDATE of the seats or of the
 * area's counter; look; UPDATE them; INSERT the hold; COMMIT. A booking: BEGIN; INSERT the key;
 * SELECT … FOR UPDATE of the hold; look; INSERT the booking; INSERT its tickets; UPDATE its seats;
 * UPDATE the hold; COMMIT. Each is awaited before the next is sent. So a hold of one place is six
 * round trips, and its row is locked from the third to the sixth; a booking is seven or eight.
 *
 * Why that is the honest form of what is usual. It is how ticket shops are written, by hand or with
 * an ORM that is used well: no driver or ORM sends the next statement before the code has awaited
 * the one before. And it has no statement that such code could do without: the key is inserted, not
 * looked up first; all tickets go in one INSERT, all seats in one UPDATE; nothing that was written
 * is read back; ids and prices come from memory. Connections are pooled, statements prepared,
 * tables indexed, and nothing waits but for PostgreSQL.
 *
 * What the design can do at best is another question; row-lock-pipelined.ts answers that.
 */
import type { Pool, PoolClient } from "pg";
import type { CommandKey } from "../../engine/facts.ts";
import type { EventId } from "../../engine/ids.ts";
import { isSeat, type PlaceItem } from "../../engine/place.ts";
import { type HeldColumns, heldRow, refusalOfBooking } from "./held-row.ts";
import { lockArea, lockHold, lockSeats } from "./lock-statements.ts";
import { type AreaRow, type PlaceRows, refusalOfPlaces, type SeatRow } from "./place-rows.ts";
import {
  AGAINST,
  type BookOrder,
  type BookResult,
  type HoldOrder,
  type HoldResult,
  type SaleDesign,
} from "./sale-design.ts";
import { NEVER_MS } from "./schema.ts";

const INSERT_KEY = `INSERT INTO baseline.keys (event_id, digest, fingerprint, outcome_id)
  VALUES ($1, $2, $3, $4)`;
const TAKE_SEATS = `UPDATE baseline.seats SET hold_id = $3, until_ms = $4
  WHERE event_id = $1 AND seat = ANY ($2)`;
const TAKE_PLACES = `UPDATE baseline.areas SET taken = taken + $3
  WHERE event_id = $1 AND area = $2`;
const INSERT_HOLD = `INSERT INTO baseline.holds (event_id, id, user_id, places, categories, prices,
    total_minor, created_ms, expires_ms)
  VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) RETURNING seq`;
const INSERT_BOOKING = `INSERT INTO baseline.bookings (event_id, id, hold_id, user_id, email, code,
    total_minor, booked_ms)
  VALUES ($1, $2, $3, $4, $5, $6, $7, $8) RETURNING seq`;
const INSERT_TICKETS = `INSERT INTO baseline.tickets (event_id, booking_id, position, place,
    category, price_minor, code)
  SELECT $1, $2, n - 1, place, category, price, code
  FROM unnest($3::integer[], $4::integer[], $5::bigint[], $6::text[])
    WITH ORDINALITY i(place, category, price, code, n)`;
const SELL_SEATS = `UPDATE baseline.seats SET until_ms = ${NEVER_MS}
  WHERE event_id = $1 AND seat = ANY ($2)`;
const BOOK_HOLD = `UPDATE baseline.holds SET status = 'booked', booking_id = $3
  WHERE event_id = $1 AND id = $2`;

export class RowLock implements SaleDesign {
  readonly #pool: Pool;

  constructor(pool: Pool) {
    this.#pool = pool;
  }

  hold(order: HoldOrder): Promise<HoldResult> {
    return this.#inTransaction(async (client) => {
      await insertKey(client, order, order.holdId);
      const refusal = refusalOfPlaces(order, await lockPlaces(client, order));
      if (refusal !== null) return { ok: false, against: refusal };
      await takePlaces(client, order);
      return { ok: true, seq: await insertHold(client, order) };
    });
  }

  book(order: BookOrder): Promise<BookResult> {
    const { eventId, holdId, bookingId } = order;
    return this.#inTransaction(async (client) => {
      await insertKey(client, order, bookingId);
      const [row] = (await client.query<HeldColumns>(lockHold(eventId, holdId))).rows;
      const held = row === undefined ? null : heldRow(eventId, holdId, row);
      const refusal = refusalOfBooking(held, order);
      if (refusal !== null) return { ok: false, against: refusal };
      if (held === null) return AGAINST;
      const { items, totalMinor } = held;
      const seq = await insertBooking(client, order, totalMinor);
      await insertTickets(client, order, items);
      const seats = items.map(({ place }) => place).filter(isSeat);
      if (seats.length > 0) {
        await client.query({ name: "sell seats", text: SELL_SEATS, values: [eventId, seats] });
      }
      const values = [eventId, holdId, bookingId];
      await client.query({ name: "book hold", text: BOOK_HOLD, values });
      return { ok: true, sold: { seq, items } };
    });
  }

  /** Commits what went well, and undoes all else. */
  async #inTransaction<Result extends { readonly ok: boolean }>(
    work: (client: PoolClient) => Promise<Result>,
  ): Promise<Result> {
    const client = await this.#pool.connect();
    let isSound = true;
    try {
      await client.query("BEGIN");
      const result = await work(client);
      await client.query(result.ok ? "COMMIT" : "ROLLBACK");
      return result;
    } catch (error) {
      // A connection that can't even do that is closed, which undoes it, too.
      isSound = await client.query("ROLLBACK").then(
        () => true,
        () => false,
      );
      throw error;
    } finally {
      client.release(!isSound);
    }
  }
}

/** Before everything else: whoever comes twice with one key waits here, and holds no row. */
async function insertKey(
  client: PoolClient,
  { eventId, key }: { readonly eventId: EventId; readonly key: CommandKey | null },
  outcomeId: string,
): Promise<void> {
  if (key === null) return;
  const values = [eventId, key.digest, key.fingerprint, outcomeId];
  await client.query({ name: "insert key", text: INSERT_KEY, values });
}

async function lockPlaces(
  client: PoolClient,
  { eventId, seats, areas }: HoldOrder,
): Promise<PlaceRows> {
  const seatRows =
    seats.length === 0 ? [] : (await client.query<SeatRow>(lockSeats(eventId, seats))).rows;
  const areaRows: AreaRow[] = [];
  for (const { area } of areas) {
    areaRows.push(...(await client.query<AreaRow>(lockArea(eventId, area))).rows);
  }
  return { seats: seatRows, areas: areaRows };
}

/** The rows are locked, and looked at: nothing is asked again. */
async function takePlaces(
  client: PoolClient,
  { eventId, holdId, seats, areas, expiresAtMs }: HoldOrder,
): Promise<void> {
  if (seats.length > 0) {
    const values = [eventId, seats, holdId, expiresAtMs];
    await client.query({ name: "take seats", text: TAKE_SEATS, values });
  }
  for (const { area, quantity } of areas) {
    const values = [eventId, area, quantity];
    await client.query({ name: "take places", text: TAKE_PLACES, values });
  }
}

/** Answers with its seq. */
async function insertHold(client: PoolClient, order: HoldOrder): Promise<number> {
  const { eventId, holdId, userId, items, totalMinor, nowMs, expiresAtMs } = order;
  const what = [...columnsOf(items), totalMinor];
  const values = [eventId, holdId, userId, ...what, nowMs, expiresAtMs];
  const insert = { name: "insert hold", text: INSERT_HOLD, values };
  const { rows } = await client.query<{ seq: string }>(insert);
  return Number(rows[0]?.seq);
}

/** Answers with its seq. */
async function insertBooking(
  client: PoolClient,
  { eventId, bookingId, holdId, userId, email, code, nowMs }: BookOrder,
  totalMinor: number,
): Promise<number> {
  const values = [eventId, bookingId, holdId, userId, email, code, totalMinor, nowMs];
  const insert = { name: "insert booking", text: INSERT_BOOKING, values };
  const { rows } = await client.query<{ seq: string }>(insert);
  return Number(rows[0]?.seq);
}

async function insertTickets(
  client: PoolClient,
  { eventId, bookingId, ticketCodes }: BookOrder,
  items: readonly PlaceItem[],
): Promise<void> {
  const codes = ticketCodes.slice(0, items.length);
  const values = [eventId, bookingId, ...columnsOf(items), codes];
  await client.query({ name: "insert tickets", text: INSERT_TICKETS, values });
}

/** Places, categories, prices. */
function columnsOf(items: readonly PlaceItem[]): number[][] {
  return [
    items.map(({ place }) => place),
    items.map(({ category }) => category),
    items.map(({ priceMinor }) => priceMinor),
  ];
}
