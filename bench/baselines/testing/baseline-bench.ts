/** A baseline without a gateway: one event on a database of its own, and a clock. */

import type { CommandKey } from "../../../engine/facts.ts";
import { type BookingId, type HoldId, IdMinter, type UserId } from "../../../engine/ids.ts";
import type { Place } from "../../../engine/place.ts";
import { CommandDrafts } from "../../../engine/testing/command-drafts.ts";
import { ALICE, definition, EVENT_ID, NOON, TAG } from "../../../engine/testing/fixtures.ts";
import { createTestDatabase } from "../../../tests/support/database.ts";
import type { Answer, Operation } from "../../../workers/shard-messages.ts";
import { BaselineRouter } from "../baseline-router.ts";
import { type RunningDesign, type SqlKind, startDesign } from "../design-of.ts";
import { auditBooks, readBooks, totalsOf } from "../sale-books.ts";
import { SaleStore } from "../sale-store.ts";
import { createBaselineSchema } from "../schema.ts";

export class BaselineBench {
  nowMs = NOON;
  readonly errors: string[] = [];
  readonly running: RunningDesign;
  readonly router: BaselineRouter;
  readonly #store: SaleStore;
  readonly #drop: () => Promise<void>;
  readonly #drafts = new CommandDrafts({
    tag: TAG,
    minter: new IdMinter(7),
    nowMs: () => this.nowMs,
  });

  private constructor(running: RunningDesign, drop: () => Promise<void>) {
    this.running = running;
    this.#drop = drop;
    this.#store = new SaleStore(running.pool);
    this.router = new BaselineRouter({
      design: running.design,
      store: this.#store,
      logError: (message, cause) => this.errors.push(`${message}: ${String(cause)}`),
      now: () => this.nowMs,
    });
  }

  /** Ten seats of two categories, and an area of five. */
  static async start(kind: SqlKind): Promise<BaselineBench> {
    const database = await createTestDatabase();
    await createBaselineSchema(database.url);
    const running = await startDesign(kind, database.url);
    const bench = new BaselineBench(running, () => database.drop());
    await bench.router.configure(definition());
    return bench;
  }

  async stop(): Promise<void> {
    await this.running.stop();
    await this.#drop();
  }

  ask(operation: Operation): Promise<Answer> {
    return new Promise((resolve, reject) => {
      this.router.execute(EVENT_ID, operation, (answer) => {
        if (answer.kind === "timeout") reject(new Error("a baseline has no timeout"));
        else resolve(answer);
      });
    });
  }

  hold(places: readonly Place[], userId: UserId = ALICE, key: CommandKey | null = null) {
    return this.ask(this.#drafts.hold(places, userId, key));
  }

  book(holdId: HoldId, userId: UserId = ALICE, key: CommandKey | null = null) {
    return this.ask(this.#drafts.book(holdId, userId, key));
  }

  release(holdId: HoldId, userId: UserId = ALICE) {
    return this.ask({ kind: "release", holdId, userId });
  }

  extend(holdId: HoldId, userId: UserId = ALICE) {
    return this.ask({ kind: "extend", holdId, userId, key: null });
  }

  /** The hold's id; throws when it is refused. */
  async held(places: readonly Place[], userId: UserId = ALICE): Promise<HoldId> {
    const answer = await this.hold(places, userId);
    if (answer.kind === "done" && answer.fact.kind === "held") return answer.fact.holdId;
    throw new Error(`not held: ${JSON.stringify(answer)}`);
  }

  /** The booking's id; throws when it is refused. */
  async booked(holdId: HoldId, userId: UserId = ALICE): Promise<BookingId> {
    const answer = await this.book(holdId, userId);
    if (answer.kind === "done" && answer.fact.kind === "booked") {
      return answer.fact.booking.bookingId;
    }
    throw new Error(`not booked: ${JSON.stringify(answer)}`);
  }

  async totals() {
    await this.#store.reclaim(EVENT_ID, this.nowMs);
    return totalsOf(await readBooks(this.running.pool, EVENT_ID, this.nowMs));
  }

  /** How a prepared statement is carried out. Some connection has to have run it. */
  async planOf(name: string): Promise<string> {
    const { max } = this.running.pool.options;
    const clients = await Promise.all(
      Array.from({ length: max }, () => this.running.pool.connect()),
    );
    try {
      for (const client of clients) {
        const { rows } = await client.query<{ types: string[] }>(
          "SELECT parameter_types::text[] AS types FROM pg_prepared_statements WHERE name = $1",
          [name],
        );
        const [prepared] = rows;
        if (prepared === undefined) continue;
        const values = prepared.types.map((type) => `NULL::${type}`).join(", ");
        const plan = await client.query<{ "QUERY PLAN": string }>(
          `EXPLAIN EXECUTE "${name}" (${values})`,
        );
        return plan.rows.map((row) => row["QUERY PLAN"]).join("\n");
      }
    } finally {
      for (const client of clients) client.release();
    }
    throw new Error(`no connection knows the statement ${name}`);
  }

  /**
   * The next `times` writes of a hold are broken off as PostgreSQL breaks off who waits for
   * another that waits for it. A sequence counts them, as it outlives what is undone.
   */
  async breakOff(times: number): Promise<void> {
    await this.running.pool.query(`
      CREATE SEQUENCE IF NOT EXISTS broken_off;
      SELECT setval('broken_off', 1, false);
      CREATE OR REPLACE FUNCTION break_off() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
          IF nextval('broken_off') <= ${times} THEN
            RAISE EXCEPTION 'deadlock detected' USING ERRCODE = 'deadlock_detected';
          END IF;
          RETURN NEW;
        END $$;
      CREATE OR REPLACE TRIGGER break_off BEFORE INSERT OR UPDATE ON baseline.holds
        FOR EACH ROW EXECUTE FUNCTION break_off();`);
  }

  /** Since `breakOff`, with those that were broken off. */
  async writesOfHolds(): Promise<number> {
    const { rows } = await this.running.pool.query<{ last_value: string }>(
      "SELECT last_value FROM broken_off",
    );
    return Number(rows[0]?.last_value);
  }

  /** What does not add up. */
  drift(): Promise<string[]> {
    return auditBooks(this.running.pool, EVENT_ID, this.nowMs);
  }
}

/** `held`, `booked` … where something was done, else the code of the refusal. */
export function outcomeOf(answer: Answer): string {
  if (answer.kind === "done") return answer.fact.kind;
  return answer.kind === "refused" ? answer.refusal.code : answer.kind;
}
