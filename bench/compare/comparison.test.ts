import assert from "node:assert/strict";
import { test } from "node:test";
import { type Measured, type Phase, spreadOf, standingsOf, typicalStreams } from "./comparison.ts";
import { contenders, rotated } from "./contenders.ts";

const NO_COSTS = { count: 0, serverFigures: null, journal: null, postgres: null };

function measured(contender: string, phase: Phase, rates: readonly number[]): Measured[] {
  return rates.map((rate, round) => {
    const latencyMs = { p50: 1_000 / rate, p90: 0, p99: 4_000 / rate, p999: 0, max: 0 };
    const base = { name: phase, count: rate, seconds: 1, isCorrected: false };
    const stream = { ...base, latencyMs, statuses: { 201: rate }, perSecond: [rate] };
    return { contender, phase, rate, round, stream, loadBusyShare: round / 10, costs: NO_COSTS };
  });
}

test("a spread has the middle of the values and their ends", () => {
  assert.deepEqual(spreadOf([3, 1, 2]), { median: 2, min: 1, max: 3 });
  assert.deepEqual(spreadOf([4, 1, 2, 3]), { median: 2.5, min: 1, max: 4 });
  assert.deepEqual(spreadOf([7]), { median: 7, min: 7, max: 7 });
});

test("a ratio compares within a round: a machine that was slow for a while cancels out", () => {
  const rows = standingsOf("holds", [
    ...measured("evently", "holds", [1_000, 500, 2_000]),
    ...measured("row-lock", "holds", [100, 50, 250]),
  ]);
  const [ours, theirs] = rows;
  assert.equal(ours?.oursTimes, null);
  assert.deepEqual(theirs?.oursTimes, { median: 10, min: 8, max: 10 });
  assert.deepEqual(theirs?.rate, { median: 100, min: 50, max: 250 });
  assert.deepEqual(theirs?.p50Ms, { median: 10, min: 4, max: 20 });
  assert.deepEqual(theirs?.p99Ms, { median: 40, min: 16, max: 80 });
  assert.equal(theirs?.loadBusyShare, 0.2);
});

test("the ceiling of a sale is half of the echo's rate, since a sale is two requests", () => {
  const all = [
    ...measured("evently", "holds", [400]),
    ...measured("evently", "sales", [100]),
    ...measured("echo", "holds", [800]),
  ];
  const [holds, echo] = standingsOf("holds", all);
  const sales = standingsOf("sales", all);
  assert.equal(holds?.ofCeiling?.median, 0.5);
  assert.equal(echo?.ofCeiling, null);
  assert.equal(echo?.oursTimes?.median, 0.5);
  assert.deepEqual(
    sales.map(({ contender, ofCeiling }) => [contender, ofCeiling?.median]),
    [["evently", 0.25]],
  );
});

test("who missed a round is compared in the others", () => {
  const all = [
    ...measured("evently", "sales", [100, 300]),
    ...measured("row-lock", "sales", [10, 10]).slice(1),
  ];
  const row = standingsOf("sales", all).find(({ contender }) => contender === "row-lock");
  assert.equal(row?.rounds, 1);
  assert.deepEqual(row?.oursTimes, { median: 30, min: 30, max: 30 });
  assert.equal(row?.ofCeiling, null);
});

test("what is shown of many turns is the one in the middle", () => {
  const all = [
    ...measured("evently", "holds", [900, 1_000, 100]),
    ...measured("row-lock", "holds", [40, 10]),
  ];
  const shown = typicalStreams(all).map(({ name, count }) => [name, count]);
  assert.deepEqual(shown, [
    ["holds, evently", 900],
    ["holds, row-lock", 10],
  ]);
});

test("everyone comes first once in as many rounds as there are, and never in one order again", () => {
  const names = contenders(true).map(({ name }) => name);
  const orders = Array.from({ length: 2 * names.length }, (_, round) => rotated(names, round));
  const firsts = orders.slice(0, names.length).map(([first]) => first);
  assert.deepEqual([...firsts].sort(), [...names].sort());
  assert.equal(new Set(orders.map((order) => order.join())).size, 2 * names.length);
  for (const order of orders) assert.deepEqual([...order].sort(), [...names].sort());
});

test("without Redis its baseline is not there, and the others are", () => {
  const all = contenders(true).map(({ name }) => name);
  const some = contenders(false).map(({ name }) => name);
  assert.deepEqual(
    all.filter((name) => !some.includes(name)),
    ["redis-lock"],
  );
});
