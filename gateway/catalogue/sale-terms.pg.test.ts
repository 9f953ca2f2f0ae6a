import assert from "node:assert/strict";
import { after, before, beforeEach, describe, it } from "node:test";
import { assertDefinition } from "../../engine/definition.ts";
import type { EventId } from "../../engine/ids.ts";
import {
  type CatalogueServer,
  startCatalogueServer,
} from "../../tests/support/catalogue-server.ts";

const CLUB = {
  title: "Club",
  startsAt: "2030-05-04T19:30",
  timezone: "Europe/Berlin",
  priceCategories: [
    { key: "std", name: "Standard", price: 4500 },
    { key: "vip", name: "VIP", price: 9000 },
  ],
  areas: [{ key: "floor", name: "Floor", capacity: 5, priceCategory: "std" }],
};
const FEES = [
  { name: "Booking", fixed: 150 },
  { name: "System", percent: "2.5" },
];
const TAX = { name: "VAT", percent: "19", included: true };
const CHARGES = {
  fees: [
    { name: "Booking", kind: "fixed", minor: 150 },
    { name: "System", kind: "percent", basisPoints: 250 },
  ],
  tax: { name: "VAT", basisPoints: 1900, included: true },
};
/** As some libraries write what is not said. */
const ABSENT = { seatingPlan: null, seatCategories: null, venueId: null };
const EARLY = { code: "early", percent: "10", uses: 100 };

describe("the terms of a sale", () => {
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
  });
  after(() => server.close());
  beforeEach(async () => {
    server.inventory.configured.length = 0;
    server.inventory.isBusy = false;
    organizationId = await organization();
  });

  const organization = async (more: object = {}): Promise<string> => {
    const body = { name: "Hall Ltd", ...more };
    const created = await server.request("POST", "/organizations", { token: owner, body });
    assert.equal(created.status, 201, created.text);
    return String(created.body.id);
  };
  const changeOrganization = (body: object, token = owner) =>
    server.request("PATCH", `/organizations/${organizationId}`, { token, body });
  const create = async (more: object = {}): Promise<string> => {
    const body = { organizationId, ...CLUB, ...more };
    const created = await server.request("POST", "/events", { token: owner, body });
    assert.equal(created.status, 201, created.text);
    return String(created.body.id);
  };
  const change = (id: string, body: object, token = owner) =>
    server.request("PATCH", `/events/${id}`, { token, body });
  const show = (id: string, token?: string) =>
    server.request("GET", `/events/${id}`, token === undefined ? {} : { token });
  const post = (id: string, what: "publish" | "cancel") =>
    server.request("POST", `/events/${id}/${what}`, { token: owner });
  const told = () => {
    const definition = server.inventory.configured.at(-1);
    assert.ok(definition !== undefined);
    assertDefinition(definition);
    return definition;
  };

  it("take back what was read, and refuse a change that would not be made", async () => {
    const id = await create({ publish: true });
    const { body: read } = await show(id, owner);
    const same = await change(id, { ...read, ...ABSENT, title: "New title", publish: true });
    assert.deepEqual([same.status, same.body.title], [200, "New title"], same.text);
    const [floor] = CLUB.areas;
    const asIs = [{ key: "floor", capacity: 5 }];
    assert.equal((await change(id, { areas: asIs })).status, 200);
    const other = {
      id: "018f3c9a-7b10-74d2-91c0-5e07a4b1c2d3",
      organizationId: "018f3c9a-7b10-74d2-91c0-5e07a4b1c2d3",
      timezone: "Europe/Vienna",
      currency: "USD",
      seatingPlan: { name: "Hall" },
      seatingPlanId: "018f3c9a-7b10-74d2-91c0-5e07a4b1c2d3",
      seatCategories: { Stalls: "std" },
      seatCount: 9,
      areas: [{ ...floor, capacity: 500 }],
      capacity: 500,
      publish: false,
      status: "cancelled",
      fees: FEES,
      tax: TAX,
    };
    const refused = await change(id, { ...other, title: "Third title" });
    assert.deepEqual([refused.status, refused.body.code], [400, "validation_failed"]);
    const errors = refused.body.errors as { path: string; message: string }[];
    assert.deepEqual(new Set(errors.map(({ path }) => path)), new Set(Object.keys(other)));
    for (const areas of [[], [floor, floor], [{ key: "hall" }], "floor", [null]]) {
      assert.equal((await change(id, { areas })).status, 400, JSON.stringify(areas));
    }
    assert.equal((await show(id)).body.title, "New title");
  });

  describe("of an organisation", () => {
    it("are shown as they were written, and changed by its owner", async () => {
      organizationId = await organization({ fees: FEES, tax: TAX });
      const listed = await server.request("GET", "/organizations", { token: owner });
      const [first] = listed.body.data as Record<string, unknown>[];
      assert.deepEqual([first?.id, first?.fees, first?.tax], [organizationId, FEES, TAX]);

      const renamed = await changeOrganization({ name: " Hall & Sons " });
      assert.equal(renamed.status, 200);
      const { name, fees, tax, allowInvoices, role } = renamed.body;
      assert.deepEqual([name, allowInvoices, role], ["Hall & Sons", false, "owner"]);
      assert.deepEqual([fees, tax], [FEES, TAX]);
      const free = await changeOrganization({ fees: [], tax: null, allowInvoices: true }, admin);
      assert.deepEqual([free.body.fees, free.body.tax], [[], null]);
      assert.equal(free.body.allowInvoices, true);
      assert.equal(free.body.name, "Hall & Sons");
    });

    it("are not for others to change", async () => {
      const theirs = await changeOrganization({ name: "Mine" }, stranger);
      assert.equal(theirs.body.code, "organization_not_found");
      assert.equal((await changeOrganization({ name: "Mine" }, "nobody")).status, 401);
      const organizer = await server.customer(`organizer-${organizationId}@example.com`);
      await server.pool.query(
        `INSERT INTO organization_members (organization_id, user_id, role)
         SELECT $1, id, 'organizer' FROM users WHERE email = $2`,
        [organizationId, `organizer-${organizationId}@example.com`],
      );
      assert.equal((await changeOrganization({ name: "Ours" }, organizer)).body.code, "forbidden");
      for (const id of ["018f3c9a-7b10-74d2-91c0-5e07a4b1c2d3", "x"]) {
        const path = `/organizations/${id}`;
        const lost = await server.request("PATCH", path, { token: owner, body: {} });
        assert.equal(lost.body.code, "organization_not_found");
      }
    });

    it("are refused with the place of every fault", async () => {
      const fees = [{ name: "a" }, { name: "b", percent: "1", fixed: 1 }];
      const { status, body } = await changeOrganization({ fees });
      assert.equal(status, 400);
      assert.deepEqual(
        (body.errors as { path: string }[]).map(({ path }) => path),
        ["fees[0]", "fees[1]"],
      );
      const tax = { name: "VAT", percent: "1,5", included: true };
      const wrong = await changeOrganization({ name: null, tax });
      assert.deepEqual((wrong.body.errors as { path: string }[]).map(({ path }) => path).sort(), [
        "name",
        "tax.percent",
      ]);
    });

    it("are known of its events at once", async () => {
      const id = (await create({ publish: true })) as EventId;
      assert.equal((await server.directory.get(id))?.allowInvoices, false);
      await changeOrganization({ allowInvoices: true });
      assert.equal((await server.directory.get(id))?.allowInvoices, true);
    });
  });

  describe("fees and taxes", () => {
    it("are the organisation's until the event is published, and then the event's", async () => {
      const id = await create();
      await changeOrganization({ fees: FEES, tax: TAX });
      const draft = await show(id, owner);
      assert.deepEqual([draft.body.fees, draft.body.tax], [FEES, TAX]);
      await post(id, "publish");
      assert.deepEqual(told().charges, CHARGES);

      await changeOrganization({ fees: [], tax: null });
      const published = await show(id);
      assert.deepEqual([published.body.fees, published.body.tax], [FEES, TAX]);
      await change(id, { title: "Other" });
      assert.deepEqual(told().charges, CHARGES);
      const taken = await change(id, { takeOrganizationCharges: true });
      assert.deepEqual([taken.body.fees, taken.body.tax], [[], null]);
      assert.deepEqual(told().charges, { fees: [], tax: null });
    });
  });

  describe("promo codes", () => {
    it("are told to the engine and shown to members, and to nobody else", async () => {
      const id = await create({ promoCodes: [EARLY], publish: true });
      assert.equal(told().promoCodes[0]?.code, "EARLY");
      for (const token of [owner, admin]) {
        const shown = await show(id, token);
        assert.equal((shown.body.promoCodes as { code: string }[])[0]?.code, "EARLY");
        assert.equal(shown.headers.get("cache-control"), "private, no-store");
      }
      const guest = String((await server.request("POST", "/auth/guest")).body.accessToken);
      const buyers = [undefined, stranger, guest].map((token) => show(id, token));
      const listed = server.request("GET", "/events");
      for (const { status, text } of await Promise.all([...buyers, listed])) {
        assert.equal(status, 200);
        assert.doesNotMatch(text, /promo|early/i);
      }
      // Whose sign-in is over is not taken for nobody.
      assert.equal((await show(id, "no token")).status, 401);
    });

    it("keep the two views of an event apart for caches", async () => {
      const id = await create({ promoCodes: [EARLY], publish: true });
      const [mine, theirs] = [await show(id, owner), await show(id)];
      assert.notEqual(mine.headers.get("etag"), theirs.headers.get("etag"));
      const headers = { "if-none-match": String(theirs.headers.get("etag")) };
      const again = await server.request("GET", `/events/${id}`, { token: owner, headers });
      assert.equal(again.status, 200);
      assert.equal((await server.request("GET", `/events/${id}`, { headers })).status, 304);
    });
  });

  describe("changing an event", () => {
    it("changes a draft in the table alone", async () => {
      const id = await create();
      const changed = await change(id, { title: " Late Club ", tags: ["late", "late "] });
      assert.equal(changed.status, 200);
      assert.equal(changed.body.title, "Late Club");
      assert.deepEqual(changed.body.tags, ["late"]);
      assert.deepEqual(server.inventory.configured, []);
      assert.deepEqual((await show(id, owner)).body, changed.body);
    });

    it("tells the engine of everything that it sells by", async () => {
      const id = await create({ publish: true });
      const changed = await change(id, {
        startsAt: "2030-06-04T20:00",
        endsAt: "2030-06-04T23:00",
        salesOpenAt: "2030-01-01T10:00",
        salesCloseAt: "2030-06-04T19:00:00+02:00",
        cancellableUntil: "2030-06-01T00:00",
        holdTtlSeconds: 120,
        paymentWindowSeconds: 300,
        limits: { perOrder: 3 },
        priceCategories: [{ key: "vip", price: 8000 }],
        promoCodes: [EARLY],
        holdChurn: { freeDrops: 3 },
      });
      assert.equal(changed.status, 200, changed.text);
      const definition = told();
      assert.equal(definition.status, "published");
      assert.equal(definition.salesOpenMs, Date.parse("2030-01-01T09:00Z"));
      assert.equal(definition.salesCloseMs, Date.parse("2030-06-04T17:00Z"));
      assert.equal(definition.cancelUntilMs, Date.parse("2030-05-31T22:00Z"));
      assert.deepEqual([definition.holdTtlMs, definition.paymentWindowMs], [120_000, 300_000]);
      assert.deepEqual([definition.perOrderMax, definition.perUserMax], [3, 20]);
      assert.deepEqual(
        definition.categories.map(({ priceMinor }) => priceMinor),
        [4500, 8000],
      );
      assert.equal(definition.promoCodes[0]?.value, 1000);
      assert.equal(definition.churn?.freeDrops, 3);

      const { promoCodes, ...rest } = changed.body;
      assert.equal((promoCodes as unknown[]).length, 1);
      assert.deepEqual((await show(id)).body, rest);
      assert.equal(rest.startsAt, "2030-06-04T18:00:00.000Z");
      assert.deepEqual(rest.limits, { perOrder: 3, perUser: 20 });
      assert.deepEqual(rest.holdChurn, {
        freeDrops: 3,
        windowSeconds: 600,
        firstWaitSeconds: 5,
        maxWaitSeconds: 300,
      });
      assert.ok(String(rest.updatedAt) > String(rest.createdAt));
    });

    it("keeps what is absent, and begins anew with what is null", async () => {
      const given = {
        description: "loud",
        tags: ["club"],
        endsAt: "2030-05-04T23:00",
        salesOpenAt: "2030-01-01T00:00",
        cancellableUntil: "2030-05-01T00:00",
        holdTtlSeconds: 60,
        paymentWindowSeconds: 60,
        holdChurn: {},
        promoCodes: [EARLY],
      };
      const id = await create(given);
      const before = (await show(id, owner)).body;
      const { updatedAt: _, ...same } = (await change(id, {})).body;
      const { updatedAt: __, ...then } = before;
      assert.deepEqual(same, then);
      const nothing = Object.fromEntries(Object.keys(given).map((name) => [name, null]));
      const { body } = await change(id, nothing);
      assert.deepEqual(
        [body.description, body.tags, body.endsAt, body.salesOpenAt, body.cancellableUntil],
        ["", [], null, null, null],
      );
      assert.deepEqual(
        [body.holdTtlSeconds, body.paymentWindowSeconds, body.holdChurn, body.promoCodes],
        [600, 900, null, undefined],
      );
    });

    const wrong: readonly (readonly [body: object, path: string, message: RegExp])[] = [
      [{ title: "" }, "title", /line of text/],
      [{ title: null }, "title", /must be a string/],
      [{ startsAt: "2030-03-31T02:30" }, "startsAt", /no clock in Europe\/Berlin/],
      [{ endsAt: "2030-05-04T19:30" }, "endsAt", /after startsAt/],
      [{ salesOpenAt: "2031-01-01T00:00Z" }, "salesCloseAt", /after salesOpenAt/],
      [{ holdTtlSeconds: 0 }, "holdTtlSeconds", /at least 1/],
      [{ priceCategories: [{ key: "gold", price: 1 }] }, "priceCategories[0].key", /"gold"/],
      [
        { priceCategories: [{ key: "std", price: 1 }, { key: "std" }] },
        "priceCategories[1].key",
        /as an earlier one is/,
      ],
      [{ promoCodes: [{ code: "A" }] }, "promoCodes[0]", /percent or amount/],
    ];
    for (const [body, path, message] of wrong) {
      it(`refuses ${JSON.stringify(body)} at ${path}, changing nothing`, async () => {
        const id = await create({ salesCloseAt: "2030-05-04T00:00", publish: true });
        const before = await show(id);
        const refused = await change(id, body);
        assert.equal(refused.status, 400);
        const errors = refused.body.errors as { path: string; message: string }[];
        assert.match(errors.find((error) => error.path === path)?.message ?? "", message);
        assert.deepEqual((await show(id)).body, before.body);
        assert.equal(server.inventory.configured.length, 1);
      });
    }

    it("is for organisers, and for events that are not cancelled", async () => {
      const id = await create();
      assert.equal((await change(id, {}, stranger)).body.code, "event_not_found");
      assert.equal((await change(id, {}, "nobody")).status, 401);
      assert.equal((await change(id, { title: "By admin" }, admin)).status, 200);
      await post(id, "publish");
      assert.equal((await change(id, {}, stranger)).body.code, "forbidden");
      await post(id, "cancel");
      assert.equal((await change(id, { title: "Late" })).body.code, "event_cancelled");
      assert.equal((await change("018f3c9a-7b10-74d2-91c0-5e07a4b1c2d3", {})).status, 404);
    });

    it("loses no field of changes that come at once", async () => {
      const id = await create({ publish: true });
      const changes = [
        { title: "A" },
        { holdTtlSeconds: 77 },
        { limits: { perOrder: 2 } },
        { limits: { perUser: 5 } },
        { priceCategories: [{ key: "std", price: 1 }] },
        { priceCategories: [{ key: "vip", price: 2 }] },
        { promoCodes: [EARLY] },
        { paymentWindowSeconds: 99 },
      ];
      const answers = await Promise.all(changes.map((body) => change(id, body)));
      for (const { status, text } of answers) assert.equal(status, 200, text);
      const { body } = await show(id, owner);
      assert.deepEqual([body.title, body.holdTtlSeconds], ["A", 77]);
      assert.deepEqual(body.limits, { perOrder: 2, perUser: 5 });
      assert.equal((body.promoCodes as unknown[]).length, 1);
      const definition = told();
      assert.deepEqual(
        definition.categories.map(({ priceMinor }) => priceMinor),
        [1, 2],
      );
      assert.deepEqual([definition.perOrderMax, definition.perUserMax], [2, 5]);
      assert.deepEqual([definition.holdTtlMs, definition.paymentWindowMs], [77_000, 99_000]);
      assert.equal(definition.promoCodes.length, 1);
    });

    it("tells the engine last what was stored last, however long it is told", async () => {
      const id = await create({ publish: true });
      // The first change reaches the engine after the second one has been told and answered.
      server.inventory.meanwhile = () => change(id, { holdTtlSeconds: 200 });
      const slow = await change(id, { holdTtlSeconds: 100 });
      assert.equal(slow.body.holdTtlSeconds, 200);
      assert.equal(told().holdTtlMs, 200_000);
    });

    it("does not bring a cancelled event back", async () => {
      const id = await create({ publish: true });
      server.inventory.meanwhile = () => post(id, "cancel");
      await change(id, { holdTtlSeconds: 100 });
      assert.equal(told().status, "cancelled");
      assert.equal((await show(id)).body.status, "cancelled");
    });

    it("of a draft that is being published reaches the engine", async () => {
      const id = await create();
      server.inventory.meanwhile = () => change(id, { holdTtlSeconds: 100 });
      const published = await post(id, "publish");
      assert.equal(published.body.holdTtlSeconds, 100);
      assert.equal(told().holdTtlMs, 100_000);
    });

    it("is stored and answered busy when the engine is, and told by the next one", async () => {
      const id = await create({ publish: true });
      server.inventory.isBusy = true;
      const busy = await change(id, { holdTtlSeconds: 100 });
      assert.equal(busy.status, 503);
      assert.equal((await show(id)).body.holdTtlSeconds, 100);
      assert.equal(told().holdTtlMs, 600_000);
      server.inventory.isBusy = false;
      assert.equal((await change(id, { title: "Other" })).status, 200);
      assert.equal(told().holdTtlMs, 100_000);
    });

    it("takes as many promo codes as an event may have", async () => {
      const id = await create({ publish: true });
      const promoCodes = Array.from({ length: 500 }, (_, n) => {
        return { code: `A-RATHER-LONG-PROMO-CODE-${n}`, amount: n, categories: ["std", "vip"] };
      });
      const changed = await change(id, { promoCodes, description: "ü".repeat(20_000) });
      assert.equal(changed.status, 200, changed.text.slice(0, 200));
      assert.equal(told().promoCodes.length, 500);
    });
  });

  it("an event that was being cancelled when the engine was busy stays so", async () => {
    const id = await create({ publish: true });
    server.inventory.isBusy = true;
    assert.equal((await post(id, "cancel")).status, 503);
    server.inventory.isBusy = false;
    assert.equal((await change(id, { title: "Late" })).body.code, "event_cancelled");
    const cancelled = await post(id, "cancel");
    assert.equal(cancelled.body.status, "cancelled");
    assert.equal(told().status, "cancelled");
  });
});
