import assert from "node:assert/strict";
import { test } from "node:test";
import type { ServerFigures } from "../report/report.ts";
import { mailTables } from "./mail-tables.ts";
import type { MailTurn } from "./mail-turns.ts";

const taken = (threads: Readonly<Record<string, number>>): ServerFigures => ({
  seconds: 10,
  threads: Object.entries(threads).map(([name, cores]) => ({ name, cores })),
  memoryMib: { start: 100, peak: 300, end: 200, perSecond: [] },
  othersShare: 0.25,
});

const turn = (isMailing: boolean, threads: Readonly<Record<string, number>>): MailTurn => ({
  isMailing,
  holdsPerSecond: 1_000,
  mailsPerSecond: isMailing ? 50 : 0,
  loadBusyShare: 0.5,
  serverFigures: taken(threads),
  journal: { fsyncs: 7, facts: 70, factsPerFsync: 10, bytes: 7_000, projectionLagFactsMax: 0 },
});

const turns = [
  turn(false, { gateway: 0.5, postgres: 0.25 }),
  turn(true, { gateway: 0.5, postgres: 0.5, notifier: 0.25 }),
  turn(true, { gateway: 1, postgres: 0.75, notifier: 0.75 }),
];

test("each turn has its memory, its journal, the load's share and the others'", () => {
  const [inTurns] = mailTables(turns, null);
  assert.deepEqual(inTurns?.rows[1], [
    ...["with a campaign", "1000", "50.0", "50 %", "25 %", "300", "200", "7", "10"],
  ]);
  const silent = { ...turn(false, {}), serverFigures: null, journal: null };
  const [unknown] = mailTables([silent], null);
  assert.deepEqual(unknown?.rows[0], ["without", "1000", "0.0", "50 %", "", "", "", "", ""]);
});

test("threads are told apart by whether mails left, in medians, and by mails alone", () => {
  const [, threads] = mailTables(turns, taken({ notifier: 0.125 }));
  assert.deepEqual(threads?.rows, [
    ["all threads", "0.75", "1.88", "0.13"],
    ["gateway", "0.50", "0.75", "0.00"],
    ["postgres", "0.25", "0.63", "0.00"],
    ["notifier", "0.00", "0.50", "0.13"],
  ]);
  const [, unwatched] = mailTables(turns, null);
  assert.equal(unwatched?.rows[0]?.[3], "");
});
