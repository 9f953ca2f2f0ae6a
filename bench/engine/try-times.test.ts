import assert from "node:assert/strict";
import { test } from "node:test";
import { ProcessorWaits } from "./processor-waits.ts";
import { TryTimes } from "./try-times.ts";

test("what a thread waited for a processor is no time of its own, and what warms up none", () => {
  const told = [0, 1e9, 1e9, 1e9, 2e9];
  const waits = {
    get us(): number {
      return told.shift() ?? 0;
    },
    close: () => undefined,
  };
  const times = new TryTimes(2, waits);
  assert.equal(
    times.take(-1, () => "done"),
    "done",
  );
  for (const n of [0, 1]) times.take(n, () => undefined);
  const { clock, own } = times.end();
  assert.equal(clock.length, 2);
  assert.deepEqual([own[0], own[1] === clock[0] || own[1] === clock[1]], [0, true]);
});

test("how long this thread has waited is a number that never falls", (t) => {
  const waits = new ProcessorWaits();
  t.after(() => waits.close());
  const first = waits.us;
  assert.ok(first >= 0 && waits.us >= first);
});
