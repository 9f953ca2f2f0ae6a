import assert from "node:assert/strict";
import { after, before, beforeEach, describe, it } from "node:test";
import { KEY_TTL_MS } from "../../engine/limits.ts";
import {
  type Answer,
  type CatalogueServer,
  startCatalogueServer,
} from "../../tests/support/catalogue-server.ts";
import { systemClock } from "../../workers/clock.ts";
import { TokenSweep } from "../identity/token-sweep.ts";

describe("an idempotency key of an event's publishing and cancelling", () => {
  let server: CatalogueServer;
  let owner: string;
  let admin: string;
  let organizationId: string;
  before(async () => {
    server = await startCatalogueServer();
    owner = await server.customer("owner@example.com");
    admin = await server.admin();
    const body = { name: "Hall" };
    const created = await server.request("POST", "/organizations", { token: owner, body });
    organizationId = String(created.body.id);
  });
  after(() => server.close());
  beforeEach(() => {
    server.inventory.configured.length = 0;
    server.inventory.isBusy = false;
  });

  async function draft(): Promise<string> {
    const body = {
      organizationId,
      title: "Concert",
      startsAt: "2040-05-04T19:30:00Z",
      priceCategories: [{ key: "standing", name: "Standing", price: 3000 }],
      areas: [{ key: "floor", name: "Floor", capacity: 5, priceCategory: "standing" }],
    };
    return String((await server.request("POST", "/events", { token: owner, body })).body.id);
  }
  interface Asked {
    readonly key?: string;
    readonly token?: string;
    readonly body?: object;
  }
  const ask = (
    id: string,
    what: "publish" | "cancel",
    { key = "k", token = owner, ...given }: Asked = {},
  ) => {
    const headers = { "idempotency-key": key };
    return server.request("POST", `/events/${id}/${what}`, { token, headers, ...given });
  };
  const isReplay = ({ headers }: Answer) => headers.get("idempotent-replayed") === "true";
  const isReused = ({ status, body }: Answer) =>
    status === 422 && body.code === "idempotency_key_reused";
  const statusOf = async (id: string) => {
    const { body } = await server.request("GET", `/events/${id}`, { token: owner });
    return body.status;
  };
  const keptOf = async (id: string): Promise<number> => {
    const text = "SELECT FROM kept_outcomes WHERE event_id = $1";
    return (await server.pool.query(text, [id])).rowCount ?? 0;
  };

  it("answers with the first outcome again, whatever the event is by then", async () => {
    const id = await draft();
    const [published, cancelled] = [
      await ask(id, "publish"),
      await ask(id, "cancel", { key: "l" }),
    ];
    assert.deepEqual([published, cancelled].map(isReplay), [false, false]);
    const told = server.inventory.configured.length;
    const again = [await ask(id, "publish"), await ask(id, "cancel", { key: "l" })];
    assert.deepEqual(again.map(isReplay), [true, true]);
    assert.deepEqual(
      again.map(({ status, text }) => [status, text]),
      [published, cancelled].map(({ status, text }) => [status, text]),
    );
    assert.equal(server.inventory.configured.length, told);
  });

  it("is refused with another request, before that has begun", async () => {
    const id = await draft();
    assert.equal((await ask(id, "publish")).status, 200);
    assert.ok(isReused(await ask(id, "cancel")));
    assert.ok(isReused(await ask(id, "publish", { body: { other: true } })));
    assert.equal(await statusOf(id), "published");
    assert.equal(server.inventory.configured.length, 1);
  });

  it("is another one at another event, and somebody else's another one there", async () => {
    const [id, other] = [await draft(), await draft()];
    await ask(id, "publish");
    const [elsewhere, theirs] = [
      await ask(other, "publish"),
      await ask(id, "cancel", { token: admin }),
    ];
    assert.deepEqual([elsewhere, theirs].map(isReplay), [false, false]);
    assert.deepEqual([await statusOf(other), await statusOf(id)], ["published", "cancelled"]);
  });

  it("is kept of what has changed something, and of nothing else", async () => {
    const id = await draft();
    await ask(id, "publish", { key: "first" });
    // It is on sale already.
    const idle = await ask(id, "publish", { key: "second" });
    assert.deepEqual([idle.status, isReplay(idle)], [200, false]);
    assert.equal((await ask(id, "cancel", { key: "second" })).body.status, "cancelled");
    const refused = await ask(id, "publish", { key: "third" });
    assert.equal(refused.body.code, "event_cancelled");
    assert.equal(await keptOf(id), 2);
  });

  it("opens nothing to who may not ask, or may no more", async () => {
    const id = await draft();
    const helper = await server.customer("helper@example.com");
    const text = `INSERT INTO organization_members (organization_id, user_id, role)
      SELECT $1, id, 'organizer' FROM users WHERE email = 'helper@example.com'`;
    assert.equal((await ask(id, "publish", { token: helper })).body.code, "event_not_found");
    assert.equal(await keptOf(id), 0);
    await server.pool.query(text, [organizationId]);
    assert.equal((await ask(id, "publish", { token: helper })).status, 200);
    await server.pool.query(
      "UPDATE organization_members SET role = 'staff' WHERE role = 'organizer'",
    );
    assert.equal((await ask(id, "publish", { token: helper })).body.code, "forbidden");
    await server.request("DELETE", "/users/me", { token: helper });
    assert.equal(await keptOf(id), 0, "it goes with the account");
  });

  it("belongs to its request also while the outcome is not known", async () => {
    const id = await draft();
    server.inventory.isBusy = true;
    assert.equal((await ask(id, "publish")).status, 503);
    assert.ok(isReused(await ask(id, "cancel")));
    server.inventory.isBusy = false;
    const done = await ask(id, "publish");
    assert.deepEqual([done.status, isReplay(done)], [200, false]);
    assert.ok(isReplay(await ask(id, "publish")));
  });

  it("has the outcome after a crash in between, too", async () => {
    const id = await draft();
    await ask(id, "publish");
    // As if the process had ended before the outcome was kept.
    await server.pool.query(
      "UPDATE kept_outcomes SET first = NULL, status = NULL, body = NULL WHERE event_id = $1",
      [id],
    );
    assert.ok(isReused(await ask(id, "cancel")));
    const [done, again] = [await ask(id, "publish"), await ask(id, "publish")];
    assert.deepEqual([isReplay(done), isReplay(again)], [false, true]);
    assert.equal(again.text, done.text);
  });

  it("gives all who ask at once one outcome, and refuses who asks otherwise", async () => {
    const id = await draft();
    const meanwhile: Answer[] = [];
    server.inventory.meanwhile = async () => {
      meanwhile.push(await ask(id, "cancel"), await ask(id, "publish"));
    };
    const first = await ask(id, "publish");
    const [other, twin] = meanwhile;
    assert.ok(other !== undefined && isReused(other));
    assert.ok(twin !== undefined);
    assert.deepEqual([isReplay(twin), isReplay(first)], [false, true]);
    assert.equal(first.text, twin.text);
    assert.equal(await statusOf(id), "published");
  });

  it("does not call a change unmade that could not be kept", async () => {
    const id = await draft();
    const constraint = "ALTER TABLE kept_outcomes";
    await server.pool.query(`${constraint} ADD CONSTRAINT no_room CHECK (body IS NULL) NOT VALID`);
    const unknown = await ask(id, "publish");
    await server.pool.query(`${constraint} DROP CONSTRAINT no_room`);
    assert.equal(unknown.body.code, "timeout");
    assert.ok(isReused(await ask(id, "cancel")));
    assert.equal((await ask(id, "publish")).body.status, "published");
  });

  it("is forgotten when its time is over, and not before", async () => {
    const id = await draft();
    await ask(id, "publish");
    const log = { warn: assert.fail };
    const sweep = new TokenSweep({ database: server.database, clock: systemClock, log });
    const age =
      "UPDATE kept_outcomes SET at = now() - make_interval(secs => $2) WHERE event_id = $1";
    for (const [seconds, left] of [
      [KEY_TTL_MS / 1000 - 60, 1],
      [KEY_TTL_MS / 1000, 0],
    ] as const) {
      await server.pool.query(age, [id, seconds]);
      await sweep.sweep();
      assert.equal(await keptOf(id), left);
    }
  });
});
