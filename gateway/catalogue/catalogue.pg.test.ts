import assert from "node:assert/strict";
import { after, before, beforeEach, describe, it } from "node:test";
import { parseEventId } from "../../engine/ids.ts";
import {
  type CatalogueServer,
  startCatalogueServer,
} from "../../tests/support/catalogue-server.ts";

const PLAN = {
  name: "Hall",
  categories: [{ name: "Stalls" }],
  zones: [
    {
      name: "Ground",
      position: { x: 10, y: 0 },
      rows: [
        {
          row_number: "A",
          seats: [
            { seat_guid: "A-1", seat_number: "1", category: "Stalls", position: { x: 1, y: 2 } },
            { seat_guid: "A-2", seat_number: "2", category: "Stalls", position: { x: 2, y: 2 } },
          ],
        },
      ],
    },
  ],
};

const CONCERT = {
  title: "Concert",
  description: "100% jazz",
  category: "music",
  tags: ["jazz", "live"],
  venue: { name: "Hall", city: "Berlin", country: "DE", location: { lat: 52.5, lng: 13.4 } },
  startsAt: "2030-05-04T19:30:00+02:00",
  endsAt: "2030-05-04T22:00:00+02:00",
  timezone: "Europe/Berlin",
  salesOpenAt: "2029-05-04T00:00:00Z",
  holdTtlSeconds: 300,
  limits: { perOrder: 4, perUser: 8 },
  priceCategories: [
    { key: "stalls", name: "Stalls", price: 4500 },
    { key: "standing", name: "Standing", price: 3000 },
  ],
  seatingPlan: PLAN,
  areas: [{ key: "floor", name: "Floor", capacity: 500, priceCategory: "standing" }],
};

describe("catalogue", () => {
  let server: CatalogueServer;
  let owner: string;
  let stranger: string;
  let admin: string;
  let organizationId: string;

  before(async () => {
    server = await startCatalogueServer();
    owner = await server.customer("owner@example.com");
    stranger = await server.customer("stranger@example.com");
    admin = await server.admin();
    const created = await server.request("POST", "/organizations", {
      token: owner,
      body: { name: " Hall Ltd ", currency: "CHF", country: "CH" },
    });
    organizationId = String(created.body.id);
  });
  after(() => server.close());
  beforeEach(() => {
    server.inventory.configured.length = 0;
    server.inventory.isBusy = false;
  });

  const create = (more: object = {}, token = owner) =>
    server.request("POST", "/events", { token, body: { organizationId, ...CONCERT, ...more } });
  const draftId = async (more: object = {}): Promise<string> =>
    String((await create(more)).body.id);
  const publish = (id: string, token = owner) =>
    server.request("POST", `/events/${id}/publish`, { token });
  const cancel = (id: string, token = owner) =>
    server.request("POST", `/events/${id}/cancel`, { token });
  const show = (id: string, token?: string) =>
    server.request("GET", `/events/${id}`, token === undefined ? {} : { token });

  const demote = (role: "owner" | "staff") =>
    server.pool.query("UPDATE organization_members SET role = $1 WHERE organization_id = $2", [
      role,
      organizationId,
    ]);

  describe("organisations", () => {
    it("belong to who created them", async () => {
      const listed = await server.request("GET", "/organizations", { token: owner });
      assert.equal(listed.status, 200);
      const [organization, ...others] = listed.body.data as Record<string, unknown>[];
      assert.deepEqual(others, []);
      const { createdAt, ...rest } = organization ?? {};
      assert.match(String(createdAt), /Z$/);
      assert.deepEqual(rest, {
        id: organizationId,
        name: "Hall Ltd",
        allowInvoices: false,
        currency: "CHF",
        country: "CH",
        fees: [],
        tax: null,
        role: "owner",
      });
      const foreign = await server.request("GET", "/organizations", { token: stranger });
      assert.deepEqual(foreign.body, { data: [], nextCursor: null });
    });

    it("are listed page by page", async () => {
      const token = await server.customer("many@example.com");
      for (const name of ["one", "two", "three"]) {
        await server.request("POST", "/organizations", { token, body: { name } });
      }
      const names: unknown[] = [];
      let path = "/organizations?limit=2";
      for (let pages = 0; pages < 2; pages += 1) {
        const { body } = await server.request("GET", path, { token });
        names.push(...(body.data as { name: string }[]).map(({ name }) => name));
        path = `/organizations?limit=2&cursor=${body.nextCursor}`;
        if (pages === 1) assert.equal(body.nextCursor, null);
      }
      assert.equal(new Set(names).size, 3);
      for (const query of ["limit=0", "limit=101", "limit=x", "cursor=x"]) {
        const { body } = await server.request("GET", `/organizations?${query}`, { token });
        assert.equal(body.code, "validation_failed", query);
      }
    });

    it("are not for guests or nobody", async () => {
      const guest = await server.request("POST", "/auth/guest");
      const token = String(guest.body.accessToken);
      const body = { name: "Mine" };
      assert.equal((await server.request("POST", "/organizations", { token, body })).status, 403);
      assert.equal((await server.request("POST", "/organizations", { body })).status, 401);
    });
  });

  describe("creating an event", () => {
    it("answers the event as the contract has it, as a draft for members alone", async () => {
      const created = await create();
      assert.equal(created.status, 201);
      const { id, createdAt, updatedAt, ...rest } = created.body;
      assert.equal(created.headers.get("location"), `/api/v1/events/${id}`);
      assert.match(String(createdAt) + String(updatedAt), /Z.*Z/);
      assert.deepEqual(rest, {
        organizationId,
        title: "Concert",
        description: "100% jazz",
        category: "music",
        tags: ["jazz", "live"],
        venue: CONCERT.venue,
        startsAt: "2030-05-04T17:30:00.000Z",
        endsAt: "2030-05-04T20:00:00.000Z",
        timezone: "Europe/Berlin",
        currency: "CHF",
        salesOpenAt: "2029-05-04T00:00:00.000Z",
        salesCloseAt: null,
        cancellableUntil: null,
        holdTtlSeconds: 300,
        paymentWindowSeconds: 900,
        holdChurn: null,
        limits: { perOrder: 4, perUser: 8 },
        priceCategories: CONCERT.priceCategories,
        fees: [],
        tax: null,
        areas: CONCERT.areas,
        seatCount: 2,
        capacity: 502,
        status: "draft",
      });
      assert.deepEqual(server.inventory.configured, []);
      const shown = await show(String(id), owner);
      assert.deepEqual(shown.body, created.body);
      assert.equal(shown.headers.get("cache-control"), "private, no-store");
      assert.equal((await show(String(id), admin)).status, 200);
      for (const token of [stranger, undefined]) {
        const hidden = await show(String(id), token);
        assert.equal(hidden.status, 404);
        assert.equal(hidden.body.code, "event_not_found");
        const seats = await server.request("GET", `/events/${id}/seats`);
        assert.equal(seats.status, 404);
      }
    });

    it("is for administrators, owners and organisers", async () => {
      assert.equal((await create({}, stranger)).body.code, "organization_not_found");
      assert.equal((await create({}, "nobody")).body.code, "unauthenticated");
      assert.equal((await create({}, admin)).status, 201);
      const missing = "018f3c9a-7b10-74d2-91c0-5e07a4b1c2d3";
      const lost = await create({ organizationId: missing });
      assert.equal(lost.status, 404);
      assert.equal(lost.body.code, "organization_not_found");
      const staff = await server.customer("staff@example.com");
      const organizer = await server.customer("organizer@example.com");
      await server.pool.query(
        `INSERT INTO organization_members (organization_id, user_id, role)
         SELECT $1, id, split_part(email, '@', 1) FROM users
         WHERE email IN ('staff@example.com', 'organizer@example.com')`,
        [organizationId],
      );
      assert.equal((await create({}, staff)).body.code, "forbidden");
      assert.equal((await create({}, organizer)).status, 201);
      const id = await draftId();
      assert.equal((await show(id, staff)).status, 200);
      assert.equal((await publish(id, staff)).body.code, "forbidden");
      assert.equal((await publish(id, stranger)).body.code, "event_not_found");
    });

    it("names the place of every fault", async () => {
      const utc = "2030-05-04T19:30:00Z";
      const { status, body } = await create({ startsAt: "soon", priceCategories: [{ price: 1 }] });
      assert.equal(status, 400);
      assert.deepEqual(body.errors, [
        {
          path: "startsAt",
          message: `must be an RFC 3339 time, such as ${utc}, or a local one: 2030-05-04T19:30`,
        },
        { path: "priceCategories[0].key", message: "is missing" },
      ]);
      const seatingPlan = { ...PLAN, zones: [...PLAN.zones, ...PLAN.zones] };
      const twice = await create({ seatingPlan });
      assert.equal(twice.status, 400);
      assert.deepEqual((twice.body.errors as unknown[])[0], {
        path: "seatingPlan.zones[1].rows[0].seats[0].seat_guid",
        message: 'is "A-1", as is seatingPlan.zones[0].rows[0].seats[0].seat_guid',
      });
    });

    it("takes plans that are larger than other bodies", async () => {
      const seats = Array.from({ length: 5_000 }, (_, n) => {
        return { seat_guid: `seat-${n}`, category: "Stalls", position: { x: n, y: 0 } };
      });
      const zones = [{ name: "Ground", rows: [{ row_number: "A", seats }] }];
      const { status, body } = await create({ seatingPlan: { ...PLAN, zones }, publish: true });
      assert.equal(status, 201);
      assert.equal(body.seatCount, 5_000);
      const list = await server.request("GET", `/events/${body.id}/seats`);
      assert.equal((list.body.seats as unknown[]).length, 5_000);
    });

    it("and publishing it leaves nothing behind when the engine is busy", async () => {
      server.inventory.isBusy = true;
      const events = await server.pool.query("SELECT count(*) FROM events");
      const { status, headers } = await create({ publish: true });
      assert.equal(status, 503);
      assert.equal(headers.get("retry-after"), "1");
      const after = await server.pool.query("SELECT count(*) FROM events");
      assert.deepEqual(after.rows, events.rows);
    });
  });

  describe("publishing an event", () => {
    it("tells the engine first, and then everyone", async () => {
      const id = await draftId();
      let statusMeanwhile: unknown;
      server.inventory.meanwhile = async () => {
        statusMeanwhile = (await show(id, owner)).body.status;
      };
      const published = await publish(id);
      assert.equal(published.status, 200);
      assert.equal(published.body.status, "published");
      assert.equal(statusMeanwhile, "draft");
      const [definition] = server.inventory.configured;
      assert.equal(definition?.eventId, id);
      assert.deepEqual(definition?.seatCategories, Uint8Array.of(0, 0));
      assert.equal(definition?.areas[0]?.category, 1);
      assert.deepEqual((await show(id)).body, published.body);
    });

    it("gives the same answer when repeated", async () => {
      const id = await draftId();
      const first = await publish(id);
      assert.deepEqual((await publish(id)).body, first.body);
      assert.equal(server.inventory.configured.length, 1);
    });

    it("changes nothing when the engine is busy", async () => {
      const id = await draftId();
      server.inventory.isBusy = true;
      assert.equal((await publish(id)).status, 503);
      assert.equal((await show(id)).status, 404);
      server.inventory.isBusy = false;
      assert.equal((await publish(id)).status, 200);
    });

    it("yields to a cancellation that came in between", async () => {
      const id = await draftId();
      server.inventory.meanwhile = () => cancel(id);
      assert.equal((await publish(id)).body.code, "event_cancelled");
      assert.equal(server.inventory.configured.at(-1)?.status, "cancelled");
      assert.equal((await show(id)).status, 404, "it was never on sale");
      assert.equal((await show(id, owner)).body.status, "cancelled");
    });

    it("leaves nothing on sale of a draft that was removed in between", async () => {
      const id = await draftId();
      server.inventory.meanwhile = () =>
        server.request("DELETE", `/events/${id}`, { token: owner });
      assert.equal((await publish(id)).body.code, "event_not_found");
      assert.deepEqual(
        server.inventory.configured.map(({ status }) => status),
        ["published", "cancelled"],
      );
    });

    it("and cancelling it go on to their end, also when who asked may ask no more", async () => {
      const id = await draftId();
      for (const [ask, status] of [
        [publish, "published"],
        [cancel, "cancelled"],
      ] as const) {
        server.inventory.meanwhile = () => demote("staff");
        const done = await ask(id);
        await demote("owner");
        assert.deepEqual([done.status, done.body.status], [200, status]);
        assert.equal((await show(id)).body.status, status);
        assert.equal(server.inventory.configured.at(-1)?.status, status);
      }
    });

    it("answers event_not_found to ids that are no event's", async () => {
      for (const id of ["018f3c9a-7b10-74d2-91c0-5e07a4b1c2d3", "1", "%00"]) {
        assert.equal((await publish(id)).body.code, "event_not_found", id);
        assert.equal((await show(id)).body.code, "event_not_found", id);
      }
    });
  });

  it("cancels an event in the engine and for everyone, once", async () => {
    const id = String((await create({ publish: true })).body.id);
    assert.equal((await cancel(id, stranger)).body.code, "forbidden");
    const cancelled = await cancel(id);
    assert.equal(cancelled.body.status, "cancelled");
    assert.equal(server.inventory.configured.at(-1)?.status, "cancelled");
    assert.deepEqual((await cancel(id)).body, cancelled.body);
    assert.equal(server.inventory.configured.length, 2);
    assert.equal((await show(id)).body.status, "cancelled");
    assert.equal((await publish(id)).body.code, "event_cancelled");
  });

  describe("reading an event", () => {
    it("answers 304 to who has it already, until it changes", async () => {
      const id = String((await create({ publish: true })).body.id);
      const first = await show(id);
      const etag = first.headers.get("etag") ?? "";
      assert.match(etag, /^"[\w-]+"$/);
      const conditional = (tag: string) =>
        server.request("GET", `/events/${id}`, { headers: { "if-none-match": tag } });
      for (const tag of [etag, `W/${etag}`, `"other", ${etag}`, "*"]) {
        const again = await conditional(tag);
        assert.equal(again.status, 304, tag);
        assert.equal(again.text, "");
        assert.equal(again.headers.get("etag"), etag);
      }
      assert.equal((await conditional('"other"')).status, 200);
      await cancel(id);
      assert.equal((await conditional(etag)).status, 200);
    });

    it("gives its seats in index order, to be cached for good", async () => {
      const id = String((await create({ publish: true })).body.id);
      const path = `/events/${id}/seats`;
      const list = await server.request("GET", path);
      assert.equal(list.status, 200);
      assert.equal(list.headers.get("cache-control"), "public, max-age=31536000, immutable");
      const seat = { zone: "Ground", row: "A", category: "stalls", y: 2, accessible: false };
      assert.deepEqual(list.body, {
        seats: [
          { id: "A-1", number: "1", x: 11, ...seat },
          { id: "A-2", number: "2", x: 12, ...seat },
        ],
      });
      const etag = list.headers.get("etag") ?? "";
      const again = await server.request("GET", path, { headers: { "if-none-match": etag } });
      assert.equal(again.status, 304);
    });

    it("is known to bookings by its id and by its tag", async () => {
      const id = parseEventId((await create({ publish: true })).body.id);
      assert.ok(id !== null);
      const entry = await server.directory.get(id);
      assert.equal(entry?.seatIndexById.get("A-2"), 1);
      assert.equal(entry?.allowInvoices, false);
      assert.ok(entry !== null);
      assert.equal(server.directory.peekByTag(entry.tag), entry);
    });
  });

  describe("the list of events", () => {
    const titles = async (query: string): Promise<unknown[]> => {
      const { status, body } = await server.request("GET", `/events?tag=listed&${query}`);
      assert.equal(status, 200, JSON.stringify(body));
      return (body.data as { title: string }[]).map(({ title }) => title);
    };

    before(async () => {
      const tags = ["listed"];
      const more = { publish: true, tags };
      const later = { startsAt: "2031-01-01T00:00:00Z", endsAt: null };
      await create({ ...more, ...later, title: "C_3", category: "talk" });
      await create({ ...more, title: "A 100%" });
      await create({ ...more, title: "B 1000", venue: { name: "Saal", city: "Zürich" } });
      await create({ tags, title: "a draft" });
      const cancelled = await create({ ...more, title: "cancelled" });
      await cancel(String(cancelled.body.id));
    });

    it("has what is published, by its start", async () => {
      assert.deepEqual(await titles("sort=startsAt"), ["A 100%", "B 1000", "C_3"]);
    });

    it("is filtered by text, category, city and time", async () => {
      const table: readonly (readonly [query: string, expected: string[]])[] = [
        ["q=100%25", ["A 100%", "B 1000", "C_3"]],
        ["q=0%25", []],
        ["q=a%20100%25", ["A 100%"]],
        ["q=_3", ["C_3"]],
        ["q=%5C", []],
        ["q=z%C3%BCr", ["B 1000"]],
        ["category=talk", ["C_3"]],
        ["category=tal", []],
        ["city=z%C3%BCrich", ["B 1000"]],
        ["from=2031-01-01", ["C_3"]],
        ["to=2031-01-01T00:00:00Z", ["A 100%", "B 1000"]],
        ["q='%3B%20DROP%20TABLE%20events%3B--", []],
      ];
      for (const [query, expected] of table) {
        assert.deepEqual(await titles(query), expected, query);
      }
    });

    it("comes page by page without gaps or repetitions", async () => {
      const seen: unknown[] = [];
      let cursor = "";
      do {
        const path = `/events?tag=listed&limit=1${cursor === "" ? "" : `&cursor=${cursor}`}`;
        const { body } = await server.request("GET", path);
        seen.push(...(body.data as { title: string }[]).map(({ title }) => title));
        cursor = String(body.nextCursor ?? "");
      } while (cursor !== "");
      assert.deepEqual(seen, ["A 100%", "B 1000", "C_3"]);
    });

    it("says which parameters it does not take, all at once", async () => {
      const query = "near=1&maxPrice=-5&sort=price&limit=500&cursor=abc&from=soon";
      const { status, body } = await server.request("GET", `/events?${query}`);
      assert.equal(status, 400);
      assert.equal(body.code, "validation_failed");
      assert.deepEqual((body.errors as { path: string }[]).map(({ path }) => path).sort(), [
        "cursor",
        "from",
        "limit",
        "maxPrice",
        "near",
        "sort",
      ]);
    });
  });
});
