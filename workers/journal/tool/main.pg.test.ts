/** The tool where PostgreSQL has what the journal no longer does. */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { Client } from "pg";
import { snapshotOf } from "../../../engine/snapshot.ts";
import { snapshotHash } from "../../../engine/snapshot-comparison.ts";
import { EVENT_ID } from "../../../engine/testing/fixtures.ts";
import { createTestDatabase, type TestDatabase } from "../../../tests/support/database.ts";
import {
  JournalBuilder,
  temporaryDirectory,
  writeSegment,
} from "../../../tests/support/journal-fixture.ts";
import { netEffectsOf } from "../../projector/net-effects.ts";
import { PgProjectionStore } from "../../projector/pg-projection-store.ts";
import { entriesEach, soldEvent } from "./testing/sold-event.ts";

const PROJECTED = 5;
const run = promisify(execFile);
const bench = soldEvent();

let database: TestDatabase;
before(async () => {
  database = await createTestDatabase();
  const client = new Client({ connectionString: database.url });
  await client.connect();
  await client.query("INSERT INTO shards (shard, epoch) VALUES (0, 1)");
  await client.end();
  const store = new PgProjectionStore(database.url);
  const facts = bench.facts.slice(0, PROJECTED);
  const bounds = { firstLsn: 1, lastLsn: PROJECTED, logicalMs: facts.at(-1)?.atMs ?? 0 };
  await store.apply({
    advances: [{ shard: 0, epoch: 1, ...bounds }],
    effects: netEffectsOf(facts.map((fact) => ({ eventId: EVENT_ID, fact }))),
  });
  await store.close();
});
after(() => database.drop());

async function tool(...args: string[]): Promise<string> {
  const main = fileURLToPath(new URL("./main.ts", import.meta.url));
  const { stdout } = await run(process.execPath, ["--import", "tsx", main, ...args]);
  return stdout;
}

test("replay begins with the rows of PostgreSQL, and verify asks it for the watermarks", async (t) => {
  const directory = temporaryDirectory(t);
  const entries = entriesEach(bench.facts.slice(3), { firstLsn: 4 });
  const frames = [{ base: new Map([[0, 3]]) }, { entries }];
  writeSegment(directory, 4, new JournalBuilder().segment(4, frames));
  const ask = ["--database", database.url];

  const replayed = await tool("replay", directory, "--event", EVENT_ID, ...ask, "--json");
  const report = JSON.parse(replayed) as Readonly<Record<string, unknown>>;
  assert.deepEqual(
    [report.seq, report.baseSeq, report.hash],
    [bench.facts.length, PROJECTED, snapshotHash(snapshotOf(bench.state))],
  );

  const verified = await tool("verify", directory, ...ask);
  assert.match(verified, /^verdict +clean\n/);
  assert.match(verified, /shard 0 +the journal reaches lsn 8, PostgreSQL has it to 5\n/);
  assert.match(verified, /would write the 3 entries that PostgreSQL lacks/);
});
