/**
 * Owners are pg-operation-log.pg.test.ts's business. And one difference: what PostgreSQL has
 * projected moves the ends of the log, so an end before a watermark does not occur.
 */
import { after } from "node:test";
import { Client } from "pg";
import { assert } from "../../engine/assert.ts";
import { createTestDatabase } from "../../tests/support/database.ts";
import { SHARDS, testJournal } from "../../tests/support/journal-conformance.ts";
import { acquireAt, logPorts } from "../../tests/support/log-fixture.ts";
import { PgJournal } from "./pg-journal.ts";

const database = await createTestDatabase();
const client = new Client({ connectionString: database.url });
await client.connect();
after(async () => {
  await client.end();
  await database.drop();
});

testJournal("postgres", async (t) => {
  await client.query("TRUNCATE shards, operation_log, operation_log_ends");
  const open: PgJournal[] = [];
  let epoch = 0;
  t.after(async () => {
    for (const journal of open) journal.close();
    await Promise.all(open.map((journal) => journal.closed));
  });
  return {
    get epoch() {
      return epoch;
    },
    async open(watermarks = []) {
      const shards = await acquireAt(database.url, SHARDS, watermarks);
      epoch = shards[0]?.epoch ?? 0;
      const opened = await PgJournal.open(logPorts(database.url), shards);
      open.push(opened.journal);
      return opened;
    },
    async closed(journal) {
      assert(journal instanceof PgJournal, "it is one of ours");
      await journal.closed;
    },
    async obstruct() {
      await client.query("BEGIN");
      await client.query("LOCK TABLE operation_log_ends IN EXCLUSIVE MODE");
      return async () => {
        await client.query("COMMIT");
      };
    },
  };
});
