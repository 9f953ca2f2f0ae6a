import assert from "node:assert/strict";
import { test } from "node:test";
import { DueHeap } from "./due-heap.ts";
import type { HoldId } from "./ids.ts";
import { Random } from "./testing/random.ts";

const COUNT = 10_000;
const idOf = (n: number): HoldId => `hold ${n}` as HoldId;

/** Takes all of them off; what came first, with its hold. */
function drained(heap: DueHeap): [number, HoldId][] {
  const all: [number, HoldId][] = [];
  while (heap.size > 0) {
    all.push([heap.firstMs, heap.firstId]);
    heap.pop();
  }
  return all;
}

test("holds come off in the order of their end, however many there were, again and again", () => {
  const random = new Random(3);
  const heap = new DueHeap();
  for (const count of [COUNT, 1, 10, COUNT]) {
    const times = Array.from({ length: count }, () => random.below(COUNT));
    for (const [n, ms] of times.entries()) heap.push(ms, idOf(n));
    const all = drained(heap);
    assert.deepEqual(
      all.map(([ms]) => ms),
      times.toSorted((a, b) => a - b),
    );
    for (const [ms, id] of all) assert.equal(times[Number(id.slice(5))], ms);
    assert.equal(new Set(all.map(([, id]) => id)).size, count);
    assert.equal(heap.firstMs, Number.POSITIVE_INFINITY);
    assert.throws(() => heap.pop(), /what is taken off was there/);
  }
  heap.push(1, idOf(1));
  heap.clear();
  assert.equal(heap.size, 0);
  heap.push(2, idOf(2));
  assert.deepEqual(drained(heap), [[2, idOf(2)]]);
});
