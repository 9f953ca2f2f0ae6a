import assert from "node:assert/strict";
import { test } from "node:test";
import { trendOf } from "./trend.ts";

const series = (count: number, value: (seconds: number) => number) =>
  Array.from({ length: count }, (_, seconds) => ({ seconds, value: value(seconds) }));

test("a leak is its slope, whatever noise lies on it", () => {
  const trend = trendOf(series(301, (seconds) => 400 + seconds / 10 + (seconds % 2 ? 5 : -5)));
  assert.ok(Math.abs((trend?.perMinute ?? 0) - 6) < 0.1, String(trend?.perMinute));
});

test("what grew in the first half alone is no leak", () => {
  const trend = trendOf(series(301, (seconds) => Math.min(400, 100 + seconds * 2)));
  assert.deepEqual(trend, { perMinute: 0, mean: 400, points: 151 });
});

test("a saw that comes back to where it was is nearly flat", () => {
  const trend = trendOf(series(301, (seconds) => 300 + (seconds % 10)));
  assert.ok(Math.abs(trend?.perMinute ?? 1) < 0.5, String(trend?.perMinute));
});

test("one point, or none, has no trend", () => {
  assert.equal(trendOf([]), null);
  assert.equal(trendOf([{ seconds: 1, value: 1 }]), null);
});
