import { apply } from "../../engine/apply.ts";
import { EventState } from "../../engine/event-state.ts";
import { snapshotOf } from "../../engine/snapshot.ts";
import { snapshotHash } from "../../engine/snapshot-comparison.ts";
import { check } from "../report/checking.ts";
import { configured, factsOf, runAll } from "./event-run.ts";
import type { Finding } from "./finding.ts";
import type { SalePlan } from "./sale-plan.ts";
import { warmUp } from "./warm-up.ts";

const ROUNDS_MIN = 3;
const COMMANDS = "commands a second, one thread";

export interface DecideApplyOptions {
  /** Where it is sold, for the names of figures and checks. */
  readonly name: string;
  readonly plan: SalePlan;
  readonly seconds: number;
}

/** Whole sales of one event, from the first command to the last, again and again. */
export function benchDecideApply({ name, plan, seconds }: DecideApplyOptions): Finding {
  const { definition, commands, held, sold } = plan;
  warmUp(() => runAll(configured(definition).state, commands), seconds);
  const roundsMs: number[] = [];
  let [refused, wrong, totalMs] = [0, 0, 0];
  for (let round = 0; round < ROUNDS_MIN || totalMs < seconds * 1_000; round += 1) {
    const { state } = configured(definition);
    const startMs = performance.now();
    refused += runAll(state, commands);
    const tookMs = performance.now() - startMs;
    totalMs += tookMs;
    roundsMs.push(tookMs);
    const inventory = state.inventory;
    const isRight = inventory?.held === held && inventory.sold === sold;
    if (!isRight || inventory.free + held + sold !== inventory.capacity) wrong += 1;
  }
  const rates = Float64Array.from(roundsMs, (ms) => (commands.length / ms) * 1_000).sort();
  const rate = (commands.length * roundsMs.length * 1_000) / totalMs;
  const replayed = replay(definition, commands);
  const sum = `${held} held, ${sold} sold, in each of ${roundsMs.length} sales`;
  return {
    figures: [
      { name: `decide + apply, ${name}`, value: rate, unit: COMMANDS },
      { name: `decide + apply, ${name}, slowest sale`, value: rates[0] ?? 0, unit: COMMANDS },
    ],
    checks: [
      check(`${name}: every command was accepted`, refused === 0, `${refused} refused`),
      check(`${name}: places add up as planned`, wrong === 0, wrong === 0 ? sum : `${wrong} not`),
      check(
        `${name}: replay of the facts gives the same state`,
        replayed.live === replayed.again,
        `${replayed.facts} facts, ${replayed.live} and ${replayed.again}`,
      ),
    ],
  };
}

function replay(...sale: Parameters<typeof factsOf>) {
  const { state, facts } = factsOf(...sale);
  const again = new EventState();
  for (const fact of facts) apply(again, fact);
  const [live, other] = [state, again].map((each) => snapshotHash(snapshotOf(each)));
  return { facts: facts.length, live, again: other };
}
