import assert from "node:assert/strict";
import { test } from "node:test";
import { Client } from "pg";
import { createTestDatabase } from "../../tests/support/database.ts";
import { PostgresWatch } from "./postgres-watch.ts";

test("transactions that write are counted, with what they wrote", async (t) => {
  const database = await createTestDatabase();
  const client = new Client({ connectionString: database.url });
  await client.connect();
  t.after(async () => {
    await client.end();
    await database.drop();
  });
  await client.query("CREATE TABLE written (n integer)");
  const watch = await PostgresWatch.start(database.url);
  for (let n = 0; n < 5; n += 1) await client.query("INSERT INTO written VALUES ($1)", [n]);
  const { transactions, walSyncs, walBytes } = await watch.stop();
  // Other tests may write to the same server.
  assert.ok(transactions >= 5, `${transactions} transactions`);
  assert.ok(walBytes > 0 && walSyncs >= 0, `${walBytes} bytes, ${walSyncs} syncs`);
});
