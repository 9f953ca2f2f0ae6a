import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { Client } from "pg";
import { EVENT_ID } from "../../engine/testing/fixtures.ts";
import { createTestDatabase, type TestDatabase } from "../../tests/support/database.ts";
import { type DatabaseProxy, databaseProxy } from "../../tests/support/database-proxy.ts";
import { until } from "../../tests/support/server.ts";
import { PgActorLoader } from "./pg-actor-loader.ts";

let database: TestDatabase;
let proxy: DatabaseProxy;
let client: Client;
let loader: PgActorLoader;

before(async () => {
  database = await createTestDatabase();
  proxy = await databaseProxy(database.url);
  client = new Client({ connectionString: database.url });
  await client.connect();
  loader = new PgActorLoader(proxy.url);
});

after(async () => {
  await Promise.all([loader.close(), client.end()]);
  proxy.close();
  await database.drop();
});

/** Somebody waits for the lock on a table. */
async function isWaitedFor(): Promise<boolean> {
  const { rows } = await client.query("SELECT 1 FROM pg_locks WHERE NOT granted");
  return rows.length > 0;
}

// The driver tells a connection in use of its end beside the query that fails: whoever does not
// listen, ends the process.
for (const table of ["inventories", "holds"]) {
  test(`a connection that is cut while ${table} are read fails that load alone`, async () => {
    await client.query(`
      INSERT INTO inventories
        (event_id, seq, status, currency, definition, seat_categories, seat_map, seats_free)
      VALUES ('${EVENT_ID}', 1, 'published', 'EUR', '{"areas": []}', '', '', 0)
      ON CONFLICT DO NOTHING`);
    await client.query("BEGIN");
    await client.query(`LOCK TABLE ${table} IN ACCESS EXCLUSIVE MODE`);
    const load = loader.load(EVENT_ID);
    const failed = assert.rejects(load, /terminated|ECONNRESET/);
    await until("the load waits", isWaitedFor);
    proxy.cut();
    await failed;
    await client.query("ROLLBACK");
    assert.equal((await loader.load(EVENT_ID)).seq, 1);
    assert.deepEqual(await loader.eventsToWake(), []);
  });
}
