import { LatencyRecord } from "../load/stream-record.ts";
import type { Stream } from "../report/report.ts";
import type { ChangeRound } from "./change-maker.ts";
import type { CrowdFindings } from "./crowd.ts";
import { eachSeen } from "./seen-changes.ts";

/**
 * Times from each change to each subscriber that saw it, over the time from when the first change
 * was due to when the last was seen; then the changes themselves.
 */
export function fanOutStreams(
  { made, startMs, streams }: ChangeRound,
  found: readonly CrowdFindings[],
): Stream[] {
  const [fromDue, fromAnswer] = [new LatencyRecord(), new LatencyRecord()];
  let lastMs = startMs;
  eachSeen(made, found, ({ dueMs, answeredMs }, arrivalsMs) => {
    for (const atMs of arrivalsMs) {
      fromDue.add(Math.max(0, atMs - dueMs));
      // A delta may come before the answer of whoever caused it.
      fromAnswer.add(Math.max(0, atMs - answeredMs));
      if (atMs > lastMs) lastMs = atMs;
    }
  });
  const seconds = (lastMs - startMs) / 1_000;
  const seen = (name: string, isCorrected: boolean, times: LatencyRecord): Stream => {
    const { count } = times;
    const latencyMs = times.figures();
    return { name, count, seconds, latencyMs, isCorrected, statuses: {}, perSecond: [] };
  };
  return [
    seen("changes seen, since they were due", true, fromDue),
    seen("changes seen, since the answer came", false, fromAnswer),
    ...streams,
  ];
}
