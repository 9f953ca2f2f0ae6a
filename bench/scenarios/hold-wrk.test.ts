import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { CAPACITY } from "../bench-api.ts";
import { verdictOn, type WrkEvidence } from "./hold-wrk.ts";

const RESULT = { answers: 100, seconds: 1, refused: 0, lost: 0 };
const TIMES = { p50: 1, p90: 1, p99: 1, p999: 1, max: 1 };

function evidence({ answers = 100, refused = 0, lost = 0, held = 103, sold = 0 } = {}) {
  const result = { ...RESULT, ...TIMES, answers, refused, lost };
  const availability = { capacity: CAPACITY, free: CAPACITY - held - sold, held, sold, blocked: 0 };
  const loads = [{ result, connections: 4 }];
  return { loads, isProjected: true, availability, audit: { ok: true, drift: [] } };
}

const objects = (given: WrkEvidence): string[] =>
  verdictOn(given)
    .filter(({ ok }) => !ok)
    .map(({ name }) => name);

describe("what is held, beside what wrk was told", () => {
  it("agrees when no more are held than may not have been heard of", () => {
    assert.deepEqual(objects(evidence()), []);
    assert.deepEqual(objects(evidence({ held: 100 })), []);
    assert.deepEqual(objects(evidence({ held: 104 })), []);
  });

  it("objects to a hold that was told of and is not there, and to one nobody asked for", () => {
    const sums = "as many places are held as were said to be";
    assert.deepEqual(objects(evidence({ held: 99 })), [sums]);
    assert.deepEqual(objects(evidence({ held: 105 })), [sums]);
  });

  it("objects to refusals, to answers that are lost, to sums, drift and lag", () => {
    const nobody = "nobody was refused or lost";
    assert.deepEqual(objects(evidence({ answers: 101, refused: 1 })), [nobody]);
    assert.deepEqual(objects(evidence({ lost: 1 })), [nobody]);
    const good = evidence();
    const { availability } = good;
    const more = { ...good, availability: { ...availability, free: availability.free + 1 } };
    assert.deepEqual(objects(more), ["free and held add up"]);
    const drift = { ...good, audit: { ok: false, drift: ["a place"] } };
    assert.deepEqual(objects(drift), ["memory and database agree"]);
    assert.deepEqual(objects({ ...good, isProjected: false }), ["PostgreSQL has everything"]);
    assert.deepEqual(objects(evidence({ answers: 0, held: 0 })), ["something was held"]);
  });
});
