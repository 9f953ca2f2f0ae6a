import assert from "node:assert/strict";
import { test } from "node:test";
import type { Costs } from "../report/report.ts";
import type { Measured, Phase } from "./comparison.ts";
import { comparisonTables } from "./comparison-tables.ts";
import { costStandingsOf, threadStandingsOf } from "./cost-standings.ts";

const POSTGRES = "PostgreSQL, all processes";
const stream = {
  name: "holds",
  count: 1,
  seconds: 1,
  latencyMs: { p50: 1, p90: 1, p99: 1, p999: 1, max: 1 },
  isCorrected: false,
  statuses: {},
  perSecond: [],
};

/** 1,000 holds within 2 s, with threads that took so many cores. */
function costsOf(threads: Readonly<Record<string, number>>): Costs {
  return {
    count: 1_000,
    serverFigures: {
      seconds: 2,
      threads: Object.entries(threads).map(([name, cores]) => ({ name, cores })),
      memoryMib: { start: 100, peak: 300, end: 200, perSecond: [] },
      othersShare: null,
    },
    journal: { fsyncs: 50, facts: 1_000, factsPerFsync: 20, bytes: 1, projectionLagFactsMax: 0 },
    postgres: { transactions: 250, walSyncs: 125, walBytes: 1 },
  };
}

const turn = (contender: string, phase: Phase, round: number, costs: Costs): Measured => {
  return { contender, round, phase, rate: 1, stream, loadBusyShare: 0.5, costs };
};

test("what one took is of all that were sold, and the median of the rounds", () => {
  const rounds = [0.2, 0.4, 0.3].map((cores, round) =>
    turn("evently", "holds", round, costsOf({ gateway: cores, [POSTGRES]: cores / 2 })),
  );
  const [ours, ...others] = costStandingsOf("holds", rounds);
  assert.deepEqual(others, []);
  // 0.3 and 0.15 cores for 2 s, by 1,000 holds.
  assert.deepEqual(
    [ours?.allUs, ours?.postgresUs].map((us) => Math.round(us ?? 0)),
    [900, 300],
  );
  assert.deepEqual([ours?.peakMib, ours?.afterMib], [300, 200]);
  assert.deepEqual([ours?.transactions, ours?.walSyncs], [0.25, 0.125]);
  assert.deepEqual([ours?.fsyncs, ours?.factsPerFsync], [50, 20]);
  assert.deepEqual(costStandingsOf("sales", rounds), []);
});

test("what somebody has not is not shown, and no 0", () => {
  const echo = { ...costsOf({ gateway: 0.1 }), journal: null, postgres: null };
  const unseen = { count: 5, serverFigures: null, journal: null, postgres: null };
  const all = [turn("echo", "holds", 0, echo), turn("row-lock", "holds", 0, unseen)];
  const costs = comparisonTables(all).find(({ head }) => head.includes("WAL syncs"));
  assert.deepEqual(costs?.rows, [
    ["echo", "200", "", "300", "200", "", "", "", ""],
    ["row-lock", "", "", "", "", "", "", "", ""],
  ]);
});

test("threads are shown by contender, the busiest first, for a hold and for a sale", () => {
  const all = [
    turn("evently", "holds", 0, costsOf({ gateway: 0.1, journal: 0.2 })),
    turn("evently", "sales", 0, costsOf({ gateway: 0.4, [POSTGRES]: 0.3 })),
    turn("echo", "holds", 0, costsOf({ gateway: 0.1 })),
  ];
  const shown = threadStandingsOf(all).map(({ contender, thread, us }) => [
    `${contender}: ${thread}`,
    ...us.map((value) => (value === null ? null : Math.round(value))),
  ]);
  assert.deepEqual(shown, [
    ["evently: gateway", 200, 800],
    [`evently: ${POSTGRES}`, 0, 600],
    ["evently: journal", 400, 0],
    ["echo: gateway", 200, null],
  ]);
});
