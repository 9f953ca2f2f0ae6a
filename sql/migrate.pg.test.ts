import assert from "node:assert/strict";
import { test } from "node:test";
import { Client } from "pg";
import { createTestDatabase } from "../tests/support/database.ts";
import { migrate } from "./migrate.ts";

test("starts that migrate at once do not collide, and a second run does nothing", async () => {
  const database = await createTestDatabase();
  const client = new Client({ connectionString: database.url });
  await client.connect();
  await client.query("DROP SCHEMA public CASCADE; CREATE SCHEMA public");
  await Promise.all([migrate(database.url), migrate(database.url), migrate(database.url)]);
  const versions = "SELECT version FROM schema_versions WHERE version > 0 ORDER BY version";
  const before = await client.query(versions);
  assert.ok(before.rows.length >= 2);
  await migrate(database.url);
  assert.deepEqual((await client.query(versions)).rows, before.rows);
  await client.end();
  await database.drop();
});

test("a file that changed after it ran, and a newer schema, are refused", async () => {
  const database = await createTestDatabase();
  const client = new Client({ connectionString: database.url });
  await client.connect();
  await client.query("UPDATE schema_versions SET md5 = 'other' WHERE version = 1");
  await assert.rejects(migrate(database.url), { code: "migration_failed", message: /MD5/ });
  await client.query("INSERT INTO schema_versions (version, name) VALUES (9999, 'later')");
  await assert.rejects(migrate(database.url), { code: "migration_failed", message: /newer/ });
  await client.end();
  await database.drop();
});
