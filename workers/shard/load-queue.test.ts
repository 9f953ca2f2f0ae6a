import assert from "node:assert/strict";
import { test } from "node:test";
import { LOADS_IN_FLIGHT_MAX } from "../../engine/limits.ts";
import { LoadQueue } from "./load-queue.ts";
import { settled } from "./testing/host-bench.ts";

test("loads run in their order, a bounded number at once", async () => {
  const broken: unknown[] = [];
  const queue = new LoadQueue((cause) => broken.push(cause));
  const started: number[] = [];
  const finish: (() => void)[] = [];
  for (let n = 0; n < LOADS_IN_FLIGHT_MAX + 3; n += 1) {
    queue.add(() => {
      started.push(n);
      return new Promise((resolve) => finish.push(resolve));
    });
  }
  assert.equal(started.length, LOADS_IN_FLIGHT_MAX);
  finish[1]?.();
  await settled();
  assert.equal(started.length, LOADS_IN_FLIGHT_MAX + 1);
  for (const each of finish) each();
  await settled();
  assert.deepEqual(
    started,
    Array.from({ length: LOADS_IN_FLIGHT_MAX + 3 }, (_, n) => n),
  );
  assert.deepEqual(broken, []);
});

test("a load that rejects is a bug that is told", async () => {
  const broken: unknown[] = [];
  const queue = new LoadQueue((cause) => broken.push(cause));
  const cause = new Error("a bug");
  queue.add(() => Promise.reject(cause));
  await settled();
  assert.deepEqual(broken, [cause]);
});
