import { isDeepStrictEqual } from "node:util";
import type { Seen } from "../oracle/evidence.ts";
import type { Check } from "../report/report.ts";
import type { FoldedState, ShownState } from "./state-fold.ts";

const COUNTS = ["epoch", "seq", "free", "held", "sold", "blocked"] as const;

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
