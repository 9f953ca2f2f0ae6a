import assert from "node:assert/strict";
import { test } from "node:test";
import { rateOf } from "../report/text-table.ts";
import type { ChangeRound } from "./change-maker.ts";
import type { CrowdFindings } from "./crowd.ts";
import { fanOutStreams } from "./fan-out-streams.ts";
import { WELL } from "./testing/findings.ts";

/** Three changes that were due within a tenth of a second. */
const round: ChangeRound = {
  made: [
    { seq: 5, dueMs: 1_000, answeredMs: 1_010 },
    { seq: 6, dueMs: 1_050, answeredMs: 1_060 },
    { seq: 7, dueMs: 1_100, answeredMs: 1_110 },
  ],
  startMs: 1_000,
  neverSent: 0,
  streams: [],
};

/** Two subscribers, who hear of 5 alone and of 6 and 7 at once; then of another's change. */
const found: CrowdFindings = {
  deltas: [
    { from: 4, to: 5, arrivalsMs: Float64Array.of(1_020, 1_005) },
    { from: 5, to: 7, arrivalsMs: Float64Array.of(1_120, 3_000) },
    { from: 7, to: 8, arrivalsMs: Float64Array.of(9_000, 9_000) },
  ],
  ...WELL,
};

test("times count from when a change was due and from the answer, for each who saw it", () => {
  const [fromDue, fromAnswer] = fanOutStreams(round, [found]);
  // 20 and 5; 70 and 1,950; 20 and 1,900. From the answer: 10 and 0; 60 and 1,940; 10 and 1,890.
  assert.deepEqual([fromDue?.isCorrected, fromAnswer?.isCorrected], [true, false]);
  assert.deepEqual([fromDue?.count, fromAnswer?.count], [6, 6]);
  assert.deepEqual([Math.round(fromDue?.latencyMs.p50 ?? 0), fromDue?.latencyMs.max], [20, 1_950]);
  assert.equal(Math.round(fromAnswer?.latencyMs.p50 ?? 0), 10);
  assert.equal(fromAnswer?.latencyMs.max, 1_940);
});

test("the rate is of the time until the last change was seen, however long that took", () => {
  const [fromDue] = fanOutStreams(round, [found]);
  assert.ok(fromDue !== undefined);
  assert.equal(fromDue.seconds, 2);
  assert.equal(rateOf(fromDue), 3);
});

test("changes that nobody saw have no time and no rate", () => {
  const [fromDue] = fanOutStreams(round, []);
  assert.deepEqual([fromDue?.count, fromDue?.seconds], [0, 0]);
});

test("what came of the changes themselves is shown, too", () => {
  const [seen] = fanOutStreams(round, [found]);
  assert.ok(seen !== undefined);
  const changes = { ...seen, name: "changes", statuses: { 201: 3 } };
  assert.deepEqual(fanOutStreams({ ...round, streams: [changes] }, [found]).slice(2), [changes]);
});
