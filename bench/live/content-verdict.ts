import { setTimeout as delay } from "node:timers/promises";
import { isDeepStrictEqual } from "node:util";
import type { Seen } from "../oracle/evidence.ts";
import type { Check } from "../report/report.ts";
import type { FoldedState, ShownState } from "./state-fold.ts";

const BUSY = 503;
const BUSY_TRIES_MAX = 20;
const BUSY_PAUSE_MS = 250;
const COUNTS = ["epoch", "seq", "free", "held", "sold", "blocked"] as const;

/** The availability with its seats; never rejects. */
export async function readShown(url: string, eventId: string): Promise<Seen<ShownState>> {
  const path = `/api/v1/events/${eventId}/availability?seats=true`;
  try {
    for (let tries = 1; ; tries += 1) {
      const response = await fetch(url + path);
      if (response.ok) return { ok: true, value: (await response.json()) as ShownState };
      const reason = `${path}: ${response.status} ${await response.text()}`;
      if (response.status !== BUSY || tries === BUSY_TRIES_MAX) return { ok: false, reason };
      await delay(BUSY_PAUSE_MS);
    }
  } catch (error) {
    return { ok: false, reason: error instanceof Error ? error.message : String(error) };
  }
}

/** Whether what a sample of `wanted` subscribers made of their deltas is what there is. */
export function contentCheck(
  sample: readonly FoldedState[],
  shown: Seen<ShownState>,
  wanted: number,
): Check {
  const name = "by content, a sample's deltas over its first snapshot are the availability's seats";
  if (!shown.ok) return { name, ok: false, detail: `could not be checked: ${shown.reason}` };
  const { statuses, seq } = shown.value;
  const objections = sample.flatMap((state) => differenceOf(state, shown.value) ?? []);
  const isWhole = wanted > 0 && sample.length === wanted;
  if (!isWhole) objections.unshift(`${sample.length} were looked at, and not ${wanted}`);
  const [first] = objections;
  return {
    name,
    ok: first === undefined,
    detail:
      first === undefined
        ? `${wanted} subscribers, ${statuses.length} seats, seq ${seq}`
        : `${objections.length} objections to ${sample.length} subscribers; the first: ${first}`,
  };
}

/** null: there is none. */
function differenceOf({ shown, fault }: FoldedState, wanted: ShownState): string | null {
  if (fault !== "") return fault;
  if (shown === null) return "no snapshot came";
  if (shown.statuses.length !== wanted.statuses.length) {
    return `${shown.statuses.length} seats, and not ${wanted.statuses.length}`;
  }
  const seats = Array.from(shown.statuses, (status, index) => {
    const right = wanted.statuses[index];
    return status === right ? [] : [`seat ${index} is ${status}, and not ${right}`];
  }).flat();
  if (seats.length > 0) return `${seats[0]}, and ${seats.length - 1} more`;
  const counts = COUNTS.find((count) => shown[count] !== wanted[count]);
  if (counts !== undefined) return `${counts} is ${shown[counts]}, and not ${wanted[counts]}`;
  return isDeepStrictEqual(shown.areas, wanted.areas) ? null : "areas differ";
}
