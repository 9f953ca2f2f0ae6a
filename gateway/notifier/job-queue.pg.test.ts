import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { JOB_BEGINNINGS_MAX } from "../../engine/lane-limits.ts";
import { createTestDatabase, type TestDatabase } from "../../tests/support/database.ts";
import { type OwnerRows, openOwnerRows } from "../../tests/support/owner-rows.ts";
import type { Queries, Scoped } from "../tenancy/database.ts";
import { type JobQueueOptions, PgJobQueue } from "./job-queue.ts";

let database: TestDatabase;
let rows: OwnerRows;
before(async () => {
  database = await createTestDatabase();
  rows = openOwnerRows(database.url);
});
after(async () => {
  await rows.end();
  await database.drop();
});

const LANE = "transactional";
const log = { warn: () => undefined };

function queueOf(options: Partial<JobQueueOptions> = {}): PgJobQueue {
  return new PgJobQueue({ rows, laneOf: () => LANE, log, ...options });
}

/** The next process; what it takes, and does not end, was begun when it died. */
async function started(): Promise<PgJobQueue> {
  const queue = queueOf();
  await queue.start();
  return queue;
}

const jobNamed = (key: string) => ({ kind: "mail", key, data: { word: key } });

async function taken(queue: PgJobQueue): Promise<unknown[]> {
  return (await queue.take(LANE, 10)).map(({ key, begunBefore }) => ({ key, begunBefore }));
}

/** Ways to PostgreSQL that end as soon as a statement is `sent`. */
function endingAt(sent: RegExp): Scoped {
  const ending = (line: Queries): Queries => ({
    query: (statement, values) => {
      const text = typeof statement === "string" ? statement : statement.text;
      if (sent.test(text)) throw new Error("Connection terminated unexpectedly");
      return line.query(statement, values);
    },
  });
  return { ...ending(rows), transaction: (work) => rows.transaction((to) => work(ending(to))) };
}

test("a start that ends while it gives back what was begun loses nothing", async () => {
  const first = await started();
  await first.add([jobNamed("orphan")]);
  assert.equal((await first.take(LANE, 10)).length, 1);
  await first.stop();
  const second = queueOf({ rows: endingAt(/SET completed_on = NULL/) });
  await assert.rejects(second.start(), /terminated/);
  await second.stop();
  const third = await started();
  assert.deepEqual(await taken(third), [{ key: "orphan", begunBefore: 1 }]);
  await third.stop();
  // As an earlier version has left it.
  await rows.query("UPDATE jobs.job SET state = 'cancelled', completed_on = now()");
  const fourth = await started();
  const [job] = await fourth.take(LANE, 10);
  assert.equal(job?.begunBefore, 2);
  await fourth.done(LANE, [job.id]);
  await fourth.stop();
});

test("a job that ends every process that begins it is buried at the bound", async () => {
  const begun: unknown[] = [];
  for (let process = 0; process <= JOB_BEGINNINGS_MAX; process += 1) {
    const queue = await started();
    if (process === 0) await queue.add([jobNamed("poison")]);
    begun.push(...(await taken(queue)));
    await queue.stop();
  }
  const times = Array.from({ length: JOB_BEGINNINGS_MAX }, (_, n) => n);
  assert.deepEqual(
    begun,
    times.map((begunBefore) => ({ key: "poison", begunBefore })),
  );
  const { rows: letters } = await rows.query(
    "SELECT lane, kind, key, data, reason FROM dead_letters",
  );
  assert.deepEqual(letters, [
    {
      lane: LANE,
      ...jobNamed("poison"),
      reason: "every process that began it ended before it did",
    },
  ]);
});
