import assert from "node:assert/strict";
import { test } from "node:test";
import { floorsOf } from "./floors.ts";

const series = (count: number, value: (seconds: number) => number) =>
  Array.from({ length: count }, (_, seconds) => ({ seconds, value: value(seconds) }));

test("a leak shows in where a saw comes down to, whatever its height", () => {
  const saw = (leakPerSecond: number) =>
    floorsOf(series(601, (seconds) => 400 + 3 * (seconds % 70) + seconds * leakPerSecond));
  assert.equal(saw(0)?.perMinute, 0);
  const leak = saw(0.1)?.perMinute ?? 0;
  assert.ok(leak > 4 && leak < 8, String(leak));
});

test("what grew in the first half alone is no leak, and what was given back is less than one", () => {
  const grown = floorsOf(series(401, (seconds) => Math.min(400, 100 + seconds * 2)));
  assert.deepEqual(grown, { before: 400, after: 400, perMinute: 0 });
  const less = floorsOf(series(401, (seconds) => (seconds > 350 ? 300 : 400)));
  assert.deepEqual(less, { before: 400, after: 300, perMinute: -60 });
});

test("one point, or none, has no floors", () => {
  assert.equal(floorsOf([]), null);
  assert.equal(floorsOf([{ seconds: 1, value: 1 }]), null);
});
