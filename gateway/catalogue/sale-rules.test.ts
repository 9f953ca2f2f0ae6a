/** The rules of a sale beside prices and places: promo codes, churn, windows, local times. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { NO_CHARGES } from "../../engine/charges.ts";
import { assertDefinition } from "../../engine/definition.ts";
import { type EventId, uuidV7 } from "../../engine/ids.ts";
import { PROMO_CODES_PER_EVENT_MAX } from "../../engine/limits.ts";
import {
  checkEventBody,
  type EventDraft,
  inventoryDefinitionOf,
  parseEventDraft,
} from "./event-definition.ts";
import { promoView } from "./event-promos.ts";

const eventId = uuidV7(2, new Uint8Array(10)) as EventId;
const CLUB = {
  organizationId: uuidV7(1, new Uint8Array(10)),
  title: "Concert",
  startsAt: "2027-10-31T02:30",
  timezone: "Europe/Berlin",
  priceCategories: [
    { key: "std", price: 4500 },
    { key: "vip", price: 9000 },
  ],
  areas: [{ key: "floor", capacity: 5, priceCategory: "std" }],
};

function parsed(more: object) {
  const checked = checkEventBody({ ...CLUB, ...more });
  return checked.ok ? parseEventDraft(checked.value, { currency: "CHF" }) : checked;
}

function draftOf(more: object): EventDraft {
  const draft = parsed(more);
  assert.ok(draft.ok, JSON.stringify(draft));
  return draft.value;
}

function errorsOf(more: object): Record<string, string> {
  const draft = parsed(more);
  assert.ok(!draft.ok);
  return Object.fromEntries(draft.errors.map(({ path, message }) => [path, message]));
}

describe("promo codes", () => {
  it("become the engine's, under their normal form and with indexes for keys", () => {
    const promoCodes = [
      { code: " early ", percent: "12.5", categories: ["vip"], until: "2027-10-31T02:30" },
      { code: "Five", amount: 500, from: "2027-10-31T02:30", uses: 10, usesPerUser: 1 },
    ];
    const draft = draftOf({ promoCodes });
    const definition = inventoryDefinitionOf(
      { ...draft, eventId, charges: NO_CHARGES },
      "published",
    );
    assertDefinition(definition);
    assert.deepEqual(definition.promoCodes, [
      {
        code: "EARLY",
        kind: "percent",
        value: 1250,
        categories: [1],
        fromMs: null,
        untilMs: Date.parse("2027-10-31T01:30:00Z"),
        usesMax: null,
        usesPerUserMax: null,
      },
      {
        code: "FIVE",
        kind: "amount",
        value: 500,
        categories: null,
        fromMs: Date.parse("2027-10-31T00:30:00Z"),
        untilMs: null,
        usesMax: 10,
        usesPerUserMax: 1,
      },
    ]);
    assert.deepEqual(draft.promoCodes.map(promoView), [
      {
        code: "EARLY",
        percent: "12.5",
        categories: ["vip"],
        from: null,
        until: "2027-10-31T01:30:00.000Z",
        uses: null,
        usesPerUser: null,
      },
      {
        code: "FIVE",
        amount: 500,
        categories: null,
        from: "2027-10-31T00:30:00.000Z",
        until: null,
        uses: 10,
        usesPerUser: 1,
      },
    ]);
  });

  const wrong: readonly (readonly [what: string, promo: object, path: string, message: RegExp])[] =
    [
      ["of no characters", { code: "A B", amount: 1 }, "promoCodes[1].code", /visible characters/],
      ["that is there twice", { code: "first", amount: 1 }, "promoCodes[1].code", /"FIRST", as an/],
      ["that takes nothing off", { code: "X" }, "promoCodes[1]", /percent or amount/],
      ["of two kinds", { code: "X", percent: "1", amount: 1 }, "promoCodes[1]", /one of them/],
      ["of more than all", { code: "X", percent: "101" }, "promoCodes[1].percent", /percentage/],
      [
        "for an unknown category",
        { code: "X", amount: 1, categories: ["std", "gold"] },
        "promoCodes[1].categories[1]",
        /is "gold", which no price category has/,
      ],
      [
        "that ends before it begins",
        { code: "X", amount: 1, from: "2027-06-01T00:00Z", until: "2027-05-01T00:00Z" },
        "promoCodes[1].until",
        /after from/,
      ],
      [
        "from a time that clocks skip",
        { code: "X", amount: 1, from: "2027-03-28T02:30" },
        "promoCodes[1].from",
        /no clock in Europe\/Berlin/,
      ],
      ["of negative uses", { code: "X", amount: 1, uses: -1 }, "promoCodes[1].uses", /at least 0/],
    ];
  for (const [what, promo, path, message] of wrong) {
    it(`refuses one ${what} at ${path}`, () => {
      const promoCodes = [{ code: "FIRST", percent: "5" }, promo];
      assert.match(errorsOf({ promoCodes })[path] ?? "", message);
    });
  }

  it("have a bound", () => {
    const promoCodes = Array.from({ length: PROMO_CODES_PER_EVENT_MAX + 1 }, (_, n) => {
      return { code: `C${n}`, amount: 1 };
    });
    assert.ok("promoCodes" in errorsOf({ promoCodes }));
  });
});

describe("times without an offset", () => {
  it("are the event's own: beginnings the earlier, ends the later of two", () => {
    const twice = "2027-10-31T02:30:00";
    const draft = draftOf({ endsAt: twice, salesOpenAt: twice, salesCloseAt: twice });
    assert.equal(draft.startsMs, Date.parse("2027-10-31T00:30:00Z"));
    assert.equal(draft.salesOpenMs, Date.parse("2027-10-31T00:30:00Z"));
    assert.equal(draft.endsMs, Date.parse("2027-10-31T01:30:00Z"));
    assert.equal(draft.salesCloseMs, Date.parse("2027-10-31T01:30:00Z"));
    const late = draftOf({ cancellableUntil: twice });
    assert.equal(late.cancelUntilMs, Date.parse("2027-10-31T01:30:00Z"));
  });

  it("are UTC's when the event has no zone", () => {
    const draft = draftOf({ timezone: null, salesOpenAt: "2027-03-28T02:30" });
    assert.equal(draft.salesOpenMs, Date.parse("2027-03-28T02:30:00Z"));
  });

  it("are refused where the clocks skip them, all at once", () => {
    const skipped = "2027-03-28T02:30";
    const names = ["startsAt", "endsAt", "salesOpenAt", "salesCloseAt", "cancellableUntil"];
    const errors = errorsOf(Object.fromEntries(names.map((name) => [name, skipped])));
    assert.deepEqual(Object.keys(errors), names);
    assert.match(errors.startsAt ?? "", /^is 2027-03-28T02:30, which no clock in Europe\/Berlin/);
  });
});

describe("holdChurn and the payment window", () => {
  it("are off and a quarter of an hour", () => {
    const draft = draftOf({});
    assert.equal(draft.churn, null);
    assert.equal(draft.paymentWindowMs, 900_000);
    assert.equal(draft.cancelUntilMs, null);
    assert.equal(draftOf({ holdChurn: null }).churn, null);
  });

  it("are filled up with the defaults", () => {
    const usual = { freeDrops: 10, windowMs: 600_000, firstWaitMs: 5_000, waitMsMax: 300_000 };
    assert.deepEqual(draftOf({ holdChurn: {} }).churn, usual);
    const churn = { freeDrops: 0, firstWaitSeconds: 30 };
    const expected = { ...usual, freeDrops: 0, firstWaitMs: 30_000 };
    assert.deepEqual(draftOf({ holdChurn: churn }).churn, expected);
    assert.equal(draftOf({ paymentWindowSeconds: 1 }).paymentWindowMs, 1_000);
  });

  it("have bounds", () => {
    const errors = errorsOf({
      holdChurn: { freeDrops: 51, windowSeconds: 0, maxWaitSeconds: 7200 },
      paymentWindowSeconds: 0,
    });
    assert.deepEqual(Object.keys(errors).sort(), [
      "holdChurn.freeDrops",
      "holdChurn.maxWaitSeconds",
      "holdChurn.windowSeconds",
      "paymentWindowSeconds",
    ]);
    const path = "holdChurn.maxWaitSeconds";
    const late = errorsOf({ holdChurn: { firstWaitSeconds: 600 } })[path];
    assert.equal(late, "must be at least firstWaitSeconds, 600");
  });
});
