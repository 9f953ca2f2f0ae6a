import { LatencyRecord } from "../load/stream-record.ts";
import { equals } from "../report/checking.ts";
import type { Check, LatencyFigures } from "../report/report.ts";
import type { MadeChange } from "./change-maker.ts";
import type { CrowdFindings } from "./crowd.ts";

/** Times from each change to each subscriber that saw it. */
export interface SeenTimes {
  /** Of a change by a subscriber. */
  readonly count: number;
  readonly fromRequest: LatencyFigures;
  readonly fromAnswer: LatencyFigures;
}

export function seenOf(made: readonly MadeChange[], found: readonly CrowdFindings[]): SeenTimes {
  const [fromRequest, fromAnswer] = [new LatencyRecord(), new LatencyRecord()];
  let count = 0;
  eachSeen(made, found, ({ sentMs, answeredMs }, arrivalsMs) => {
    count += arrivalsMs.length;
    for (const atMs of arrivalsMs) {
      fromRequest.add(Math.max(0, atMs - sentMs));
      // A delta may come before the answer of whoever caused it.
      fromAnswer.add(Math.max(0, atMs - answeredMs));
    }
  });
  return { count, fromRequest: fromRequest.figures(), fromAnswer: fromAnswer.figures() };
}

/** Deltas that came, to all subscribers together. */
const deltaCount = (found: readonly CrowdFindings[]): number =>
  sumOf(found, ({ deltas }) => deltas.reduce((sum, { arrivalsMs }) => sum + arrivalsMs.length, 0));

export function fanOutChecks(
  made: readonly MadeChange[],
  found: readonly CrowdFindings[],
  subscribers: number,
): Check[] {
  const seen = new Map(made.map(({ seq }) => [seq, 0]));
  eachSeen(made, found, ({ seq }, arrivalsMs) => {
    seen.set(seq, (seen.get(seq) ?? 0) + arrivalsMs.length);
  });
  const wrong = [...seen].filter(([, count]) => count !== subscribers);
  const gapCount = sumOf(found, (each) => each.gapCount);
  const [first] = found.flatMap(({ gaps }) => gaps);
  const lost = sumOf(found, (each) => each.lost);
  const because = found.find((each) => each.lost > 0)?.lostBecause ?? "";
  return [
    {
      name: "every subscriber's deltas follow each other without a gap",
      ok: gapCount === 0,
      detail: gapCount === 0 ? `${deltaCount(found)} deltas` : `${gapCount} gaps: ${first}`,
    },
    {
      name: "every subscriber saw every change exactly once",
      ok: made.length > 0 && wrong.length === 0,
      detail:
        wrong.length === 0
          ? `${made.length} changes, ${subscribers} subscribers`
          : `seq ${wrong[0]?.[0]} was seen ${wrong[0]?.[1]} times, so ${wrong.length} others`,
    },
    equals(
      "nobody is behind at the end",
      sumOf(found, ({ behind }) => behind),
      0,
    ),
    {
      name: "no connection was lost",
      ok: lost === 0,
      detail: lost === 0 ? `${subscribers} stayed` : `${lost} were: ${because}`,
    },
    equals(
      "nothing but snapshots and deltas came",
      sumOf(found, ({ strange }) => strange),
      0,
    ),
  ];
}

/** Each change with the arrivals of each delta that it is part of. */
function eachSeen(
  made: readonly MadeChange[],
  found: readonly CrowdFindings[],
  visit: (change: MadeChange, arrivalsMs: Float64Array) => void,
): void {
  for (const { deltas } of found) {
    for (const { from, to, arrivalsMs } of deltas) {
      for (const change of made) {
        if (from < change.seq && change.seq <= to) visit(change, arrivalsMs);
      }
    }
  }
}

const sumOf = (found: readonly CrowdFindings[], of: (findings: CrowdFindings) => number): number =>
  found.reduce((sum, findings) => sum + of(findings), 0);
