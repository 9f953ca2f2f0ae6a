import assert from "node:assert/strict";
import { test } from "node:test";
import { isSound } from "../report/report.ts";
import type { MadeChange } from "./change-maker.ts";
import type { CrowdFindings } from "./crowd.ts";
import { fanOutChecks, seenOf } from "./fan-out-verdict.ts";

const made: MadeChange[] = [
  { seq: 5, sentMs: 100, answeredMs: 110 },
  { seq: 6, sentMs: 150, answeredMs: 160 },
  { seq: 7, sentMs: 200, answeredMs: 210 },
];

/** Two subscribers, who hear of 5 alone and of 6 and 7 at once. */
const whole: CrowdFindings = {
  deltas: [
    { from: 4, to: 5, arrivalsMs: Float64Array.of(120, 105) },
    { from: 5, to: 7, arrivalsMs: Float64Array.of(220, 230) },
  ],
  gaps: [],
  gapCount: 0,
  strange: 0,
  subscribers: 2,
  behind: 0,
  lost: 0,
  lostBecause: "",
  utilisation: 0.1,
  loopLagMsP99: 1,
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

test("times count from the request and from the answer, for each change and subscriber", () => {
  const { fromRequest, fromAnswer } = seenOf(made, [whole]);
  // 20 and 5; 70 and 80; 20 and 30. From the answer: 10 and 0; 60 and 70; 10 and 20.
  assert.deepEqual([Math.round(fromRequest.p50), Math.round(fromRequest.max)], [20, 80]);
  assert.deepEqual([Math.round(fromAnswer.p50), Math.round(fromAnswer.max)], [10, 70]);
});
