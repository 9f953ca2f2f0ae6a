import assert from "node:assert/strict";
import { test } from "node:test";
import { assertDefinition, type InventoryDefinition, withDefaults } from "./definition.ts";
import * as limits from "./limits.ts";
import { definition } from "./testing/fixtures.ts";

test("a definition from before charges and promo codes is completed", () => {
  const { charges, promoCodes, churn, cancelUntilMs, paymentWindowMs, seatMap, ...old } =
    definition();
  const whole = withDefaults(old);
  assert.deepEqual(whole, definition());
  assertDefinition(whole);
});

test("completing a whole definition changes nothing", () => {
  const whole = definition({
    charges: { fees: [{ name: "Fee", kind: "fixed", minor: 1 }], tax: null },
    churn: { freeDrops: 1, windowMs: 1_000, firstWaitMs: 1_000, waitMsMax: 2_000 },
    cancelUntilMs: 7,
    paymentWindowMs: 60_000,
    seatMap: Uint8Array.of(1, 2),
  });
  assert.deepEqual(withDefaults(whole), whole);
});

test("a seat map is freed of the buffer it lies in, and empty where JSON took its bytes", () => {
  const frame = Buffer.from([9, 1, 2, 9]);
  const { seatMap } = withDefaults(definition({ seatMap: frame.subarray(1, 3) }));
  assert.deepEqual(seatMap, Uint8Array.of(1, 2));
  assert.equal(seatMap.buffer.byteLength, 2);
  const stored = JSON.parse(JSON.stringify(definition())) as InventoryDefinition;
  assert.deepEqual(withDefaults(stored).seatMap, new Uint8Array());
});

test("what validation should have refused is a bug", () => {
  assertDefinition(definition());
  const wrong: Partial<InventoryDefinition>[] = [
    { charges: { fees: [], tax: { name: "", basisPoints: -1, included: false } } },
    { churn: { freeDrops: 1, windowMs: 1, firstWaitMs: 1, waitMsMax: 1 } },
    { cancelUntilMs: 0.5 },
    { paymentWindowMs: limits.PAYMENT_WINDOW_MS_MIN - 1 },
    { paymentWindowMs: limits.PAYMENT_WINDOW_MS_MAX + 1 },
    { seatMap: new Uint8Array(limits.SEAT_MAP_BYTES_MAX + 1) },
  ];
  for (const changes of wrong) {
    const check = () => assertDefinition(definition(changes));
    assert.throws(check, { code: "assertion_failed" }, JSON.stringify(Object.keys(changes)));
  }
});
