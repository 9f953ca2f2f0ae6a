import assert from "node:assert/strict";
import { test } from "node:test";
import { priceFault, totalOf } from "./told-price.ts";

const bodyOf = (prices: readonly number[], amount: number): string =>
  JSON.stringify({
    id: "h",
    items: prices.map((price, n) => ({ id: `i${n}`, area: "floor", category: "standing", price })),
    total: { amount, currency: "EUR" },
    seq: 7,
  });

test("what a hold costs is what its places do", () => {
  assert.equal(priceFault(bodyOf([1_000], 1_000), 1), null);
  assert.equal(priceFault(bodyOf([1_000, 1_000, 1_000], 3_000), 3), null);
  assert.equal(totalOf(bodyOf([1_000, 1_000], 2_000)), 2_000);
});

test("another total, another price, and one too few are found, and so is silence", () => {
  assert.match(priceFault(bodyOf([1_000, 1_000], 4_000), 2) ?? "", /^a total of 4000 for 2 places/);
  assert.match(priceFault(bodyOf([999, 1_001], 2_000), 2) ?? "", /^a price of 999 /);
  assert.equal(priceFault(bodyOf([1_000], 2_000), 2), "1 prices for 2 places");
  assert.match(priceFault('{"id":"h"}', 1) ?? "", /^a total of null/);
  assert.equal(totalOf('{"total":{"amount":null}}'), null);
});
