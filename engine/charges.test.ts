import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { assertChargeRules, type ChargeRules, chargeOf, NO_CHARGES } from "./charges.ts";
import { BASIS_POINTS_MAX, FEE_MINOR_MAX, FEES_PER_EVENT_MAX, PRICE_MINOR_MAX } from "./limits.ts";
import { divideHalfEven } from "./round-half-even.ts";

const price = fc.integer({ min: 0, max: PRICE_MINOR_MAX });
const basisPoints = fc.integer({ min: 0, max: BASIS_POINTS_MAX });
const name = fc.constant("any");
const fee = fc.oneof(
  fc.record({ name, kind: fc.constant("fixed" as const), minor: price }),
  fc.record({ name, kind: fc.constant("percent" as const), basisPoints }),
);
const tax = fc.record({ name, basisPoints, included: fc.boolean() });
const rules: fc.Arbitrary<ChargeRules> = fc.record({
  fees: fc.array(fee, { maxLength: FEES_PER_EVENT_MAX }),
  tax: fc.option(tax),
});

/** Rounds half to even by comparing twice the remainder, on numbers without a bound. */
function divide(numerator: bigint, denominator: bigint): bigint {
  const floor = numerator / denominator;
  const twice = 2n * (numerator % denominator);
  const isUp = twice > denominator || (twice === denominator && floor % 2n === 1n);
  return isUp ? floor + 1n : floor;
}

/** The page above `chargeOf`, once more. */
function reference({ fees, tax }: ChargeRules, priceMinor: number, discountMinor: number) {
  const whole = BigInt(BASIS_POINTS_MAX);
  const discount = BigInt(Math.min(discountMinor, priceMinor));
  const base = BigInt(priceMinor) - discount;
  const feesOf = fees.map((rule) =>
    rule.kind === "fixed" ? BigInt(rule.minor) : divide(base * BigInt(rule.basisPoints), whole),
  );
  const fee = base === 0n ? 0n : feesOf.reduce((sum, each) => sum + each, 0n);
  const gross = base + fee;
  const points = BigInt(tax?.basisPoints ?? 0);
  const isOnTop = tax !== null && !tax.included;
  const taxed = divide(gross * points, isOnTop ? whole : whole + points);
  return {
    discountMinor: Number(discount),
    feeMinor: Number(fee),
    taxMinor: Number(taxed),
    dueMinor: Number(isOnTop ? gross + taxed : gross),
  };
}

test("a half is rounded to the even neighbour, everything else to the nearest", () => {
  const rounded = [1, 2, 3, 4, 5, 6, 7].map((numerator) => divideHalfEven(numerator, 2));
  assert.deepEqual(rounded, [0, 1, 2, 2, 2, 3, 4]);
  assert.equal(divideHalfEven(Number.MAX_SAFE_INTEGER, 2), 2 ** 52);
  const numerator = fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER });
  const denominator = fc.integer({ min: 1, max: 20_000 });
  fc.assert(
    fc.property(numerator, denominator, (n, d) => {
      assert.equal(BigInt(divideHalfEven(n, d)), divide(BigInt(n), BigInt(d)));
    }),
    { numRuns: 2_000 },
  );
});

test("what a place costs is what unbounded integers say", () => {
  fc.assert(
    fc.property(rules, price, price, (given, priceMinor, discountMinor) => {
      const expected = reference(given, priceMinor, discountMinor);
      assert.deepEqual(chargeOf(given, priceMinor, discountMinor), expected);
    }),
    { numRuns: 2_000 },
  );
});

test("base, fees and a tax on top add up to what is due, and nothing is negative", () => {
  fc.assert(
    fc.property(rules, price, price, (given, priceMinor, discountMinor) => {
      const charge = chargeOf(given, priceMinor, discountMinor);
      for (const part of Object.values(charge)) assert.ok(Number.isSafeInteger(part) && part >= 0);
      const onTop = given.tax === null || given.tax.included ? 0 : charge.taxMinor;
      const gross = priceMinor - charge.discountMinor + charge.feeMinor;
      assert.equal(charge.dueMinor, gross + onTop);
      assert.ok(charge.taxMinor <= charge.dueMinor);
    }),
  );
});

test("an inclusive tax is what the net would bear, to the unit that rounding allows", () => {
  const included = fc.record({ name, basisPoints, included: fc.constant(true) });
  fc.assert(
    fc.property(included, price, (tax, priceMinor) => {
      const { taxMinor, dueMinor } = chargeOf({ fees: [], tax }, priceMinor, 0);
      assert.equal(dueMinor, priceMinor);
      const onNet = chargeOf(
        { fees: [], tax: { ...tax, included: false } },
        dueMinor - taxMinor,
        0,
      );
      assert.ok(Math.abs(onNet.dueMinor - dueMinor) <= 1);
    }),
  );
});

test("a dearer place never costs less, and a larger discount never more", () => {
  fc.assert(
    fc.property(rules, price, price, price, (given, a, b, discountMinor) => {
      const [less, more] = a < b ? [a, b] : [b, a];
      const cheap = chargeOf(given, less, discountMinor);
      const dear = chargeOf(given, more, discountMinor);
      assert.ok(cheap.dueMinor <= dear.dueMinor && cheap.taxMinor <= dear.taxMinor);
      assert.ok(chargeOf(given, more, less).dueMinor >= chargeOf(given, more, more).dueMinor);
    }),
  );
});

test("a free place bears no fee and no tax, whatever the rules are", () => {
  fc.assert(
    fc.property(rules, price, (given, priceMinor) => {
      const free = { discountMinor: priceMinor, feeMinor: 0, taxMinor: 0, dueMinor: 0 };
      assert.deepEqual(chargeOf(given, priceMinor, PRICE_MINOR_MAX), free);
    }),
  );
});

test("without fees and tax a place costs its price less the discount", () => {
  const charge = { discountMinor: 500, feeMinor: 0, taxMinor: 0, dueMinor: 4000 };
  assert.deepEqual(chargeOf(NO_CHARGES, 4500, 500), charge);
});

test("the example that the file opens with is so", () => {
  const given: ChargeRules = {
    fees: [
      { name: "Booking", kind: "fixed", minor: 120 },
      { name: "System", kind: "percent", basisPoints: 250 },
    ],
    tax: { name: "VAT", basisPoints: 1900, included: false },
  };
  const onTop = { discountMinor: 500, feeMinor: 220, taxMinor: 802, dueMinor: 5022 };
  assert.deepEqual(chargeOf(given, 4500, 500), onTop);
  const tax = { name: "VAT", basisPoints: 1900, included: true };
  const within = { discountMinor: 500, feeMinor: 220, taxMinor: 674, dueMinor: 4220 };
  assert.deepEqual(chargeOf({ ...given, tax }, 4500, 500), within);
});

test("the dearest place with the highest fees and tax is still exact", () => {
  const fees = Array.from({ length: FEES_PER_EVENT_MAX }, () => {
    return { name: "all", kind: "fixed" as const, minor: FEE_MINOR_MAX };
  });
  const tax = { name: "all", basisPoints: BASIS_POINTS_MAX, included: false };
  const { dueMinor } = chargeOf({ fees, tax }, PRICE_MINOR_MAX, 0);
  assert.equal(dueMinor, 2 * (FEES_PER_EVENT_MAX * FEE_MINOR_MAX + PRICE_MINOR_MAX));
});

test("rules and amounts that validation should have refused are bugs", () => {
  const tax = (basisPoints: number) => ({
    fees: [],
    tax: { name: "", basisPoints, included: true },
  });
  const fixed = (minor: number) => ({ name: "", kind: "fixed" as const, minor });
  const wrong: ChargeRules[] = [
    ...[-1, 0.5, BASIS_POINTS_MAX + 1, Number.NaN].map(tax),
    ...[-1, 0.5, FEE_MINOR_MAX + 1].map((minor) => ({ fees: [fixed(minor)], tax: null })),
    { fees: Array.from({ length: FEES_PER_EVENT_MAX + 1 }, () => fixed(1)), tax: null },
  ];
  for (const each of wrong)
    assert.throws(() => assertChargeRules(each), { code: "assertion_failed" });
  const amounts: readonly (readonly [number, number])[] = [
    [-1, 0],
    [0, -1],
    [0.5, 0],
    [PRICE_MINOR_MAX + 1, 0],
  ];
  for (const [priceMinor, discountMinor] of amounts) {
    const charge = () => chargeOf(NO_CHARGES, priceMinor, discountMinor);
    assert.throws(charge, { code: "assertion_failed" });
  }
});
