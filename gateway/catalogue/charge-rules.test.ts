import assert from "node:assert/strict";
import { test } from "node:test";
import { assertChargeRules } from "../../engine/charges.ts";
import { compileSchema, type FieldError } from "../http/validation.ts";
import {
  basisPointsOf,
  chargesView,
  FeesBody,
  feesOf,
  percentOf,
  TaxBody,
  taxOf,
} from "./charge-rules.ts";

test("every share of hundredths of a percent is written and read without loss", () => {
  for (let points = 0; points <= 10_000; points += 1) {
    assert.match(percentOf(points), /^\d{1,3}(\.\d{1,2})?$/);
    assert.equal(basisPointsOf(percentOf(points)), points);
  }
  assert.deepEqual(
    ["2.5", "2.50", "02.05", "19", "100.00", "0.01"].map(basisPointsOf),
    [250, 250, 205, 1900, 10_000, 1],
  );
});

test("fees and taxes become the engine's rules, and are shown as they were written", () => {
  const fees = [
    { name: " Booking ", fixed: 150 },
    { name: "System", percent: "2.5" },
  ];
  const tax = { name: "VAT", percent: "19", included: true };
  const errors: FieldError[] = [];
  const rules = { fees: feesOf(fees, errors), tax: taxOf(tax) };
  assert.deepEqual(errors, []);
  assertChargeRules(rules);
  assert.deepEqual(rules, {
    fees: [
      { name: "Booking", kind: "fixed", minor: 150 },
      { name: "System", kind: "percent", basisPoints: 250 },
    ],
    tax: { name: "VAT", basisPoints: 1900, included: true },
  });
  const shown = [{ name: "Booking", fixed: 150 }, fees[1]];
  assert.deepEqual(chargesView(rules), { fees: shown, tax });
  assert.equal(taxOf(null), null);
});

test("a fee is fixed or a share, and not both", () => {
  const errors: FieldError[] = [];
  feesOf([{ name: "a", fixed: 1 }, { name: "b" }, { name: "c", fixed: 1, percent: "1" }], errors);
  const message = "must have fixed or percent, one of them";
  assert.deepEqual(errors, [
    { path: "fees[1]", message },
    { path: "fees[2]", message },
  ]);
});

test("what no rule could be is refused by the schemas", () => {
  const checkFees = compileSchema(FeesBody);
  const checkTax = compileSchema(TaxBody);
  const fee = { name: "a", fixed: 1 };
  const wrong: unknown[] = [
    [{ name: "a", fixed: -1 }],
    [{ name: "a", fixed: 0.5 }],
    [{ name: "a", percent: "100.5" }],
    [{ name: "a", percent: 2.5 }],
    [{ name: "", fixed: 1 }],
    Array.from({ length: 9 }, () => fee),
  ];
  assert.equal(checkFees([fee]).ok, true);
  for (const fees of wrong) assert.equal(checkFees(fees).ok, false, JSON.stringify(fees));
  for (const tax of [
    {},
    { name: "VAT", percent: "19" },
    { name: "VAT", percent: "x", included: true },
  ])
    assert.equal(checkTax(tax).ok, false);
});
