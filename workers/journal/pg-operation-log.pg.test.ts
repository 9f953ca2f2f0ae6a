import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:net";
import { after, beforeEach, test } from "node:test";
import { Client } from "pg";
import { createTestDatabase } from "../../tests/support/database.ts";
import { entry } from "../../tests/support/journal-fixture.ts";
import { acquireAt, logPorts } from "../../tests/support/log-fixture.ts";
import { until } from "../../tests/support/server.ts";
import { type OwnedShard, PgShardTable } from "../store/shard-table.ts";
import { type LogRow, OperationLogRefused } from "./operation-log.ts";
import { PgJournal } from "./pg-journal.ts";
import { PgOperationLog } from "./pg-operation-log.ts";

const database = await createTestDatabase();
const observer = new Client({ connectionString: database.url });
await observer.connect();
const logs: PgOperationLog[] = [];
const openLog = (statementMs?: number): PgOperationLog => {
  const log = new PgOperationLog(database.url, statementMs);
  logs.push(log);
  return log;
};
after(async () => {
  await Promise.all(logs.map((log) => log.close()));
  await observer.end();
  await database.drop();
});

beforeEach(async () => {
  await observer.query("TRUNCATE shards, operation_log, operation_log_ends");
});

/** Shards 0 and 1, taken over, with nothing in them. */
const acquire = (): Promise<OwnedShard[]> => new PgShardTable(database.url).acquire(2);

const row = (shard: number, epoch: number, firstLsn: number, lastLsn = firstLsn): LogRow => ({
  shard,
  epoch,
  firstLsn,
  lastLsn,
  entries: Buffer.from(`${shard}:${firstLsn}-${lastLsn}`),
});

/** shard:first-last of every row, as it is written in its entries. */
async function rowsThere(): Promise<string[]> {
  const { rows } = await observer.query<{ entries: Buffer }>(
    "SELECT entries FROM operation_log ORDER BY shard, first_lsn",
  );
  return rows.map(({ entries }) => entries.toString());
}

async function endsThere(): Promise<string[]> {
  const { rows } = await observer.query<{ text: string }>(
    `SELECT shard || '@' || epoch || ':' || last_lsn AS text FROM operation_log_ends
     ORDER BY shard`,
  );
  return rows.map(({ text }) => text);
}

const isTrue = (): boolean => true;
const isFalse = (): boolean => false;

/** Holds the end of shard 0 until the returned function is called. */
async function holdEnd(): Promise<() => Promise<void>> {
  const holder = new Client({ connectionString: database.url });
  await holder.connect();
  await holder.query("BEGIN");
  await holder.query("SELECT FROM operation_log_ends WHERE shard = 0 FOR UPDATE");
  return async () => {
    await holder.query("COMMIT");
    await holder.end();
  };
}

/** Statements of the log, or of whoever takes over, that wait for a lock. */
async function waiting(): Promise<number> {
  const { rows } = await observer.query<{ count: string }>(
    `SELECT count(*) FROM pg_stat_activity
     WHERE datname = current_database() AND wait_event_type = 'Lock'`,
  );
  return Number(rows[0]?.count);
}

/** An append whose connection is gone, and which PostgreSQL has yet to finish. */
async function orphan(rows: readonly LogRow[]): Promise<void> {
  const before = await waiting();
  const log = openLog();
  const lost = assert.rejects(log.append(rows), /Connection terminated/);
  await until("the append waits", async () => (await waiting()) > before);
  await log.close();
  await lost;
}

test("each shard advances if its end is where its row begins, and only then", async () => {
  await acquire();
  const log = openLog();
  assert.deepEqual([...(await log.append([row(0, 1, 1, 3), row(1, 1, 1)]))].sort(), [0, 1]);
  assert.deepEqual(await log.append([row(0, 1, 4), row(1, 1, 3)]), [0]);
  assert.deepEqual(await log.append([row(0, 1, 4), row(1, 1, 2)]), [1]);
  assert.deepEqual(await log.append([row(0, 1, 3), row(1, 1, 2)]), []);
  assert.deepEqual(await log.append([row(7, 1, 1)]), []);
  assert.deepEqual(await rowsThere(), ["0:1-3", "0:4-4", "1:1-1", "1:2-2"]);
  assert.deepEqual(await endsThere(), ["0@1:4", "1@1:2"]);
  assert.deepEqual(await log.ends(), [
    { shard: 0, epoch: 1, lastLsn: 4 },
    { shard: 1, epoch: 1, lastLsn: 2 },
  ]);
});

test("an earlier owner appends nothing any more, and its journal ends the process", async () => {
  const ports = logPorts(database.url);
  logs.push(ports.log as PgOperationLog);
  const { journal } = await PgJournal.open(ports, await acquire());
  await acquire();
  journal.append([entry(0, 1)], () => assert.fail("done"));
  await until("it died", () => ports.deaths.length > 0);
  assert.match(String(ports.deaths[0]?.cause), /shard 0 is at epoch 2, we are at 1/);
  assert.deepEqual(await rowsThere(), []);
});

test("who takes over waits for appends that are under way, and knows of them", async () => {
  await acquire();
  const release = await holdEnd();
  await orphan([row(0, 1, 1, 2)]);
  const taken = acquire();
  await until("who takes over waits, too", async () => (await waiting()) === 2);
  await release();
  await taken;
  assert.deepEqual(await endsThere(), ["0@2:2", "1@2:0"]);
  assert.deepEqual(await rowsThere(), ["0:1-2"]);
});

test("who takes over and who appends never wait for each other", async () => {
  await acquire();
  const writer = new Client({ connectionString: database.url });
  await writer.connect();
  await writer.query("BEGIN");
  await writer.query("UPDATE operation_log_ends SET last_lsn = 5 WHERE shard = 1");
  const taken = acquire();
  await until("who takes over waits", async () => (await waiting()) === 1);
  await writer.query("UPDATE operation_log_ends SET last_lsn = 4 WHERE shard = 0");
  await writer.query("COMMIT");
  await writer.end();
  await taken;
  assert.deepEqual(await endsThere(), ["0@2:4", "1@2:5"]);
});

test("an append that was forgotten is in once, when it is sent again meanwhile", async () => {
  await acquire();
  const release = await holdEnd();
  await orphan([row(0, 1, 1), row(1, 1, 1)]);
  const log = openLog();
  const again = log.append([row(0, 1, 1), row(1, 1, 1)]);
  await until("both wait", async () => (await waiting()) === 2);
  await release();
  assert.deepEqual(await again, []);
  assert.deepEqual(await rowsThere(), ["0:1-1", "1:1-1"]);
  assert.deepEqual(await endsThere(), ["0@1:1", "1@1:1"]);
});

test("the ends are told after appends that are under way", async () => {
  await acquire();
  const release = await holdEnd();
  await orphan([row(0, 1, 1)]);
  const ends = openLog().ends();
  await until("both wait", async () => (await waiting()) === 2);
  await release();
  assert.deepEqual((await ends)[0], { shard: 0, epoch: 1, lastLsn: 1 });
});

test("a projection that is under way holds up no append", async () => {
  await acquire();
  const projection = new Client({ connectionString: database.url });
  await projection.connect();
  await projection.query("BEGIN; UPDATE shards SET applied_lsn = applied_lsn");
  assert.deepEqual(await openLog().append([row(0, 1, 1)]), [0]);
  await projection.query("ROLLBACK");
  await projection.end();
});

test("a journal whose connections are cut goes on, and has everything once", async () => {
  const ports = logPorts(database.url);
  const { journal } = await PgJournal.open(ports, await acquire());
  let durable = 0;
  for (let lsn = 1; lsn <= 40; lsn += 1) {
    const isBegun = journal.append([entry(0, lsn), entry(1, lsn)], () => {
      durable = lsn;
    });
    assert(isBegun);
    if (lsn % 5 === 0) {
      await observer.query(
        `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
         WHERE datname = current_database() AND application_name = 'evently journal'`,
      );
    }
    await until(`lsn ${lsn} is durable`, () => durable === lsn);
  }
  assert.deepEqual(ports.deaths, []);
  assert.deepEqual(await endsThere(), ["0@1:40", "1@1:40"]);
  journal.close();
  await journal.closed;
  const { rows } = await observer.query("SELECT FROM operation_log");
  assert.equal(rows.length, 80);
});

test("a statement that waits too long is given up, and the next one finds another way", async () => {
  await acquire();
  const log = openLog(100);
  const release = await holdEnd();
  await assert.rejects(log.append([row(0, 1, 1)]), /timeout/);
  await release();
  const silent = createServer();
  silent.listen(0, "127.0.0.1");
  await once(silent, "listening");
  const address = silent.address();
  const port = typeof address === "object" ? address?.port : 0;
  const lost = new PgOperationLog(`postgres://nobody@127.0.0.1:${port}/none`, 100);
  await assert.rejects(lost.append([row(0, 1, 1)]), /timeout/);
  await lost.close();
  silent.close();
  const isAnswered = (): Promise<boolean> => log.append([row(0, 1, 1)]).then(isTrue, isFalse);
  await until("an append is answered", isAnswered);
  assert.deepEqual(await rowsThere(), ["0:1-1"]);
});

test("what no second try changes is said to be so", async () => {
  await acquire();
  await observer.query("INSERT INTO operation_log VALUES (0, 1, 1, 1, '')");
  await assert.rejects(openLog().append([row(0, 1, 1)]), OperationLogRefused);
  assert.deepEqual((await endsThere())[0], "0@1:0");
});

test("the tail is read in pages, from the row that lies across the watermark on", async () => {
  await acquire();
  await observer.query(
    `INSERT INTO operation_log SELECT 0, n * 3 - 2, n * 3, 1, convert_to(n::text, 'UTF8')
     FROM generate_series(1, 2500) AS n`,
  );
  await observer.query("INSERT INTO operation_log VALUES (1, 1, 1, 1, 'other')");
  const log = openLog();
  const pages: number[] = [];
  const after = new Map([
    [0, 5],
    [1, 0],
  ]);
  let first: LogRow | undefined;
  for (;;) {
    const page = await log.readTail([...after]);
    if (page.length === 0) break;
    first ??= page[0];
    for (const { shard, firstLsn, lastLsn } of page) {
      assert(firstLsn <= (after.get(shard) ?? 0) + 1);
      after.set(shard, lastLsn);
    }
    pages.push(page.length);
  }
  assert.deepEqual([first?.firstLsn, first?.lastLsn], [4, 6]);
  assert.deepEqual(pages, [1_000, 1_000, 500]);
  assert.deepEqual(
    [...after],
    [
      [0, 7_500],
      [1, 1],
    ],
  );
});

test("a page of big rows is as big as a frame at most, and one row at least", async () => {
  await acquire();
  await observer.query(
    `INSERT INTO operation_log SELECT 0, n, n, 1, convert_to(repeat('x', 3000000), 'UTF8')
     FROM generate_series(1, 3) AS n`,
  );
  const log = openLog();
  assert.equal((await log.readTail([[0, 0]])).length, 2);
  assert.equal((await log.readTail([[0, 2]])).length, 1);
  await observer.query(
    "UPDATE operation_log SET entries = convert_to(repeat('x', 9000000), 'UTF8')",
  );
  assert.equal((await log.readTail([[0, 0]])).length, 1);
});

test("what ends at or before a watermark is deleted, a bounded number at a time", async () => {
  await acquire();
  await observer.query(
    `INSERT INTO operation_log SELECT shard, n * 2 - 1, n * 2, 1, ''
     FROM generate_series(1, 1500) AS n, generate_series(0, 1) AS shard`,
  );
  const log = openLog();
  const counts: number[] = [];
  const count = async (): Promise<void> => {
    counts.push((await observer.query("SELECT FROM operation_log")).rows.length);
  };
  assert.equal(await log.retire([[0, 3]]), false);
  await count();
  assert.equal(
    await log.retire([
      [0, 3_000],
      [1, 2_999],
    ]),
    true,
  );
  await count();
  assert.equal(
    await log.retire([
      [0, 3_000],
      [1, 2_999],
    ]),
    false,
  );
  await count();
  assert.equal(await log.retire([[1, 3_000]]), false);
  await count();
  assert.deepEqual(counts, [2_999, 999, 1, 0]);
});

test("after a time under ACK_MODE=journal the log begins where the projection is", async () => {
  await acquireAt(database.url, 2, [[0, 700]]);
  assert.deepEqual(await endsThere(), ["0@1:700", "1@1:0"]);
  assert.deepEqual(await openLog().append([row(0, 1, 701)]), [0]);
  await acquireAt(database.url, 2, [[0, 650]]);
  assert.deepEqual((await endsThere())[0], "0@2:701");
  await acquireAt(database.url, 2, [[0, 900]]);
  assert.deepEqual((await endsThere())[0], "0@3:900");
});
