/**
 * Baseline (b): one conditional UPDATE … RETURNING that inserts the hold, too.
 *
 * What it does. A hold is one statement: it updates the seats that are free, or the area's counter
 * where there is room, and inserts the hold and the request's key for what it took. A booking is
 * one statement likewise. Each is a transaction by itself: no BEGIN, no COMMIT, one round trip.
 *
 * Why that is the fair form. The UPDATE checks the condition itself, so nobody reads first and
 * nothing is tried again. A second buyer of the row waits in PostgreSQL for the first one's commit
 * and then looks at the row anew (READ COMMITTED). Two statements in a transaction would keep the
 * row locked for two round trips more. What is left is that a row stays locked until its commit
 * is on disk: that is the price of the design, and of durability.
 */
import type { Pool } from "pg";
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
  isActive,
  isPartial,
  type SoldRow,
  soldOf,
  type Taking,
  type TakingIds,
  type Values,
} from "./statements.ts";

export class ConditionalUpdate implements SaleDesign {
  readonly #pool: Pool;

  constructor(pool: Pool) {
    this.#pool = pool;
  }

  async hold(order: HoldOrder): Promise<HoldResult> {
    const statement = holdStatement("hold", order, (values, ids) => takingsOf(order, values, ids));
    try {
      const { rows } = await this.#pool.query<{ seq: string }>(statement);
      const [made] = rows;
      return made === undefined ? AGAINST : { ok: true, seq: Number(made.seq) };
    } catch (error) {
      if (isPartial(error)) return AGAINST;
      throw error;
    }
  }

  async book(order: BookOrder): Promise<BookResult> {
    const statement = bookStatement("book", order, (values) => {
      const userId = values.add(order.userId, "uuid");
      const nowMs = values.add(order.nowMs, "bigint");
      const mayOwe = values.add(order.invoiceAllowed, "boolean");
      return `user_id = ${userId} AND ${isActive(nowMs)} AND (${mayOwe} OR total_minor = 0)`;
    });
    const { rows } = await this.#pool.query<SoldRow>(statement);
    const [row] = rows;
    return row === undefined ? AGAINST : { ok: true, sold: soldOf(row) };
  }
}

function takingsOf(
  { seats, areas, nowMs, expiresAtMs }: HoldOrder,
  values: Values,
  { eventId, holdId }: TakingIds,
): Taking[] {
  const takings = areas.map(({ area, quantity }, n) => {
    const more = values.add(quantity, "integer");
    const text = `UPDATE baseline.areas SET taken = taken + ${more}
      WHERE event_id = ${eventId} AND area = ${values.add(area, "integer")}
        AND taken + ${more} <= capacity RETURNING area`;
    return { name: `area${n}`, text };
  });
  if (seats.length === 0) return takings;
  const until = values.add(expiresAtMs, "bigint");
  const text = `UPDATE baseline.seats SET hold_id = ${holdId}, until_ms = ${until}
    WHERE event_id = ${eventId} AND seat = ANY (${values.add(seats, "integer[]")})
      AND until_ms <= ${values.add(nowMs, "bigint")} RETURNING seat`;
  return [{ name: "seated", text }, ...takings];
}
