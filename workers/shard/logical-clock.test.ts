import assert from "node:assert/strict";
import { test } from "node:test";
import { LogicalClock } from "./logical-clock.ts";

test("it follows the wall clock", () => {
  let wallMs = 1_000;
  const clock = new LogicalClock(() => wallMs, 0);
  assert.equal(clock.read(), 1_000);
  wallMs = 1_250;
  assert.equal(clock.read(), 1_250);
  assert.equal(clock.lastMs, 1_250);
});

test("it stands still while the wall clock is set back, and goes on when that has caught up", () => {
  let wallMs = 5_000;
  const clock = new LogicalClock(() => wallMs, 0);
  clock.read();
  wallMs = 2_000;
  assert.equal(clock.read(), 5_000);
  wallMs = 5_001;
  assert.equal(clock.read(), 5_001);
});

test("it never starts before the time of what its shard stored earlier", () => {
  let wallMs = 3_000;
  const clock = new LogicalClock(() => wallMs, 4_000);
  assert.equal(clock.lastMs, 4_000);
  assert.equal(clock.read(), 4_000);
  wallMs = 4_500;
  assert.equal(clock.read(), 4_500);
});
