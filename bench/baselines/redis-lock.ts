/**
 * Baseline (c): a lock in Redis, an optimistic version, a transaction.
 *
 * What it does. A hold takes a lock for each seat, or for the area (SET NX PX with a token; it is
 * released by a script that compares and deletes); reads the rows with their versions; and writes
 * them where the versions are still those. A booking does that with its hold. The version is there
 * because the lock alone is not safe: it may run out while its owner stands still.
 *
 * Why that is the fair form. Home-made ones poll for the lock with pauses of 50 to 200 ms; here
 * those of one process stand in line, and none sleeps (redis-locks.ts). The write is one statement
 * with its transaction, and the lock's release is not waited for. Redis writes nothing to disk.
 * PostgreSQL does, as for the others: the answer is a commit, and the lock lasts until then.
 */
import type { Pool } from "pg";
import { HELD_COLUMNS, type HeldColumns, heldRow, refusalOfBooking } from "./held-row.ts";
import { type AreaRow, refusalOfPlaces, type SeatRow } from "./place-rows.ts";
import { LockTimeout, type RedisLocks } from "./redis-locks.ts";
import {
  AGAINST,
  type BookOrder,
  type BookResult,
  type HoldOrder,
  type HoldResult,
  type SaleDesign,
} from "./sale-design.ts";
import {
  bookStatement,
  holdStatement,
  isPartial,
  type SoldRow,
  soldOf,
  type Taking,
  type TakingIds,
  type Values,
} from "./statements.ts";

interface VersionedSeat extends SeatRow {
  readonly version: string;
}

interface VersionedArea extends AreaRow {
  readonly version: string;
}

const READ_HOLD = `SELECT ${HELD_COLUMNS} FROM baseline.holds WHERE event_id = $1 AND id = $2`;
const READ_SEATS = `SELECT seat, until_ms, version FROM baseline.seats
  WHERE event_id = $1 AND seat = ANY ($2)`;
const READ_AREA = `SELECT area, capacity - taken AS free, version FROM baseline.areas
  WHERE event_id = $1 AND area = $2`;
/** Writes that met another version: the lock had run out. */
const TRIES_MAX = 5;
const BUSY = { ok: false, against: { code: "busy" } } as const;

export class RedisLock implements SaleDesign {
  readonly #pool: Pool;
  readonly #locks: RedisLocks;

  constructor(pool: Pool, locks: RedisLocks) {
    this.#pool = pool;
    this.#locks = locks;
  }

  hold(order: HoldOrder): Promise<HoldResult> {
    const { eventId, seats, areas } = order;
    const locks = [
      ...seats.map((seat) => `seat:${eventId}:${seat}`),
      ...areas.map(({ area }) => `area:${eventId}:${area}`),
    ];
    return this.#locked(locks, async () => {
      for (let tries = 0; tries < TRIES_MAX; tries += 1) {
        const result = await this.#tryHold(order);
        if (result !== null) return result;
      }
      return BUSY;
    });
  }

  book(order: BookOrder): Promise<BookResult> {
    return this.#locked([`hold:${order.holdId}`], async () => {
      for (let tries = 0; tries < TRIES_MAX; tries += 1) {
        const result = await this.#tryBook(order);
        if (result !== null) return result;
      }
      return BUSY;
    });
  }

  /** null: a version had changed. */
  async #tryHold(order: HoldOrder): Promise<HoldResult | null> {
    const [seats, ...areas] = await this.#read(order);
    const refusal = refusalOfPlaces(order, { seats, areas });
    if (refusal !== null) return { ok: false, against: refusal };
    const statement = holdStatement("hold", order, (values, ids) =>
      takingsOf({ order, seats, areas }, values, ids),
    );
    try {
      const { rows } = await this.#pool.query<{ seq: string }>(statement);
      const [made] = rows;
      return made === undefined ? null : { ok: true, seq: Number(made.seq) };
    } catch (error) {
      if (isPartial(error)) return null;
      throw error;
    }
  }

  async #read({
    eventId,
    seats,
    areas,
  }: HoldOrder): Promise<[VersionedSeat[], ...VersionedArea[]]> {
    const readingAreas = areas.map(async ({ area }) => {
      const values = [eventId, area];
      const { rows } = await this.#pool.query<VersionedArea>({
        name: "area",
        text: READ_AREA,
        values,
      });
      return rows;
    });
    const readSeats = async (): Promise<VersionedSeat[]> => {
      if (seats.length === 0) return [];
      const values = [eventId, seats];
      const { rows } = await this.#pool.query<VersionedSeat>({
        name: "seats",
        text: READ_SEATS,
        values,
      });
      return rows;
    };
    const [seatRows, ...areaRows] = await Promise.all([readSeats(), ...readingAreas]);
    return [seatRows, ...areaRows.flat()];
  }

  async #tryBook(order: BookOrder): Promise<BookResult | null> {
    const { eventId, holdId } = order;
    const read = { name: "held", text: READ_HOLD, values: [eventId, holdId] };
    const [row] = (await this.#pool.query<HeldColumns>(read)).rows;
    const held = row === undefined ? null : heldRow(eventId, holdId, row);
    const refusal = refusalOfBooking(held, order);
    if (refusal !== null) return { ok: false, against: refusal };
    if (held === null) return AGAINST;
    const statement = bookStatement(
      "book",
      order,
      (values) => `version = ${values.add(held.version, "bigint")}`,
    );
    const [sold] = (await this.#pool.query<SoldRow>(statement)).rows;
    return sold === undefined ? null : { ok: true, sold: soldOf(sold) };
  }

  async #locked<T>(locks: readonly string[], work: () => Promise<T>): Promise<T | typeof BUSY> {
    try {
      return await this.#locks.withLocks(locks, work);
    } catch (error) {
      if (error instanceof LockTimeout) return BUSY;
      throw error;
    }
  }
}

interface Read {
  readonly order: HoldOrder;
  readonly seats: readonly VersionedSeat[];
  readonly areas: readonly VersionedArea[];
}

/** Only what is still as it was read. */
function takingsOf(
  { order, seats, areas }: Read,
  values: Values,
  { eventId, holdId }: TakingIds,
): Taking[] {
  const takings = order.areas.map(({ area, quantity }, n) => {
    const version = areas.find((row) => row.area === area)?.version ?? null;
    const text = `UPDATE baseline.areas
      SET taken = taken + ${values.add(quantity, "integer")}, version = version + 1
      WHERE event_id = ${eventId} AND area = ${values.add(area, "integer")}
        AND version = ${values.add(version, "bigint")} RETURNING area`;
    return { name: `area${n}`, text };
  });
  if (seats.length === 0) return takings;
  const read = [
    values.add(
      seats.map(({ seat }) => seat),
      "integer[]",
    ),
    values.add(
      seats.map(({ version }) => version),
      "bigint[]",
    ),
  ];
  const text = `UPDATE baseline.seats s
    SET hold_id = ${holdId}, until_ms = ${values.add(order.expiresAtMs, "bigint")},
      version = s.version + 1
    FROM unnest(${read.join(", ")}) r(seat, version)
    WHERE s.event_id = ${eventId} AND s.seat = r.seat AND s.version = r.version
    RETURNING s.seat`;
  return [{ name: "seated", text }, ...takings];
}
