/** How a command's answer is put together. */
import type { EventState } from "../event-state.ts";
import type { CommandKey, Fact } from "../facts.ts";
import type { Decision, Refusal, Reply } from "../replies.ts";

/** What every fact begins with. */
export function nextFact(state: EventState, nowMs: number, key: CommandKey | null = null) {
  return { seq: state.seq + 1, atMs: nowMs, key };
}

export function accept(fact: Fact): Decision {
  return { facts: [fact], reply: { kind: "done", fact, replayed: false } };
}

export function refuse(refusal: Refusal): Decision {
  return { facts: [], reply: { kind: "refused", refusal } };
}

/** Nothing changes: what is asked for is so already. */
export function answer(reply: Reply): Decision {
  return { facts: [], reply };
}
