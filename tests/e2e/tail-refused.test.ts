/** A journal's tail that PostgreSQL does not take: somebody has changed its rows by hand. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { Client } from "pg";
import { ApiClient } from "../support/client.ts";
import { StartFailed, TestNode } from "../support/server.ts";
import type { HoldShape } from "../support/shapes.ts";
import { auditOf, guestToken, ok, openStudio } from "../support/venue.ts";

let node: TestNode;
let api: ApiClient;
let rows: Client;
before(async () => {
  node = await TestNode.start();
  api = new ApiClient(() => node.url);
  rows = new Client({ connectionString: node.databaseUrl });
  await rows.connect();
});
after(async () => {
  await rows.end();
  api.close();
  await node.remove();
});

test("nobody is served before the rows are mended; then nothing is lost", async () => {
  const event = await openStudio(api);
  const token = await guestToken(api);
  const hold = async (seat: string): Promise<HoldShape> => {
    const ask = { token, body: { items: [{ seat }] } };
    return ok(await api.post<HoldShape>(`/api/v1/events/${event.id}/holds`, ask), 201);
  };
  const first = await hold("A-1");
  await auditOf(api, event.id);
  // Nothing is projected any more, and then the node is gone: the journal alone knows of A-2.
  await rows.query("BEGIN");
  await rows.query("LOCK TABLE shards");
  const second = await hold("A-2");
  await node.kill9();
  await rows.query("COMMIT");

  const move = "UPDATE inventories SET seq = seq + $2 WHERE event_id = $1";
  await rows.query(move, [event.id, 1]);
  for (let tries = 0; tries < 2; tries += 1) {
    await assert.rejects(node.start(), (error: StartFailed) => {
      assert.ok(error instanceof StartFailed);
      assert.deepEqual(error.exit, { code: 1, signal: null });
      assert.match(error.stderr, /^evently: the journal's tail does not fit the database: shard /m);
      return true;
    });
  }
  await rows.query(move, [event.id, -1]);
  await node.start();
  for (const { id, items } of [first, second]) {
    const found = ok(await api.get<HoldShape>(`/api/v1/holds/${id}`, { token }));
    assert.deepEqual(found.items, items);
  }
  await auditOf(api, event.id);
});
