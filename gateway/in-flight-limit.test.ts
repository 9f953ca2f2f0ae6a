import assert from "node:assert/strict";
import { test } from "node:test";
import {
  HOLD_DELAY_MS_TARGET,
  HOLD_DELAY_WATCHED_MS,
  HOLDS_IN_FLIGHT_MAX,
  HOLDS_IN_FLIGHT_MIN,
  IN_FLIGHT_PER_WORKER_MAX,
} from "../engine/limits.ts";
import { InFlightLimit } from "./in-flight-limit.ts";

const SLOW_MS = HOLD_DELAY_MS_TARGET * 2;
const FAST_MS = HOLD_DELAY_MS_TARGET / 2;

/** One interval after another; of each the delays of all its answers. */
function watched(...intervals: readonly (readonly number[])[]): InFlightLimit {
  const limit = new InFlightLimit(0);
  for (const [n, delays] of intervals.entries()) {
    const endMs = (n + 1) * HOLD_DELAY_WATCHED_MS;
    for (const delay of delays) limit.answered(delay, endMs - 1);
    limit.answered(delays[0] ?? 0, endMs);
  }
  return limit;
}

test("a burst is let in, whatever its first answers take", () => {
  const limit = new InFlightLimit(0);
  for (let n = 0; n < 100; n += 1) limit.answered(SLOW_MS, HOLD_DELAY_WATCHED_MS - 1);
  assert.equal(limit.holds, HOLDS_IN_FLIGHT_MAX);
});

test("when even the fastest answer of an interval was late, less is let in", () => {
  assert.equal(watched([SLOW_MS, SLOW_MS + 7]).holds, HOLDS_IN_FLIGHT_MAX / 2);
  assert.equal(watched([SLOW_MS * 100]).holds, HOLDS_IN_FLIGHT_MAX / 4, "one step is bounded");
  const slightly = watched([HOLD_DELAY_MS_TARGET * 1.25]);
  assert.equal(slightly.holds, Math.round(HOLDS_IN_FLIGHT_MAX * 0.8), "in proportion");
});

test("one fast answer shows that late ones were a burst or a pause, and more is let in", () => {
  const { holds } = watched([SLOW_MS], [SLOW_MS]);
  assert.equal(holds, HOLDS_IN_FLIGHT_MAX / 4);
  assert.ok(watched([SLOW_MS], [SLOW_MS], [SLOW_MS, SLOW_MS * 9, FAST_MS]).holds > holds);
});

test("it stays between its bounds, and finishing requests always have more room", () => {
  const low = watched(...Array.from({ length: 50 }, () => [SLOW_MS]));
  const high = watched(...Array.from({ length: 50 }, () => [0]));
  assert.equal(low.holds, HOLDS_IN_FLIGHT_MIN);
  assert.equal(high.holds, HOLDS_IN_FLIGHT_MAX);
  assert.equal(high.any, IN_FLIGHT_PER_WORKER_MAX);
  assert.equal(low.any, IN_FLIGHT_PER_WORKER_MAX);
});
