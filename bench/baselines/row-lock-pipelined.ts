/**
 * The best form that we know of baseline (a): SELECT … FOR UPDATE in two round trips.
 *
 * What it does. BEGIN; lock the seats' rows or the area's counter; look; write the hold; COMMIT.
 * A booking locks its hold in the same way.
 *
 * Why it is there. It shows what the design can do at best, beside what is usual (row-lock.ts).
 * BEGIN and the lock leave together, and so do the write (one statement for the row, the hold and
 * the key) and the COMMIT: two round trips, of which the row is locked during the second (pg's
 * pipeline mode). Rows are locked in one order, so holds that overlap wait for each other and don't
 * deadlock.
 */
import type { Pool, PoolClient, QueryConfig, QueryResult } from "pg";
import type { Refusal } from "../../engine/replies.ts";
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
import {
  bookStatement,
  holdStatement,
  type SoldRow,
  soldOf,
  type Taking,
  type TakingIds,
  type Values,
} from "./statements.ts";

export class RowLockPipelined implements SaleDesign {
  readonly #pool: Pool;

  /** `pool` has connections in pipeline mode. */
  constructor(pool: Pool) {
    this.#pool = pool;
  }

  hold(order: HoldOrder): Promise<HoldResult> {
    return this.#onLine(async (client) => {
      const refusal = refusalOfPlaces(order, await lockPlaces(client, order));
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
        client.query<HeldColumns>(lockHold(eventId, holdId)),
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

async function lockPlaces(
  client: PoolClient,
  { eventId, seats, areas }: HoldOrder,
): Promise<PlaceRows> {
  const begun = client.query("BEGIN");
  const locking = seats.length === 0 ? null : client.query<SeatRow>(lockSeats(eventId, seats));
  const areasLocking = areas.map(({ area }) => client.query<AreaRow>(lockArea(eventId, area)));
  const [, seatsLocked, ...areasLocked] = await Promise.all([begun, locking, ...areasLocking]);
  return { seats: seatsLocked?.rows ?? [], areas: areasLocked.flatMap(({ rows }) => rows) };
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
