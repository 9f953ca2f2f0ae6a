/** Nobody waits for standing places that are free: an offer comes in the step that frees them. */
import type { AvailabilityShape, WaitingShape } from "../support/shapes.ts";
import { read } from "./event-log.ts";
import * as ask from "./questions.ts";
import type { Stage } from "./scenery.ts";
import type { Caller, Teller } from "./teller.ts";

interface Line {
  readonly data: readonly (WaitingShape & { readonly reason: string })[];
  readonly count: number;
  readonly seq: number;
}

const TRIES_MAX = 40;
const REASONS: ReadonlySet<string> = new Set([
  "event_cancelled",
  "sales_not_open",
  "sales_closed",
  "limit_exceeded",
  "too_few_places",
  "after_others",
]);

/** Answers how many of those who wait were looked at, at one seq with what was free. */
export async function checkWaitlist(
  teller: Teller,
  organiser: Caller,
  stage: Stage,
): Promise<number> {
  for (let tries = 0; tries < TRIES_MAX; tries += 1) {
    const line = (await read(teller, organiser, ask.waitlist(stage.eventId))) as Line | null;
    const free = await read(teller, organiser, ask.availability(stage.eventId));
    const { categories, seq } = free as AvailabilityShape;
    if (line === null) return 0;
    if (line.seq !== seq) continue;
    const standing = categories.find(({ key }) => key === "standing")?.free ?? 0;
    for (const { id, quantity, categories: wanted, reason, position } of line.data) {
      const fault = (what: string): void => {
        teller.faults.add(`${stage.name}: ${id} waits, ${position} in line, ${what} at ${seq}`);
      };
      if (!REASONS.has(reason)) fault(`for the reason ${reason}`);
      const isMet = quantity <= standing && (wanted === null || wanted.includes("standing"));
      if (isMet && reason === "too_few_places") fault(`for ${quantity} of ${standing} free places`);
    }
    if (stage.isCancelled && line.count > 0) {
      teller.faults.add(`${stage.name}: ${line.count} wait for an event that is cancelled`);
    }
    return line.data.length;
  }
  return 0;
}
