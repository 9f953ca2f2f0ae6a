import type { Client } from "pg";
import { copyInto } from "./copy-in.ts";
import { InvariantViolated } from "./projection-store.ts";
import type { Step } from "./statement.ts";

/**
 * All of them leave at once, and are judged in their order: what comes behind one that failed has
 * failed as well, or is undone with it. `waiting` is called once they have left.
 */
export async function takeSteps(
  client: Client,
  steps: readonly Step[],
  waiting?: () => void,
): Promise<void> {
  const asked = Promise.allSettled(steps.map((step) => takeStep(client, step)));
  // In the next turn, when the socket has taken what it can.
  if (waiting !== undefined) setImmediate(waiting);
  const outcomes = await asked;
  for (const [index, step] of steps.entries()) {
    const { name, rowCount } = step;
    const outcome = outcomes[index];
    if (outcome?.status !== "fulfilled") throw outcome?.reason;
    const changed = outcome.value;
    const isEnough = "isRepeatable" in step && changed < rowCount;
    if (changed === rowCount || isEnough) continue;
    throw new InvariantViolated(`${name} changed ${changed} rows, not ${rowCount}`);
  }
}

/** One step, and how many rows it changed. */
export async function takeStep(client: Client, step: Step): Promise<number> {
  if ("copy" in step) return copyInto(client, step.copy);
  const { name, text, values } = step;
  return (await client.query({ name, text, values })).rowCount ?? 0;
}
