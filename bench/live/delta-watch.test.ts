import assert from "node:assert/strict";
import { test } from "node:test";
import { DeltaWatch } from "./delta-watch.ts";

const EVENT = "018f3c9a-7b10-7000-8000-0007a4b1c2d3";

const snapshot = (seq: number, epoch = 3): string =>
  JSON.stringify({ op: "snapshot", eventId: EVENT, epoch, seq, statuses: "ff", areas: [] });
const delta = (from: number, to: number, epoch = 3): string =>
  JSON.stringify({ op: "delta", eventId: EVENT, epoch, from, to, seats: [[1, "h"]], areas: [] });

/** Each message: whose it is, and its text. The clock counts the messages. */
function watched(subscribers: number, messages: readonly (readonly [number, string])[]) {
  const watch = new DeltaWatch(subscribers);
  for (const [index, [subscriber, text]] of messages.entries()) {
    watch.hear(subscriber, Buffer.from(`xx${text}`), 2, index);
  }
  return watch;
}

test("deltas that follow each other have no gap, and each arrival is noted", () => {
  const watch = watched(2, [
    [0, snapshot(4)],
    [0, delta(4, 5)],
    [1, snapshot(5)],
    [0, delta(5, 8)],
    [1, delta(5, 8)],
  ]);
  const { deltas, gapCount, strange } = watch.findings();
  assert.deepEqual([watch.welcomed, gapCount, strange], [2, 0, 0]);
  assert.deepEqual(
    deltas.map(({ from, to, arrivalsMs }) => [from, to, [...arrivalsMs]]),
    [
      [4, 5, [1]],
      [5, 8, [3, 4]],
    ],
  );
  assert.deepEqual([watch.behind(8), watch.behind(9)], [0, 2]);
});

test("a delta that one subscriber missed is a gap, counted once", () => {
  const watch = watched(2, [
    [0, snapshot(4)],
    [1, snapshot(4)],
    [0, delta(4, 5)],
    [0, delta(5, 6)],
    [1, delta(5, 6)],
    [1, delta(6, 7)],
  ]);
  const { gaps, gapCount } = watch.findings();
  assert.deepEqual([gapCount, gaps], [1, ["subscriber 1 had 4, got 5 to 6"]]);
  assert.equal(watch.behind(7), 1);
});

test("a delta of another epoch, one without a snapshot, and one cut differently are gaps", () => {
  const other = watched(1, [
    [0, snapshot(4)],
    [0, delta(4, 5, 4)],
  ]);
  const unwelcome = watched(1, [[0, delta(0, 1)]]);
  const differently = watched(2, [
    [0, snapshot(4)],
    [1, snapshot(5)],
    [0, delta(4, 6)],
    [1, delta(5, 6)],
  ]);
  for (const watch of [other, unwelcome, differently]) assert.equal(watch.findings().gapCount, 1);
});

test("what is neither snapshot nor delta is noticed", () => {
  const watch = watched(1, [
    [0, JSON.stringify({ op: "error", code: "busy" })],
    [0, "{}"],
    [0, '{"op":"delta","eventId":"x"}'],
  ]);
  assert.equal(watch.findings().strange, 3);
});

test("a crowd larger than what a delta was made for is noted whole", () => {
  const crowd = Array.from({ length: 5_000 }, (_, n) => n);
  const watch = watched(5_000, [
    ...crowd.map((n) => [n, snapshot(1)] as const),
    ...crowd.map((n) => [n, delta(1, 2)] as const),
  ]);
  const [only] = watch.findings().deltas;
  assert.equal(only?.arrivalsMs.length, 5_000);
  assert.equal(new Set(only?.arrivalsMs).size, 5_000);
});
