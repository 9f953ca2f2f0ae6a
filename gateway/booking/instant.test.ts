import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { iso } from "./instant.ts";

test("an instant is written as Date writes it", () => {
  const instants = fc.integer({ min: -8.64e15, max: 8.64e15 });
  fc.assert(
    fc.property(instants, (ms) => {
      assert.equal(iso(ms), new Date(ms).toISOString());
    }),
  );
  for (const ms of [0, -1, 999, 86_399_999, 86_400_000, Date.parse("2028-02-29T23:59:59.999Z")]) {
    assert.equal(iso(ms), new Date(ms).toISOString());
  }
});

test("what is no instant is none here", () => {
  for (const ms of [Number.NaN, 8.64e15 + 86_400_000]) assert.throws(() => iso(ms), RangeError);
});
