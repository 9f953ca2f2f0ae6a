import assert from "node:assert/strict";
import { test } from "node:test";
import { watchClock } from "./clock-gaps.ts";

test("what the clock jumps by is lost, and a millisecond of it is a long gap", () => {
  const times = [0, 0.05, 0.1, 0.7, 0.75, 5.4, 5.85, 6.85, 1_000];
  const seen = watchClock(1, () => times.shift() ?? Number.NaN);
  assert.equal(times.length, 0);
  assert.equal(seen.seconds, 1);
  assert.equal(seen.longGaps, 3);
  assert.equal(seen.longestMs.toFixed(2), "993.15");
  assert.equal(seen.lostMs.toFixed(2), (0.6 + 4.65 + 1 + 993.15).toFixed(2));
});

test("who is never kept from the clock loses nothing", () => {
  let nowMs = 0;
  const seen = watchClock(0.01, () => {
    nowMs += 0.001;
    return nowMs;
  });
  assert.deepEqual([seen.longGaps, seen.longestMs, seen.lostMs], [0, 0, 0]);
});
