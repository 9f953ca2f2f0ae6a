import assert from "node:assert/strict";
import { test } from "node:test";
import { StateFold, sampleOf } from "./state-fold.ts";

const counts = { free: 3, held: 0, sold: 0, blocked: 0 };
const floor = (free: number) => ({ key: "floor", free, held: 9 - free, sold: 0 });
const snapshot = JSON.stringify({
  op: "snapshot",
  epoch: 2,
  seq: 4,
  statuses: "fff",
  areas: [floor(9)],
  ...counts,
});
const delta = (to: number, seats: readonly (readonly [number, string])[], areas: object[] = []) =>
  JSON.stringify({ op: "delta", epoch: 2, from: to - 1, to, seats, areas, ...counts, held: to });

function folded(...texts: readonly string[]) {
  const fold = new StateFold();
  for (const text of texts) fold.hear(text);
  return fold.state();
}

test("deltas are applied one after the other to the snapshot", () => {
  const { shown, fault } = folded(
    snapshot,
    delta(5, [[0, "h"]]),
    delta(6, [
      [2, "s"],
      [0, "f"],
    ]),
    delta(7, [], [floor(8)]),
  );
  const wanted = { epoch: 2, seq: 7, statuses: "ffs", areas: [floor(8)], ...counts, held: 7 };
  assert.deepEqual([shown, fault], [wanted, ""]);
});

test("a later snapshot tells nothing: it would hide what the deltas left out", () => {
  const later = snapshot.replace("fff", "hhh");
  const { shown } = folded(snapshot, delta(5, [[1, "h"]]), later);
  assert.deepEqual([shown?.seq, shown?.statuses], [5, "fhf"]);
});

test("who had no snapshot has nothing", () => {
  assert.deepEqual(folded(), { shown: null, fault: "" });
  assert.equal(folded(delta(5, [])).fault, "a delta before the snapshot");
});

test("what can't be applied is said, the first of it", () => {
  assert.equal(folded(snapshot, delta(5, [[3, "h"]])).fault, "a delta to 5 has a seat 3");
  const twice = folded(snapshot, delta(5, [[3, "h"]]), delta(6, [[4, "h"]]));
  assert.equal(twice.fault, "a delta to 5 has a seat 3");
  for (const text of ["{", "null", '{"op":"delta"}']) {
    assert.notEqual(folded(snapshot, text).fault, "", text);
  }
});

test("the sample is spread over all subscribers", () => {
  assert.deepEqual(sampleOf(1_000, 4), [0, 250, 500, 750]);
  assert.deepEqual(sampleOf(3, 3), [0, 1, 2]);
  assert.deepEqual(sampleOf(5, 0), []);
});
