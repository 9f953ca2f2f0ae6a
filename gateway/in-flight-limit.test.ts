import assert from "node:assert/strict";
import { test } from "node:test";
import {
  HOLD_DELAY_MS_TARGET,
  HOLD_DELAY_WATCHED_MS,
  HOLDS_IN_FLIGHT_MAX,
  HOLDS_IN_FLIGHT_MIN,
  HOLDS_IN_FLIGHT_START,
  IN_FLIGHT_PER_WORKER_MAX,
} from "../engine/limits.ts";
import { InFlightLimit } from "./in-flight-limit.ts";

const SLOW_MS = HOLD_DELAY_MS_TARGET * 2;
const FAST_MS = HOLD_DELAY_MS_TARGET / 2;

/** Intervals in which these were the delays of all answers. */
function watched(delays: readonly number[], { intervals = 1, refuses = true, turnMs = 0 } = {}) {
  const limit = new InFlightLimit(0);
  for (let n = 1; n <= intervals; n += 1) {
    if (refuses) limit.refused();
    const endMs = n * HOLD_DELAY_WATCHED_MS;
    for (const delay of delays) limit.answered(delay, endMs - 1, turnMs);
    limit.answered(delays[0] ?? 0, endMs, turnMs);
  }
  return limit;
}

test("when even the fastest answer of an interval was late, less is let in", () => {
  assert.equal(watched([SLOW_MS, SLOW_MS + 7]).holds, HOLDS_IN_FLIGHT_START / 2);
  assert.equal(watched([SLOW_MS * 100]).holds, HOLDS_IN_FLIGHT_START / 2, "one step is bounded");
  const slightly = watched([HOLD_DELAY_MS_TARGET * 1.25]);
  assert.equal(slightly.holds, Math.round(HOLDS_IN_FLIGHT_START * 0.8), "in proportion");
});

test("one fast answer shows that late ones were a burst or a pause", () => {
  const limit = watched([SLOW_MS, SLOW_MS * 9, FAST_MS], { refuses: false });
  assert.equal(limit.holds, HOLDS_IN_FLIGHT_START);
});

test("what an answer waited for the gateway itself is not the worker's delay", () => {
  assert.ok(watched([SLOW_MS], { turnMs: HOLD_DELAY_MS_TARGET }).holds > HOLDS_IN_FLIGHT_START);
  assert.ok(watched([SLOW_MS * 9], { turnMs: HOLD_DELAY_MS_TARGET }).holds < HOLDS_IN_FLIGHT_START);
});

test("more is let in only when somebody was refused", () => {
  assert.equal(watched([FAST_MS], { refuses: false }).holds, HOLDS_IN_FLIGHT_START);
  assert.ok(watched([FAST_MS]).holds > HOLDS_IN_FLIGHT_START);
});

test("it stays between its bounds, and finishing requests always have more room", () => {
  const low = watched([SLOW_MS], { intervals: 50 });
  const high = watched([0], { intervals: 50 });
  assert.equal(low.holds, HOLDS_IN_FLIGHT_MIN);
  assert.equal(high.holds, HOLDS_IN_FLIGHT_MAX);
  assert.equal(high.any, IN_FLIGHT_PER_WORKER_MAX);
  assert.ok(low.any > low.holds);
});
