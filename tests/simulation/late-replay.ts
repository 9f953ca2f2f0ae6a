import { isDeepStrictEqual } from "node:util";
import { KEY_TTL_MS } from "../../engine/limits.ts";
import type { Answer, Operation } from "../../workers/shard-messages.ts";
import type { EventModel } from "../model/event-model.ts";

/**
 * The outcome of a key that was alive when it was asked for, fetched from the rows: until that is
 * answered the actor goes on, and the key's time may run out.
 */
export function isLateReplay(
  model: EventModel,
  operation: Operation,
  answer: Answer,
  askedMs: number,
): boolean {
  if (answer.kind !== "done" || !answer.replayed || !("key" in operation)) return false;
  const first = model.factAt(answer.fact.seq);
  return (
    operation.key !== null &&
    first?.key?.digest === operation.key.digest &&
    first.key.fingerprint === operation.key.fingerprint &&
    first.atMs >= askedMs - KEY_TTL_MS &&
    isDeepStrictEqual(first, answer.fact)
  );
}
