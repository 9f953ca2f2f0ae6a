import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import {
  type CatalogueServer,
  startCatalogueServer,
} from "../../tests/support/catalogue-server.ts";
import { seedDemo } from "./seed-demo.ts";

const NOW_MS = Date.parse("2030-01-01T12:00:00Z");

describe("seedDemo", () => {
  let server: CatalogueServer;
  before(async () => {
    server = await startCatalogueServer();
  });
  after(() => server.close());

  const seed = () => seedDemo({ ...server, nowMs: NOW_MS });

  it("leaves nothing behind when the engine is busy, so the next start tries again", async () => {
    server.inventory.isBusy = true;
    await assert.rejects(seed(), { code: "busy" });
    assert.equal(await server.organizations.isEmpty(), true);
    server.inventory.isBusy = false;
  });

  it("makes two published events that can be bought on invoice, once", async () => {
    const demo = await seed();
    assert.deepEqual(
      demo?.events.map(({ title }) => title),
      ["The Tempest", "Night Shift"],
    );
    const { body } = await server.request("GET", "/events");
    const events = body.data as Record<string, unknown>[];
    assert.deepEqual(
      events.map(({ title, capacity, status, startsAt }) => [title, capacity, status, startsAt]),
      [
        ["Night Shift", 300, "published", "2030-01-29T18:30:00.000Z"],
        ["The Tempest", 1100, "published", "2030-02-12T18:30:00.000Z"],
      ],
    );
    const [first] = demo?.events ?? [];
    assert.ok(first !== undefined);
    assert.equal((await server.directory.get(first.eventId))?.allowInvoices, true);
    assert.equal(await seed(), null);
  });
});
