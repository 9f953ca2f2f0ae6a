/**
 * Baseline (a): a transaction that locks with SELECT … FOR UPDATE.
 *
 * What it does. BEGIN; lock the seats' rows or the area's counter; look; write the hold; COMMIT.
 * A booking locks its hold in the same way. Most ticket shops work so, on whichever ORM.
 *
 * Why that is the fair form. The usual code sends five to eight statements one after the other, and
 * the row is locked for all of them. Here BEGIN and the lock leave together, and so do the write
 * (one statement for the row, the hold and the key) and the COMMIT: two round trips, of which the
 * row is locked during the second (pg's pipeline mode). Rows are locked in one order, so orders
 * that overlap wait for each other and never deadlock.
 */
import type { Pool, PoolClient, QueryConfig, QueryResult } from "pg";
import type { Refusal } from "../../engine/replies.ts";
import { HELD_COLUMNS, type HeldColumns, heldRow, refusalOfBooking } from "./held-row.ts";
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
  type SoldRow,
  soldOf,
  type Taking,
  type TakingIds,
  type Values,
} from "./statements.ts";

interface SeatRow {
  readonly seat: number;
  readonly until_ms: string;
}

interface AreaRow {
  readonly area: number;
  readonly free: number;
}

const LOCK_HOLD = `SELECT ${HELD_COLUMNS} FROM baseline.holds
  WHERE event_id = $1 AND id = $2 FOR UPDATE`;
const LOCK_SEATS = `SELECT seat, until_ms FROM baseline.seats
  WHERE event_id = $1 AND seat = ANY ($2) ORDER BY seat FOR UPDATE`;
const LOCK_AREA = `SELECT area, capacity - taken AS free FROM baseline.areas
  WHERE event_id = $1 AND area = $2 FOR UPDATE`;

export class RowLock implements SaleDesign {
  readonly #pool: Pool;

  /** `pool` has connections in pipeline mode. */
  constructor(pool: Pool) {
    this.#pool = pool;
  }

  hold(order: HoldOrder): Promise<HoldResult> {
    return this.#onLine(async (client) => {
      const refusal = refusalOf(order, await lockPlaces(client, order));
      if (refusal !== null) return rolledBack(client, refusal);
      const statement = holdStatement("hold", order, (values, ids) =>
        takingsOf(order, values, ids),
      );
      const [made] = await committed<{ seq: string }>(client, statement);
      return made === undefined ? AGAINST : { ok: true, seq: Number(made.seq) };
    });
  }

  book(order: BookOrder): Promise<BookResult> {
    const { eventId, holdId } = order;
    return this.#onLine(async (client) => {
      const [, { rows }] = await Promise.all([
        client.query("BEGIN"),
        client.query<HeldColumns>({
          name: "lock hold",
          text: LOCK_HOLD,
          values: [eventId, holdId],
        }),
      ]);
      const [row] = rows;
      const held = row === undefined ? null : heldRow(eventId, holdId, row);
      const refusal = refusalOfBooking(held, order);
      if (refusal !== null) return rolledBack(client, refusal);
      const [sold] = await committed<SoldRow>(
        client,
        bookStatement("book", order, () => "true"),
      );
      return sold === undefined ? AGAINST : { ok: true, sold: soldOf(sold) };
    });
  }

  /** A connection that failed is closed: whatever was begun on it is undone. */
  async #onLine<T>(work: (client: PoolClient) => Promise<T>): Promise<T> {
    const client = await this.#pool.connect();
    let isSound = false;
    try {
      const result = await work(client);
      isSound = true;
      return result;
    } catch (error) {
      // The COMMIT behind a statement that failed has ended its transaction.
      isSound = error instanceof StatementFailed;
      throw error instanceof StatementFailed ? error.cause : error;
    } finally {
      client.release(!isSound);
    }
  }
}

class StatementFailed extends Error {
  readonly code = "statement_failed";
}

interface Locked {
  readonly seats: readonly SeatRow[];
  readonly areas: readonly AreaRow[];
}

async function lockPlaces(
  client: PoolClient,
  { eventId, seats, areas }: HoldOrder,
): Promise<Locked> {
  const begun = client.query("BEGIN");
  const locking =
    seats.length === 0
      ? null
      : client.query<SeatRow>({ name: "lock seats", text: LOCK_SEATS, values: [eventId, seats] });
  const areasLocking = areas.map(({ area }) =>
    client.query<AreaRow>({ name: "lock area", text: LOCK_AREA, values: [eventId, area] }),
  );
  const [, seatsLocked, ...areasLocked] = await Promise.all([begun, locking, ...areasLocking]);
  return { seats: seatsLocked?.rows ?? [], areas: areasLocked.flatMap(({ rows }) => rows) };
}

function refusalOf({ seats, areas, nowMs }: HoldOrder, locked: Locked): Refusal | null {
  const taken = locked.seats.filter(({ until_ms }) => Number(until_ms) > nowMs);
  if (taken.length > 0) return { code: "seat_unavailable", seats: taken.map(({ seat }) => seat) };
  if (locked.seats.length < seats.length) return { code: "unknown_place", places: seats };
  for (const { area, quantity } of areas) {
    const available = locked.areas.find((row) => row.area === area)?.free ?? 0;
    if (available < quantity) return { code: "insufficient_capacity", area, available };
  }
  return null;
}

/** The rows are locked, and looked at: nothing is asked again. */
function takingsOf(
  { seats, areas, expiresAtMs }: HoldOrder,
  values: Values,
  { eventId, holdId }: TakingIds,
): Taking[] {
  const takings = areas.map(({ area, quantity }, n) => {
    const text = `UPDATE baseline.areas SET taken = taken + ${values.add(quantity, "integer")}
      WHERE event_id = ${eventId} AND area = ${values.add(area, "integer")} RETURNING area`;
    return { name: `area${n}`, text };
  });
  if (seats.length === 0) return takings;
  const until = values.add(expiresAtMs, "bigint");
  const text = `UPDATE baseline.seats SET hold_id = ${holdId}, until_ms = ${until}
    WHERE event_id = ${eventId} AND seat = ANY (${values.add(seats, "integer[]")})
    RETURNING seat`;
  return [{ name: "seated", text }, ...takings];
}

async function rolledBack(client: PoolClient, against: Refusal) {
  await client.query("ROLLBACK");
  return { ok: false, against } as const;
}

/** Sends the COMMIT behind the statement; where that fails, it is a ROLLBACK. */
async function committed<Row extends object>(
  client: PoolClient,
  statement: QueryConfig,
): Promise<readonly Row[]> {
  const sent: [Promise<QueryResult<Row>>, Promise<QueryResult>] = [
    client.query<Row>(statement),
    client.query("COMMIT"),
  ];
  const [written, ended] = await Promise.allSettled(sent);
  if (ended.status === "rejected") throw ended.reason;
  if (written.status === "rejected") {
    throw new StatementFailed("the statement was rolled back", { cause: written.reason });
  }
  return written.value.rows;
}
