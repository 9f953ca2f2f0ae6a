import assert from "node:assert/strict";
import { test } from "node:test";
import { priceOf } from "./booking-sheet.ts";

const shown = (currency: string, minor: number): string =>
  priceOf({ currency }, minor).replaceAll("\u00a0", " ");

test("a price has the digits of its currency's minor units", () => {
  assert.equal(shown("EUR", 4550), "€45.50");
  assert.equal(shown("JPY", 4550), "JP¥4,550");
  assert.equal(shown("KWD", 4550), "KWD 4.550");
  // Prices in forints are mostly written without the fillér that they are counted in.
  assert.equal(shown("HUF", 450_000), "HUF 4,500.00");
  assert.equal(shown("IDR", 15_000_050), "IDR 150,000.50");
  assert.equal(shown("IQD", 25_000_000), "IQD 25,000.000");
});
