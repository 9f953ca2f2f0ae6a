import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { DATABASE_WAITS_MAX } from "../engine/limits.ts";
import { createTestDatabase, type TestDatabase } from "../tests/support/database.ts";
import { DatabasePool } from "./database-pool.ts";
import { ProblemError } from "./http/problem.ts";

let database: TestDatabase;
let pool: DatabasePool;
before(async () => {
  database = await createTestDatabase();
  pool = new DatabasePool({
    connectionString: database.url,
    max: 1,
    connectionTimeoutMillis: 20_000,
  });
});
after(async () => {
  await pool.end();
  await database.drop();
});

const isBusy = (error: unknown): boolean => error instanceof ProblemError && error.code === "busy";

test("one more than may wait for a connection is busy at once; those who wait get theirs", async () => {
  const taken = await pool.connect();
  const waiting = Array.from({ length: DATABASE_WAITS_MAX }, (_, n) =>
    pool.query<{ n: number }>("SELECT $1::int AS n", [n]),
  );
  // The only connection is taken, so these can only end before anybody had it.
  await assert.rejects(pool.query("SELECT 1"), isBusy);
  await assert.rejects(pool.connect(), isBusy);
  taken.release();
  const results = await Promise.all(waiting);
  assert.deepEqual(
    results.map(({ rows }) => rows[0]?.n),
    waiting.map((_, n) => n),
  );
  assert.equal(pool.waitingCount, 0);
});

test("while PostgreSQL is away, nobody waits for it; afterwards everybody gets a connection", async () => {
  const taken = await pool.connect();
  const waiting = [pool.query("SELECT 1"), pool.connect()];
  pool.setAway(true);
  for (const one of waiting) await assert.rejects(one, isBusy);
  await assert.rejects(pool.query("SELECT 1"), isBusy);
  taken.release();
  await assert.rejects(pool.connect(), isBusy);
  pool.setAway(false);
  // What was kept for the refused ones has come back, or this would wait for ever.
  assert.equal((await pool.query("SELECT 1")).rowCount, 1);
  assert.equal(pool.idleCount, 1);
});

test("what waits for PostgreSQL elsewhere is busy as soon as that is away, and not begun then", async () => {
  assert.equal(await pool.whileThere(async () => 1), 1);
  const endless = pool.whileThere(() => new Promise(() => undefined));
  pool.setAway(true);
  await assert.rejects(endless, isBusy);
  let begun = 0;
  await assert.rejects(
    pool.whileThere(async () => {
      begun += 1;
    }),
    isBusy,
  );
  assert.equal(begun, 0);
  pool.setAway(false);
});
