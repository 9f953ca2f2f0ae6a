import assert from "node:assert/strict";
import { test } from "node:test";
import { isSound } from "../report/report.ts";
import type { MadeChange } from "./change-maker.ts";
import type { CrowdFindings } from "./crowd.ts";
import { answerChecks, fanOutChecks } from "./fan-out-verdict.ts";
import { WELL } from "./testing/findings.ts";

const made: MadeChange[] = [
  { seq: 5, dueMs: 100, answeredMs: 110 },
  { seq: 6, dueMs: 150, answeredMs: 160 },
  { seq: 7, dueMs: 200, answeredMs: 210 },
];

/** Two subscribers, who hear of 5 alone and of 6 and 7 at once. */
const whole: CrowdFindings = {
  deltas: [
    { from: 4, to: 5, arrivalsMs: Float64Array.of(120, 105) },
    { from: 5, to: 7, arrivalsMs: Float64Array.of(220, 230) },
  ],
  ...WELL,
};

const verdict = (findings: CrowdFindings, subscribers = 2): boolean =>
  isSound({ checks: fanOutChecks(made, [findings], subscribers) });

test("a crowd that saw everything is sound", () => {
  assert.equal(verdict(whole), true);
});

test("each thing that can go wrong is objected to", () => {
  const [first, second] = whole.deltas;
  assert.ok(first !== undefined && second !== undefined);
  const late = { ...second, arrivalsMs: Float64Array.of(220) };
  const twice = { ...second, arrivalsMs: Float64Array.of(220, 221, 230) };
  const wrong: Record<string, Partial<CrowdFindings>> = {
    "a gap": { gapCount: 1, gaps: ["subscriber 1 had 4, got 5 to 7"] },
    "a delta that one did not get": { deltas: [first, late] },
    "a delta that one got twice": { deltas: [first, twice] },
    "a delta that nobody got": { deltas: [first] },
    "somebody who is behind": { behind: 1 },
    "a lost connection": { lost: 1, lostBecause: "1013" },
    "a message that is no delta": { strange: 1 },
  };
  for (const [name, change] of Object.entries(wrong)) {
    assert.equal(verdict({ ...whole, ...change }), false, name);
  }
  assert.equal(verdict(whole, 3), false, "fewer subscribers than wanted");
  assert.equal(isSound({ checks: fanOutChecks([], [whole], 2) }), false, "no change at all");
});

test("whatever order changes were answered in, each is looked for", () => {
  const checks = fanOutChecks(made.toReversed(), [whole], 2);
  assert.equal(isSound({ checks }), true);
});

test("a few refusals are counted, many are objected to, and so is what can't be right", () => {
  const isFine = (statuses: Record<string, number>) => isSound({ checks: answerChecks(statuses) });
  assert.equal(isFine({ 201: 100 }), true);
  assert.equal(isFine({ 201: 80, 429: 10, 503: 10 }), true);
  assert.equal(isFine({ 201: 70, 429: 10, 503: 20 }), false);
  for (const status of [0, 200, 400, 401, 409, 500]) {
    assert.equal(isFine({ 201: 100, [status]: 1 }), false, String(status));
  }
});
