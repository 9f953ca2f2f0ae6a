import assert from "node:assert/strict";
import { test } from "node:test";
import type { HttpAnswer } from "../autocannon-connection.ts";
import { HoldFlow } from "./hold-flow.ts";
import { FlowAnswers, sentBy } from "./testing/flow-answers.ts";

const answers = new FlowAnswers();
const SOLD_OUT = answers.refused(409, "insufficient_capacity");

/** Faults of a load on so many places that is answered so, one request after another. */
function faultsOf(capacity: number, given: readonly HttpAnswer[]): readonly string[] {
  const options = { kind: "hold", eventId: "e", area: "floor", capacity, tokens: ["t"] } as const;
  const flow = new HoldFlow(options, "http://127.0.0.1");
  const visitor = flow.visitor();
  for (const answer of given) {
    sentBy(visitor);
    visitor.answered(answer);
  }
  return flow.findings().faults;
}

test("nothing is sold out before more was asked for than there is", () => {
  assert.match(faultsOf(2, [SOLD_OUT]).join(), /^a hold was answered 409/);
  assert.match(faultsOf(2, [answers.made(), SOLD_OUT]).join(), /^a hold was answered 409/);
  const lost = { status: 0, head: "", body: "" };
  // Three were asked for, and one of them once more: the last may find nothing.
  assert.deepEqual(faultsOf(2, [lost, answers.made(), answers.refused(503, "busy")]), []);
  const third = [answers.made(), answers.refused(429, "rate_limited"), SOLD_OUT];
  assert.deepEqual(faultsOf(2, third), []);
});

test("what no event of the bench refuses by is a fault, however politely it is said", () => {
  assert.match(faultsOf(1, [answers.refused(409, "limit_exceeded")]).join(), /answered 409/);
  assert.match(faultsOf(1, [answers.refused(429, "hold_churn")]).join(), /answered 429/);
});

test("a hold that costs more than its place is a fault", () => {
  assert.match(faultsOf(1, [answers.made([], 2_000)]).join(), /a total of 2000 for 1 places/);
});
