/** ACK_MODE=postgres, and PostgreSQL is out of the node's reach: what can't be done is refused. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { ApiClient } from "../support/client.ts";
import { createTestDatabase } from "../support/database.ts";
import { databaseProxy } from "../support/database-proxy.ts";
import { OPS_TOKEN, TestNode, until } from "../support/server.ts";
import type { HoldShape } from "../support/shapes.ts";
import { auditOf, guestToken, ok, openStudio } from "../support/venue.ts";

interface Told {
  readonly code?: string;
}

test("busy is told, though answers wait that PostgreSQL has not confirmed", async () => {
  const database = await createTestDatabase();
  const proxy = await databaseProxy(database.url);
  const env = { ACK_MODE: "postgres", DATABASE_URL: proxy.url };
  const node = await TestNode.start(env, database);
  const api = new ApiClient(() => node.url);
  try {
    const floor = { key: "floor", name: "Floor", capacity: 500, priceCategory: "standing" };
    const limits = { perOrder: 10, perUser: 500 };
    const { id: eventId } = await openStudio(api, { areas: [floor], limits });
    const token = await guestToken(api);
    const path = `/api/v1/events/${eventId}/holds`;
    const body = { items: [{ area: "floor", quantity: 1 }] };
    const hold = () => api.post<HoldShape & Told>(path, { token, body });
    const held = ok(await hold(), 201);

    proxy.isFrozen = true;
    const told: [status: number, code?: string][] = [];
    const asking: Promise<void>[] = [];
    const ask = (): void => {
      const answer = hold().then(({ status, body: { code } }) => {
        told.push(code === undefined ? [status] : [status, code]);
      });
      asking.push(answer);
    };
    // The first ones are on their way to PostgreSQL: they wait, as nobody knows their outcome.
    ask();
    await until("one is refused", async () => {
      ask();
      await new Promise((resolve) => setTimeout(resolve, 100));
      return told.length > 0;
    });
    for (const answer of told) assert.deepEqual(answer, [503, "busy"]);
    for (let times = 0; times < 3; times += 1) {
      const refused = [await hold(), await api.get<Told>(`/api/v1/holds/${held.id}`, { token })];
      for (const { status, body: problem } of refused) {
        assert.deepEqual([status, problem.code], [503, "busy"]);
      }
    }

    proxy.isFrozen = false;
    proxy.cut();
    await until("holds are taken again", async () => (await hold()).status === 201);
    await Promise.all(asking);
    ok(await api.get(`/api/v1/holds/${held.id}`, { token }));
    const audit = { token: OPS_TOKEN };
    await until("what reads the rows has a connection again", async () => {
      return (await api.get(`/ops/events/${eventId}/audit`, audit)).status === 200;
    });
    await auditOf(api, eventId);
  } finally {
    api.close();
    await node.remove();
    proxy.close();
  }
});
