/** What tests expect of a decision. */
import assert from "node:assert/strict";
import type { BookingChanged, Fact } from "../facts.ts";
import type { Decision, Refusal } from "../replies.ts";

/** The refusal of a decision, which is one. */
export function refusalOf({ reply, facts }: Decision): Refusal {
  assert.equal(reply.kind, "refused", JSON.stringify(reply));
  assert.deepEqual(facts, [], "a refusal changes nothing");
  return reply.refusal;
}

/** The fact of a decision, which is of this kind. */
export function factOf<Kind extends Fact["kind"]>(
  { reply }: Decision,
  kind: Kind,
): Extract<Fact, { kind: Kind }> {
  assert.ok(reply.kind === "done", JSON.stringify(reply));
  const { fact } = reply;
  if (!isOf(fact, kind)) return assert.fail(`${fact.kind}, not ${kind}`);
  return fact;
}

function isOf<Kind extends Fact["kind"]>(
  fact: Fact,
  kind: Kind,
): fact is Extract<Fact, { kind: Kind }> {
  return fact.kind === kind;
}

/** The change of a booking that a decision is. */
export function changeOf(decision: Decision, change: BookingChanged["change"]): BookingChanged {
  const fact = factOf(decision, "bookingChanged");
  assert.equal(fact.change, change);
  return fact;
}
