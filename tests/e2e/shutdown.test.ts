/** How a node ends: drained and with 0 when it is asked to, with one line when it can't start. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { ApiClient, LiveClient } from "../support/client.ts";
import { StartFailed, TestNode, until } from "../support/server.ts";
import type { BookingShape, HoldShape, Page } from "../support/shapes.ts";
import { auditOf, guestToken, ok, openStudio } from "../support/venue.ts";

const AREA = { key: "floor", name: "Floor", capacity: 100_000, priceCategory: "standing" };

test("SIGTERM under load: what was accepted is answered and kept, and the exit is clean", async () => {
  const node = await TestNode.start();
  const api = new ApiClient(() => node.url, 64);
  try {
    const event = await openStudio(api, { areas: [AREA], limits: { perUser: 100_000 } });
    const token = await guestToken(api);
    const live = await LiveClient.open(node.url);
    const held: HoldShape[] = [];
    const others = new Set<string>();
    const path = `/api/v1/events/${event.id}/holds`;
    const body = { items: [{ area: "floor", quantity: 1 }] };
    let isUp = true;
    const load = Array.from({ length: 64 }, async () => {
      while (isUp) {
        const reply = await api.post<HoldShape>(path, { token, body }).catch((error: unknown) => {
          isUp = false;
          return error instanceof Error ? error : new Error(String(error));
        });
        if (reply instanceof Error) others.add("disconnected");
        else if (reply.status === 201) held.push(reply.body);
        else others.add(`${reply.status}`);
      }
    });
    await until("it is under load", () => held.length > 500);
    const exit = await node.stop();
    isUp = false;
    await Promise.all(load);
    assert.deepEqual(exit, { code: 0, signal: null });
    assert.deepEqual(
      [...others].filter((other) => other !== "disconnected" && other !== "503"),
      [],
    );
    assert.equal(await live.closed, 1001);
    assert.deepEqual(node.errors, []);

    await node.start();
    const audit = await auditOf(api, event.id);
    assert.ok(audit.memory.held >= held.length, "every acknowledged hold is kept");
    const last = held.at(-1);
    assert.deepEqual(ok(await api.get<HoldShape>(`/api/v1/holds/${last?.id}`, { token })), last);
  } finally {
    api.close();
    await node.remove();
  }
});

test("a stop projects what it accepted: the next start has nothing to recover", async () => {
  const node = await TestNode.start();
  const api = new ApiClient(() => node.url);
  try {
    const event = await openStudio(api);
    const token = await guestToken(api);
    const at = `/api/v1/events/${event.id}`;
    const items = [{ seat: "A-1" }];
    const { id } = ok(await api.post<HoldShape>(`${at}/holds`, { token, body: { items } }), 201);
    const body = { holdId: id, payment: { provider: "none" }, email: "a@example.org" };
    const booked = ok(await api.post<BookingShape>(`${at}/bookings`, { token, body }), 201);
    assert.deepEqual(await node.stop(), { code: 0, signal: null });
    await node.start();
    assert.deepEqual(node.logged("recovered"), []);
    const list = ok(await api.get<Page<BookingShape>>("/api/v1/bookings", { token }));
    assert.deepEqual(list.data, [booked]);
  } finally {
    api.close();
    await node.remove();
  }
});

test("a second process on the same directory is refused, and the first goes on", async () => {
  const node = await TestNode.start();
  try {
    await assert.rejects(
      TestNode.start({ DATA_DIR: node.dataDir, DATABASE_URL: node.databaseUrl }),
      (error: unknown) => {
        assert.ok(error instanceof StartFailed);
        assert.equal(error.exit.code, 1);
        assert.equal(error.stderr.trim().split("\n").length, 1, error.stderr);
        return true;
      },
    );
    const api = new ApiClient(() => node.url);
    ok(await api.get("/health/ready"));
    api.close();
  } finally {
    await node.remove();
  }
});

test("a malformed variable stops the start with one line that names it", async () => {
  for (const [name, value] of [
    ["PORT", "http"],
    ["LOG_LEVEL", "loud"],
    ["ADMIN_PASSWORD", ""],
  ] as const) {
    await assert.rejects(TestNode.start({ [name]: value }), (error: unknown) => {
      assert.ok(error instanceof StartFailed);
      assert.equal(error.exit.code, 2, error.stderr);
      assert.match(error.stderr, new RegExp(`^evently: .*\\b${name} .*accepts.*\\n$`));
      return true;
    });
  }
});
