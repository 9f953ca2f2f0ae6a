import type { Fact } from "../../engine/facts.ts";
import type { Answer } from "../../workers/shard-messages.ts";
import type { EventModel } from "../model/event-model.ts";
import { isByItself } from "../model/fact-rules.ts";

/**
 * The outcome of a command after which so much could be offered that it took several turns. Its
 * answer leaves behind the last of the offers. Another event's answer may be quicker, and what that
 * one rests on are the shard's facts so far, this outcome among them.
 */
export function isDeferredOutcome(model: EventModel, answer: Answer): boolean {
  if (answer.kind !== "done" || answer.replayed) return false;
  const { seq } = answer.fact;
  const next = model.factAt(seq + 1);
  if (next === undefined || !isOffer(next)) return false;
  for (let later = seq + 2; later <= model.seq; later += 1) {
    const fact = model.factAt(later);
    if (fact === undefined || !isByItself(fact)) return false;
  }
  return true;
}

const isOffer = (fact: Fact): boolean => fact.kind === "held" && fact.terms?.source === "waitlist";
