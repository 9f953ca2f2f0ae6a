import assert from "node:assert/strict";
import { test } from "node:test";
import { apply } from "../../engine/apply.ts";
import { decide } from "../../engine/decide.ts";
import type { Decision } from "../../engine/replies.ts";
import type { Wish } from "../hall/hall.ts";
import { arena } from "./arena.ts";
import { aimCheck, answerCheck } from "./best-seats.ts";
import { CHOICE_CASES } from "./choice-cases.ts";
import { type ChoiceTry, decisionFault } from "./choice-try.ts";
import { configured } from "./event-run.ts";
import { buyerOf, CommandMaker, hallDefinition, START_MS } from "./sale-plan.ts";

const [warm] = CHOICE_CASES;
const cold = CHOICE_CASES.find(({ isCold }) => isCold);
if (warm === undefined || cold === undefined) throw new Error("there are cases of both kinds");

/** A try of which each choice took so long. */
const tryOf = (us: number, fault: string | null = null): ChoiceTry => {
  const own = Float64Array.of(us);
  return { times: { clock: own, own }, found: 1, fault };
};

test("the aim is judged by the median of a case's tries, of the slowest case", () => {
  const met = [
    { choice: warm, tries: [tryOf(5_000), tryOf(99), tryOf(20)] },
    { choice: cold, tries: [tryOf(900), tryOf(900), tryOf(900)] },
  ];
  const { ok, detail } = aimCheck(met);
  assert.ok(ok && answerCheck(met).ok);
  assert.match(detail, /^99.0 µs \(20.0 to 5000.0\) at worst: 4 together, empty$/);
  const tries = [tryOf(20), tryOf(101), tryOf(102)];
  assert.equal(aimCheck([...met, { choice: warm, tries }]).ok, false);
  assert.equal(aimCheck([]).ok, false, "nothing measured proves nothing");
  const wrong = { choice: warm, tries: [tryOf(1), tryOf(1, "one seat twice"), tryOf(1)] };
  const found = answerCheck([...met, wrong]);
  assert.deepEqual([found.ok, found.detail], [false, "4 together, empty: one seat twice"]);
});

test("a choice that is not as was wished, or of a seat that was taken, is found", () => {
  const { state } = configured(hallDefinition(arena()));
  const wish: Wish = { quantity: 2, category: null, zone: 3, adjacent: true, accessible: false };
  const maker = new CommandMaker();
  const hold = { ...maker.hold([], buyerOf(1)), best: [wish] };
  const decision = decide(state, hold, START_MS);
  assert.equal(decisionFault(state, wish, decision), null);
  assert.match(decisionFault(state, { ...wish, zone: 4 }, decision) ?? "", /not of the kind/);
  const [fact] = decision.facts;
  assert.ok(fact?.kind === "held");
  const elsewhere = fact.items.map((item, n) => ({ ...item, place: item.place + 40 * n }));
  const apart: Decision = { ...decision, facts: [{ ...fact, items: elsewhere }] };
  assert.match(decisionFault(state, wish, apart) ?? "", /side by side|not of the kind/);
  apply(state, fact);
  assert.match(decisionFault(state, wish, decision) ?? "", /which was taken/);
});
