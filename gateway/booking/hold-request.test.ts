import assert from "node:assert/strict";
import { test } from "node:test";
import { PLACES_PER_HOLD_MAX } from "../../engine/limits.ts";
import { holdBody, wantedOf } from "./hold-request.ts";
import { eventEntry } from "./testing/event-entry.ts";

const EVENT = eventEntry();

/** What a body becomes: places, or the code of its problem and what that names. */
function translated(body: unknown): unknown {
  const checked = holdBody(body);
  if (!checked.ok) return checked.errors.map(({ path }) => path);
  const wanted = wantedOf(checked.value, EVENT);
  if (!("kind" in wanted)) {
    const { places, ...others } = wanted;
    const isPlain = others.best.length === 0 && !others.promoCode && !others.channel;
    return isPlain ? places : wanted;
  }
  const { errors, ...members } = wanted.members;
  const paths = Array.isArray(errors) ? errors.map(({ path }) => path) : undefined;
  const { detail: _, ...named } = members;
  return { code: wanted.code, ...named, ...(paths === undefined ? {} : { paths }) };
}

const items = (...list: unknown[]): unknown => translated({ items: list });

test("seats become their index, areas as many places as are wanted", () => {
  assert.deepEqual(items({ seat: "A-1" }, { seat: "A-10" }), [0, 9]);
  assert.deepEqual(items({ area: "floor", quantity: 3 }), [-1, -1, -1]);
  assert.deepEqual(items({ area: "floor", quantity: 1 }, { seat: "A-2" }), [-1, 1]);
  assert.deepEqual(items({ seat: "A-3", quantity: 1 }), [2]);
});

test("what does not exist is named", () => {
  assert.deepEqual(items({ seat: "A-1" }, { seat: "Z-1" }, { seat: "Z-2" }), {
    code: "unknown_seat",
    seats: ["Z-1", "Z-2"],
  });
  assert.deepEqual(items({ area: "roof", quantity: 1 }), { code: "unknown_area", areas: ["roof"] });
  assert.deepEqual(items({ seat: "__proto__" }), { code: "unknown_seat", seats: ["__proto__"] });
});

test("an item is a seat, or an area with a quantity", () => {
  const invalid = (...paths: string[]) => ({ code: "validation_failed", paths });
  assert.deepEqual(items({}), invalid("items[0]"));
  assert.deepEqual(items({ seat: "A-1", area: "floor", quantity: 1 }), invalid("items[0]"));
  assert.deepEqual(items({ area: "floor" }), invalid("items[0].quantity"));
  assert.deepEqual(items({ seat: "A-1", quantity: 2 }), invalid("items[0].quantity"));
  assert.deepEqual(items({ seat: "A-1" }, { seat: "A-1" }), invalid("items[1].seat"));
});

test("who names nothing is told of all that can be named", () => {
  const told = (item: object) => {
    const checked = holdBody({ items: [item] });
    assert.ok(checked.ok);
    const wanted = wantedOf(checked.value, EVENT);
    assert.ok("kind" in wanted);
    return wanted.members.errors;
  };
  const message = "must be a seat, an area with a quantity, or bestAvailable";
  assert.deepEqual(told({}), [{ path: "items[0]", message }]);
  assert.deepEqual(told({ quantity: 2 }), [{ path: "items[0]", message }]);
});

test("a wish for the best places names category and zone by index", () => {
  const plain = { places: [], promoCode: null, channel: null };
  const wish = { quantity: 2, category: null, zone: null, adjacent: true, accessible: false };
  assert.deepEqual(items({ bestAvailable: { quantity: 2 } }), { ...plain, best: [wish] });
  const given = {
    quantity: 3,
    category: "standing",
    zone: "Balcony",
    adjacent: false,
    accessible: true,
  };
  assert.deepEqual(items({ seat: "A-1" }, { bestAvailable: given }), {
    ...plain,
    places: [0],
    best: [{ ...given, category: 1, zone: 1 }],
  });
});

test("a wish for what does not exist names it", () => {
  assert.deepEqual(items({ bestAvailable: { quantity: 1, category: "royal" } }), {
    code: "unknown_category",
    categories: ["royal"],
  });
  assert.deepEqual(items({ seat: "A-1" }, { bestAvailable: { quantity: 1, zone: "Roof" } }), {
    code: "validation_failed",
    paths: ["items[1].bestAvailable.zone"],
  });
  assert.deepEqual(items({ bestAvailable: { quantity: 1 }, seat: "A-1" }), {
    code: "validation_failed",
    paths: ["items[0]"],
  });
  assert.deepEqual(items({ bestAvailable: { quantity: 0 } }), ["items[0].bestAvailable.quantity"]);
});

test("a promo code is compared in one form, and has to be one", () => {
  const body = { items: [{ seat: "A-1" }], promoCode: " early ", channel: "club" };
  assert.deepEqual(translated(body), {
    places: [0],
    best: [],
    promoCode: "EARLY",
    channel: "club",
  });
  for (const promoCode of ["", "two words", "\u0000"]) {
    assert.deepEqual(translated({ ...body, promoCode }), {
      code: "validation_failed",
      paths: ["promoCode"],
    });
  }
  assert.deepEqual(translated({ ...body, channel: "" }), ["channel"]);
});

test("a member that is null is absent", () => {
  const wish = { quantity: 2, category: null, zone: null, adjacent: null, accessible: null };
  const list = [
    { seat: "A-1", area: null, quantity: null, bestAvailable: null },
    { seat: null, area: null, quantity: null, bestAvailable: wish },
  ];
  assert.deepEqual(translated({ items: list, promoCode: null, channel: null }), {
    places: [0],
    best: [{ quantity: 2, category: null, zone: null, adjacent: true, accessible: false }],
    promoCode: null,
    channel: null,
  });
});

test("wrong types are refused by their path", () => {
  assert.deepEqual(translated(undefined), [""]);
  assert.deepEqual(translated([]), [""]);
  assert.deepEqual(translated({}), ["items"]);
  assert.deepEqual(items(), ["items"]);
  assert.deepEqual(items({ seat: 7 }), ["items[0].seat"]);
  assert.deepEqual(items({ area: "floor", quantity: 1.5 }), ["items[0].quantity"]);
  assert.deepEqual(items({ area: "floor", quantity: 0 }), ["items[0].quantity"]);
  assert.deepEqual(items({ area: "floor", quantity: -1 }), ["items[0].quantity"]);
  assert.deepEqual(items(null), ["items[0]"]);
});

test("more places than any order may have are refused", () => {
  const half = { area: "floor", quantity: PLACES_PER_HOLD_MAX / 2 + 1 };
  assert.deepEqual(items(half, half), {
    code: "limit_exceeded",
    scope: "perOrder",
    limit: EVENT.perOrderMax,
    current: PLACES_PER_HOLD_MAX + 2,
  });
  const crowd = { code: "limit_exceeded", scope: "perOrder", limit: EVENT.perOrderMax };
  for (const item of [{ area: "floor", quantity: 1e6 }, { bestAvailable: { quantity: 1e6 } }]) {
    assert.deepEqual(items(item), { ...crowd, current: 1e6 });
  }
  const all = { area: "floor", quantity: PLACES_PER_HOLD_MAX };
  assert.equal((items(all) as number[]).length, PLACES_PER_HOLD_MAX);
});

test("wishes count against what an order may have", () => {
  const wish = { bestAvailable: { quantity: PLACES_PER_HOLD_MAX } };
  assert.deepEqual(items({ seat: "A-1" }, wish), {
    code: "limit_exceeded",
    scope: "perOrder",
    limit: EVENT.perOrderMax,
    current: PLACES_PER_HOLD_MAX + 1,
  });
});
