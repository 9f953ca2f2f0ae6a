import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { Client } from "pg";
import { ALICE, EVENT_ID, EventBench } from "../engine/testing/fixtures.ts";
import { createTestDatabase } from "../tests/support/database.ts";
import { packFact } from "../workers/store/fact-bytes.ts";
import { PgActorLoader } from "../workers/store/pg-actor-loader.ts";
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

test("keys of before they shared rows keep their outcomes", async (t) => {
  const database = await createTestDatabase();
  const client = new Client({ connectionString: database.url });
  const loader = new PgActorLoader(database.url);
  t.after(async () => {
    await loader.close();
    await client.end();
    await database.drop();
  });
  await client.connect();
  // As it was before.
  await client.query("DROP TABLE key_blocks");
  await client.query(`CREATE TABLE idempotency_keys (event_id uuid, digest text, fingerprint text,
    seq bigint, at_ms bigint, fact bytea)`);
  const bench = new EventBench();
  bench.hold([0], ALICE, { digest: "one", fingerprint: "f" });
  bench.hold([1], ALICE, { digest: "two", fingerprint: "g" });
  const kept = bench.facts.slice(1);
  for (const fact of kept) {
    await client.query("INSERT INTO idempotency_keys VALUES ($1, $2, $3, $4, $5, $6)", [
      EVENT_ID,
      ...[fact.key?.digest, fact.key?.fingerprint, fact.seq, fact.atMs, packFact(fact)],
    ]);
  }
  await client.query(readFileSync(new URL("023.do.key-blocks.sql", import.meta.url), "utf8"));
  for (const fact of kept) {
    assert.deepEqual(await loader.loadOutcome(EVENT_ID, fact.seq), fact);
  }
});
