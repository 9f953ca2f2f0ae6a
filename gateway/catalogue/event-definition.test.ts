import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { NO_CHARGES } from "../../engine/charges.ts";
import { assertDefinition } from "../../engine/definition.ts";
import { type EventId, uuidV7 } from "../../engine/ids.ts";
import { decodeSeatMap } from "../../engine/seat-map.ts";
import {
  checkEventBody,
  type EventDraft,
  inventoryDefinitionOf,
  parseEventDraft,
} from "./event-definition.ts";

const organizationId = uuidV7(1, new Uint8Array(10));
const eventId = uuidV7(2, new Uint8Array(10)) as EventId;

const PLAN = {
  categories: [{ name: "Stalls" }, { name: "Balcony" }, { name: "Unused" }],
  zones: [
    {
      name: "Z",
      rows: [
        {
          row_number: "1",
          seats: [
            { seat_guid: "s1", category: "Stalls" },
            { seat_guid: "b1", category: "Balcony" },
          ],
        },
      ],
    },
  ],
};

const STANDING = {
  organizationId,
  title: "Concert",
  startsAt: "2030-05-04T19:30:00Z",
  priceCategories: [{ key: "std", price: 100 }],
  areas: [{ key: "floor", capacity: 5, priceCategory: "std" }],
};

const SEATED = {
  organizationId,
  title: "Play",
  startsAt: "2030-05-04T19:30:00Z",
  priceCategories: [
    { key: "low", name: "Balcony", price: 1000 },
    { key: "high", name: "Best", price: 2000 },
  ],
  seatingPlan: PLAN,
  seatCategories: { Stalls: "high" },
};

/** Prices of so many categories, none of which the plan has. */
const ranks = (count: number) =>
  Object.fromEntries(Array.from({ length: count }, (_, n) => [`Rank ${n}`, "high"]));

function draftOf(body: unknown): EventDraft {
  const checked = checkEventBody(body);
  assert.ok(checked.ok, JSON.stringify(checked));
  const draft = parseEventDraft(checked.value, { currency: "CHF" });
  assert.ok(draft.ok, JSON.stringify(draft));
  return draft.value;
}

function errorsOf(body: unknown): Record<string, string> {
  const checked = checkEventBody(body);
  const result = checked.ok ? parseEventDraft(checked.value, { currency: "CHF" }) : checked;
  assert.ok(!result.ok);
  return Object.fromEntries(result.errors.map(({ path, message }) => [path, message]));
}

describe("parseEventDraft", () => {
  it("fills in the contract's defaults and the organisation's currency", () => {
    const draft = draftOf(STANDING);
    assert.equal(draft.currency, "CHF");
    assert.equal(draft.holdTtlMs, 600_000);
    assert.equal(draft.perOrderMax, 10);
    assert.equal(draft.perUserMax, 20);
    assert.equal(draft.timezone, "UTC");
    assert.equal(draft.salesOpenMs, null);
    assert.deepEqual(draft.priceCategories, [{ key: "std", name: "std", price: 100 }]);
    assert.deepEqual(draft.areas, [
      { key: "floor", name: "floor", capacity: 5, priceCategory: "std" },
    ]);
    assert.deepEqual(draft.seats, []);
  });

  it("maps the plan's categories by seatCategories, or by equal name or key", () => {
    assert.deepEqual(
      draftOf(SEATED).seats.map(({ id, category }) => [id, category]),
      [
        ["s1", "high"],
        ["b1", "low"],
      ],
    );
  });

  it("copies nothing that it does not know", () => {
    const venue = { name: "Hall", secret: 1, location: { lat: 1, lng: 2, alt: 3 } };
    const draft = draftOf({ ...STANDING, venue, secret: 1 });
    assert.deepEqual(draft.venue, { name: "Hall", location: { lat: 1, lng: 2 } });
    assert.ok(!("secret" in draft));
  });

  const twice = (list: readonly object[]) => [...list, ...list];
  const broken: readonly (readonly [what: string, body: object, path: string, message: RegExp])[] =
    [
      [
        "neither seats nor areas",
        { ...STANDING, areas: [] },
        "seatingPlan",
        /a plan, areas, or both/,
      ],
      [
        "no price categories",
        { ...STANDING, priceCategories: [] },
        "priceCategories",
        /fewer than 1/,
      ],
      [
        "a price category twice",
        { ...STANDING, priceCategories: twice(STANDING.priceCategories) },
        "priceCategories[1].key",
        /is "std", as an earlier one is/,
      ],
      ["an area twice", { ...STANDING, areas: twice(STANDING.areas) }, "areas[1].key", /"floor"/],
      [
        "an area of an unknown category",
        { ...STANDING, areas: [{ key: "a", capacity: 1, priceCategory: "vip" }] },
        "areas[0].priceCategory",
        /is "vip"/,
      ],
      [
        "an area without room",
        { ...STANDING, areas: [{ key: "a", capacity: 0, priceCategory: "std" }] },
        "areas[0].capacity",
        /at least 1/,
      ],
      [
        "a negative price",
        { ...STANDING, priceCategories: [{ key: "std", price: -1 }] },
        "priceCategories[0].price",
        /at least 0/,
      ],
      [
        "a broken price",
        { ...STANDING, priceCategories: [{ key: "std", price: 1.5 }] },
        "priceCategories[0].price",
        /whole number/,
      ],
      [
        "an end before its start",
        { ...STANDING, endsAt: "2030-05-04T21:30:00+03:00" },
        "endsAt",
        /after startsAt/,
      ],
      [
        "sales that close before they open",
        {
          ...STANDING,
          salesOpenAt: "2030-01-02T00:00:00Z",
          salesCloseAt: "2030-01-01T00:00:00Z",
        },
        "salesCloseAt",
        /after salesOpenAt/,
      ],
      ["an unknown time zone", { ...STANDING, timezone: "Mars/Base" }, "timezone", /IANA/],
      ["an unknown currency", { ...STANDING, currency: "euro" }, "currency", /ISO 4217/],
      ["a hold of no time", { ...STANDING, holdTtlSeconds: 0 }, "holdTtlSeconds", /at least 1/],
      [
        "a hold of two days",
        { ...STANDING, holdTtlSeconds: 172_800 },
        "holdTtlSeconds",
        /at most 86400/,
      ],
      [
        "an order of nothing",
        { ...STANDING, limits: { perOrder: 0 } },
        "limits.perOrder",
        /at least 1/,
      ],
      [
        "an organisation that is no id",
        { ...STANDING, organizationId: "mine" },
        "organizationId",
        /UUIDv7/,
      ],
      [
        "a plan category without a price",
        { ...SEATED, seatCategories: {} },
        "seatingPlan.categories[0].name",
        /is "Stalls", which neither/,
      ],
      [
        "a plan category with an unknown price",
        { ...SEATED, seatCategories: { Stalls: "gold" } },
        "seatCategories.Stalls",
        /is "gold"/,
      ],
      [
        "a price for a category that the plan lacks",
        { ...SEATED, seatCategories: { Stalls: "high", "The Pit": "low" } },
        'seatCategories["The Pit"]',
        /no category of the seating plan/,
      ],
      [
        "prices for 1,001 categories",
        { ...SEATED, seatCategories: ranks(1_001) },
        "seatCategories",
        /more than 1000/,
      ],
      [
        "a plan of 1,001 categories",
        { ...SEATED, seatingPlan: { ...PLAN, categories: Array(1_001).fill({ name: "A" }) } },
        "seatingPlan.categories",
        /at most 1000/,
      ],
      [
        "seatCategories without a plan",
        { ...STANDING, seatCategories: { Stalls: "std" } },
        "seatCategories",
        /without a seatingPlan/,
      ],
      [
        "a broken plan",
        { ...SEATED, seatingPlan: { ...PLAN, zones: [{ rows: [{ seats: [{}] }] }] } },
        "seatingPlan.zones[0].rows[0].seats[0].seat_guid",
        /is missing/,
      ],
    ];
  for (const [what, body, path, message] of broken) {
    it(`refuses ${what} at ${path}`, () => {
      assert.match(errorsOf(body)[path] ?? "", message);
    });
  }

  it("of a thousand prices for categories that the plan lacks 20 are named", () => {
    assert.equal(Object.keys(errorsOf({ ...SEATED, seatCategories: ranks(1_000) })).length, 20);
  });
});

describe("inventoryDefinitionOf", () => {
  it("turns keys into indexes that the engine accepts", () => {
    const areas = [{ key: "floor", capacity: 7, priceCategory: "high" }];
    const limits = { perOrder: 4, perUser: 6 };
    const draft = draftOf({ ...SEATED, areas, limits, salesOpenAt: "2030-01-01T00:00:00Z" });
    const definition = inventoryDefinitionOf(
      { ...draft, eventId, charges: NO_CHARGES },
      "published",
    );
    assertDefinition(definition);
    const { seatMap, ...rest } = definition;
    assert.deepEqual(decodeSeatMap(seatMap, 2).rowCount, 1);
    assert.deepEqual(rest, {
      eventId,
      status: "published",
      currency: "CHF",
      salesOpenMs: Date.parse("2030-01-01T00:00:00Z"),
      salesCloseMs: null,
      holdTtlMs: 600_000,
      perOrderMax: 4,
      perUserMax: 6,
      categories: [
        { key: "low", priceMinor: 1000 },
        { key: "high", priceMinor: 2000 },
      ],
      seatCategories: Uint8Array.of(1, 0),
      areas: [{ key: "floor", category: 1, capacity: 7 }],
      charges: { fees: [], tax: null },
      promoCodes: [],
      churn: null,
      cancelUntilMs: null,
      paymentWindowMs: 900_000,
    });
  });
});
