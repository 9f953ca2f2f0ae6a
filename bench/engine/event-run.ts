import { apply } from "../../engine/apply.ts";
import type { Command } from "../../engine/commands.ts";
import { decide } from "../../engine/decide.ts";
import type { InventoryDefinition } from "../../engine/definition.ts";
import { EventState } from "../../engine/event-state.ts";
import type { Fact } from "../../engine/facts.ts";
import { START_MS } from "./sale-plan.ts";

/** An event's state with its definition applied, and the fact of that. */
export function configured(definition: InventoryDefinition): { state: EventState; fact: Fact } {
  const state = new EventState();
  const [fact] = decide(state, { kind: "configure", definition }, START_MS).facts;
  if (fact === undefined) throw new Error("the definition was refused");
  apply(state, fact);
  return { state, fact };
}

/** Commands that come within the same millisecond. */
const COMMANDS_IN_MS = 100;

/** Commands that were refused; each of the others was decided, and its facts applied. */
export function runAll(state: EventState, commands: readonly Command[]): number {
  let [refused, done] = [0, 0];
  for (const command of commands) {
    const nowMs = START_MS + Math.floor(done / COMMANDS_IN_MS);
    done += 1;
    const { facts, reply } = decide(state, command, nowMs);
    for (const fact of facts) apply(state, fact);
    if (reply.kind !== "done") refused += 1;
  }
  return refused;
}

/** The same, with all facts kept. */
export function factsOf(definition: InventoryDefinition, commands: readonly Command[]) {
  const { state, fact: first } = configured(definition);
  const facts = [first];
  for (const command of commands) {
    for (const fact of decide(state, command, START_MS).facts) {
      apply(state, fact);
      facts.push(fact);
    }
  }
  return { state, facts };
}
