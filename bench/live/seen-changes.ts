import type { MadeChange } from "./change-maker.ts";
import type { CrowdFindings } from "./crowd.ts";

/** Each change with the arrivals of each delta that it is part of. */
export function eachSeen(
  made: readonly MadeChange[],
  found: readonly CrowdFindings[],
  visit: (change: MadeChange, arrivalsMs: Float64Array) => void,
): void {
  const bySeq = made.toSorted((one, other) => one.seq - other.seq);
  for (const { deltas } of found) {
    for (const { from, to, arrivalsMs } of deltas) {
      for (let at = firstAfter(bySeq, from); at < bySeq.length; at += 1) {
        const change = bySeq[at];
        if (change === undefined || change.seq > to) break;
        visit(change, arrivalsMs);
      }
    }
  }
}

/** Index of the first change whose seq is above. */
function firstAfter(bySeq: readonly MadeChange[], seq: number): number {
  let [low, high] = [0, bySeq.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((bySeq[middle]?.seq ?? seq) > seq) high = middle;
    else low = middle + 1;
  }
  return low;
}
