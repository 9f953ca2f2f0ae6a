import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { UserId } from "./ids.ts";
import { PRICE_MINOR_MAX, PROMO_CODES_PER_EVENT_MAX } from "./limits.ts";
import {
  appliesTo,
  assertPromoCodes,
  discountOf,
  findPromo,
  normalizePromoCode,
  type PromoDefinition,
  PromoUses,
  refusalByPlaces,
} from "./promo-codes.ts";
import { ALICE, BOB, NOON } from "./testing/fixtures.ts";

function promo(changes: Partial<PromoDefinition> = {}): PromoDefinition {
  return {
    code: "EARLY",
    kind: "percent",
    value: 1000,
    categories: null,
    fromMs: null,
    untilMs: null,
    usesMax: null,
    usesPerUserMax: null,
    ...changes,
  };
}

test("a code is compared without case and the space around it", () => {
  for (const text of ["EARLY", "early", " Early\t", "ｅａｒｌｙ"]) {
    assert.equal(normalizePromoCode(text), "EARLY");
  }
  assert.equal(normalizePromoCode("Früh-20%"), "FRÜH-20%");
  assert.equal(normalizePromoCode("Fru\u0308h-20%"), "FRÜH-20%");
  assert.equal(normalizePromoCode("x".repeat(64)), "X".repeat(64));
});

test("what has other than 1 to 64 visible characters is no code", () => {
  const invisible = [
    "",
    "  ",
    "A B",
    "A\nB",
    "A\u200bB",
    "A\u0000",
    "x".repeat(65),
    "x".repeat(9999),
  ];
  for (const text of invisible) assert.equal(normalizePromoCode(text), null, JSON.stringify(text));
});

test("a normalised code is its own normal form", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary", maxLength: 20 }), (text) => {
      const code = normalizePromoCode(text);
      if (code !== null) assert.equal(normalizePromoCode(code), code);
    }),
    { numRuns: 20_000 },
  );
});

test("a percentage is rounded half to even, an amount ends at the price", () => {
  const percent = promo({ value: 1000 });
  assert.deepEqual(
    [4500, 5, 15, 0].map((price) => discountOf(percent, 0, price)),
    [450, 0, 2, 0],
  );
  const amount = promo({ kind: "amount", value: 500 });
  assert.deepEqual(
    [4500, 500, 499, 0].map((price) => discountOf(amount, 0, price)),
    [500, 500, 499, 0],
  );
});

test("a discount is never above the price, and grows with it", () => {
  const price = fc.integer({ min: 0, max: PRICE_MINOR_MAX });
  const promos = fc.oneof(
    fc.integer({ min: 0, max: 10_000 }).map((value) => promo({ value })),
    price.map((value) => promo({ kind: "amount", value })),
  );
  fc.assert(
    fc.property(promos, price, price, (given, a, b) => {
      const [less, more] = a < b ? [a, b] : [b, a];
      const [small, large] = [discountOf(given, 0, less), discountOf(given, 0, more)];
      assert.ok(small >= 0 && small <= less && large <= more && small <= large);
    }),
  );
});

test("a code for some categories leaves the others alone", () => {
  const given = promo({ categories: [1, 3] });
  assert.deepEqual(
    [0, 1, 2, 3].map((category) => discountOf(given, category, 100)),
    [0, 10, 0, 10],
  );
  assert.equal(appliesTo(given, 0), false);
  assert.equal(refusalByPlaces(given, [0, 1]), null);
  const refusal = { code: "promo_not_valid", reason: "no_place_it_applies_to" };
  assert.deepEqual(refusalByPlaces(given, [0, 2]), refusal);
  assert.equal(refusalByPlaces(promo(), [0]), null);
});

test("a code is found by its name", () => {
  const codes = [promo(), promo({ code: "LATE" })];
  assert.equal(findPromo(codes, "LATE"), codes[1]);
  assert.equal(findPromo(codes, "late"), undefined);
});

test("each reason to refuse is told, the time before the uses", () => {
  const uses = new PromoUses();
  const reasonOf = (given: PromoDefinition | undefined, userId = ALICE, nowMs = NOON) =>
    uses.refusalOf(given, userId, nowMs)?.reason ?? null;
  assert.equal(reasonOf(undefined), "unknown");
  const timed = promo({ fromMs: NOON, untilMs: NOON + 10, usesMax: 2, usesPerUserMax: 1 });
  assert.equal(reasonOf(timed, ALICE, NOON - 1), "not_yet");
  assert.equal(reasonOf(timed), null);
  assert.equal(reasonOf(timed, ALICE, NOON + 9), null);
  assert.equal(reasonOf(timed, ALICE, NOON + 10), "over");
  uses.reserve("EARLY", ALICE);
  assert.equal(reasonOf(timed), "used_by_you");
  assert.equal(reasonOf(timed, BOB), null);
  uses.reserve("EARLY", BOB);
  assert.equal(reasonOf(timed, BOB), "used_by_you");
  const carol = "018f3c9a-7b10-7000-8000-0000000ca401" as UserId;
  assert.equal(reasonOf(timed, carol), "used_up");
  assert.equal(reasonOf(timed, carol, NOON + 10), "over");
  uses.giveBack("EARLY", BOB);
  assert.equal(reasonOf(timed, carol), null);
  assert.equal(reasonOf(timed, BOB), null);
  assert.equal(reasonOf(promo({ usesMax: 0 }), carol), "used_up");
});

test("uses are counted by code and buyer, and none is given back that was not taken", () => {
  const code = fc.constantFrom("A", "B", "C");
  const user = fc.constantFrom(ALICE, BOB);
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.boolean(), code, user)), (steps) => {
      const uses = new PromoUses();
      const model = new Map<string, number>();
      for (const [isTaken, name, userId] of steps) {
        const key = `${name} ${userId}`;
        const count = model.get(key) ?? 0;
        if (isTaken) {
          uses.reserve(name, userId);
          model.set(key, count + 1);
        } else if (count === 0) {
          assert.throws(() => uses.giveBack(name, userId), { code: "assertion_failed" });
        } else {
          uses.giveBack(name, userId);
          model.set(key, count - 1);
        }
        assert.equal(uses.usesBy(name, userId), model.get(key) ?? 0);
        const total = [ALICE, BOB].reduce((sum, id) => sum + (model.get(`${name} ${id}`) ?? 0), 0);
        assert.equal(uses.usesOf(name), total);
      }
      const told = Array.from(uses.all(), ({ code, userId, uses }) => [`${code} ${userId}`, uses]);
      const expected = [...model].filter(([, count]) => count > 0);
      assert.deepEqual(told.sort(), expected.sort());
    }),
  );
});

test("codes that validation should have refused are bugs", () => {
  assertPromoCodes([promo({ categories: [0, 1] }), promo({ code: "LATE" })], 2);
  const wrong: PromoDefinition[][] = [
    [promo(), promo()],
    [promo({ code: "early" })],
    [promo({ value: 10_001 })],
    [promo({ kind: "amount", value: PRICE_MINOR_MAX + 1 })],
    [promo({ kind: "amount", value: 0.5 })],
    [promo({ categories: [2] })],
    [promo({ usesMax: -1 })],
    [promo({ untilMs: 0.5 })],
    Array.from({ length: PROMO_CODES_PER_EVENT_MAX + 1 }, (_, n) => promo({ code: `C${n}` })),
  ];
  for (const codes of wrong) {
    assert.throws(() => assertPromoCodes(codes, 2), { code: "assertion_failed" });
  }
});
