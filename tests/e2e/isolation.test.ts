/** A node on a database whose transactions are to be isolated more than it asks for. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { Client } from "pg";
import { migrate } from "../../sql/migrate.ts";
import { ApiClient } from "../support/client.ts";
import { createTestDatabase } from "../support/database.ts";
import { TestNode, until } from "../support/server.ts";
import { adminToken, ok, openStudio } from "../support/venue.ts";

/** Who changes what, and how its transaction is isolated. */
const NOTES = `
  CREATE TABLE seen (who text, level text);
  GRANT INSERT ON seen TO PUBLIC;
  CREATE FUNCTION see() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    INSERT INTO public.seen VALUES (TG_TABLE_NAME || ' by ' || current_setting('application_name'),
      current_setting('transaction_isolation'));
    RETURN NULL;
  END $$;
  CREATE TRIGGER see AFTER INSERT OR UPDATE OR DELETE ON shards EXECUTE FUNCTION see();
  CREATE TRIGGER see AFTER UPDATE ON events EXECUTE FUNCTION see();
  CREATE TRIGGER see AFTER DELETE ON outbox EXECUTE FUNCTION see();`;

test("every transaction reads what others have committed, whatever the database begins with", async (t) => {
  const database = await createTestDatabase();
  const client = new Client({ connectionString: database.url });
  await client.connect();
  const name = new URL(database.url).pathname.slice(1);
  await client.query(`ALTER DATABASE ${name} SET default_transaction_isolation = 'serializable'`);
  await client.query("DROP SCHEMA public CASCADE; CREATE SCHEMA public");
  // Whoever waits for the first one finds what that has done.
  await Promise.all([migrate(database.url), migrate(database.url)]);
  await client.query(NOTES);
  const node = await TestNode.start({}, database);
  const api = new ApiClient(() => node.url);
  t.after(async () => {
    api.close();
    await client.end();
    await node.remove();
  });
  const event = await openStudio(api);
  const token = await adminToken(api);
  const edits = Array.from({ length: 8 }, (_, n) => {
    const body = { title: `Evening ${n}`, venue: { name: `Hall ${n}` } };
    return api.patch(`/api/v1/events/${event.id}`, { token, body });
  });
  for (const edited of await Promise.all(edits)) ok(edited);
  const seen = async (): Promise<string[]> => {
    const { rows } = await client.query("SELECT DISTINCT who, level FROM seen ORDER BY who");
    return rows.map(({ who, level }) => `${who}: ${level}`);
  };
  const all = [
    "events by : read committed",
    "outbox by evently notifier: read committed",
    "shards by : read committed",
    "shards by evently projector: read committed",
  ];
  await until("all have been seen", async () => (await seen()).length >= all.length);
  assert.deepEqual(await seen(), all);
});
