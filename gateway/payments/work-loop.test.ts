import assert from "node:assert/strict";
import { test } from "node:test";
import { PAYMENT_BATCH_ROWS_MAX, PAYMENT_LOOK_MS } from "../../engine/limits.ts";
import { systemClock } from "../../workers/clock.ts";
import { WorkLoop } from "./work-loop.ts";

/** A loop on a clock that is wound by hand. */
function rig(runBatch: () => Promise<number>) {
  const due: { readonly ms: number; run: (() => void) | null }[] = [];
  const warnings: unknown[] = [];
  const after = (ms: number, run: () => void) => {
    const timer: (typeof due)[number] = { ms, run };
    due.push(timer);
    return () => {
      timer.run = null;
    };
  };
  const loop = new WorkLoop({
    name: "test",
    runBatch,
    clock: { ...systemClock, after },
    log: { warn: (fields: unknown) => warnings.push(fields) },
  });
  /** Runs what is due next; answers how long it had to wait. */
  const wind = async (): Promise<number> => {
    const timer = due.shift();
    timer?.run?.();
    await new Promise((resolve) => setImmediate(resolve));
    return timer?.ms ?? -1;
  };
  return { loop, wind, warnings, due };
}

test("a full batch is followed at once by the next, others after a pause", async () => {
  const found = [PAYMENT_BATCH_ROWS_MAX, 3, 0];
  const { loop, wind } = rig(async () => found.shift() ?? 0);
  loop.start();
  const waits = [await wind(), await wind(), await wind(), await wind()];
  assert.deepEqual(waits, [0, 0, PAYMENT_LOOK_MS, PAYMENT_LOOK_MS]);
  await loop.stop();
});

test("a step that fails is reported, and the next one runs", async () => {
  let runs = 0;
  const { loop, wind, warnings } = rig(async () => {
    runs += 1;
    throw new Error("no database");
  });
  loop.start();
  await wind();
  assert.equal(await wind(), PAYMENT_LOOK_MS);
  assert.deepEqual([runs, warnings.length], [2, 2]);
  await loop.stop();
});

test("a stop waits for the step that runs, and none follows", async () => {
  let finish = (_: number): void => undefined;
  const step = new Promise<number>((resolve) => {
    finish = resolve;
  });
  const { loop, wind, due } = rig(() => step);
  loop.start();
  await wind();
  let isStopped = false;
  const stopped = loop.stop().then(() => {
    isStopped = true;
  });
  await new Promise((resolve) => setImmediate(resolve));
  assert.equal(isStopped, false);
  finish(PAYMENT_BATCH_ROWS_MAX);
  await stopped;
  assert.equal(due.length, 0);
});
