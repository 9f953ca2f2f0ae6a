import { equals, statusCheck } from "../report/checking.ts";
import type { Check } from "../report/report.ts";
import { type MadeChange, REFUSALS } from "./change-maker.ts";
import type { CrowdFindings } from "./crowd.ts";
import { eachSeen } from "./seen-changes.ts";

const CREATED = 201;
/** Share of the changes: where more were refused, nothing was measured at the rate asked for. */
const REFUSED_SHARE_MAX = 0.25;

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
      name: "by seq, every subscriber's deltas follow each other without a gap",
      ok: gapCount === 0,
      detail: gapCount === 0 ? `${deltaCount(found)} deltas` : `${gapCount} gaps: ${first}`,
    },
    {
      name: "by seq, every subscriber saw every change exactly once",
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

/** Of all answers to the maker: a no is counted, unless it can't be right or there are too many. */
export function answerChecks(statuses: Readonly<Record<string, number>>): Check[] {
  const asked = Object.values(statuses).reduce((sum, count) => sum + count, 0);
  const refused = asked - (statuses[CREATED] ?? 0);
  return [
    statusCheck("changes", statuses, [CREATED, ...REFUSALS]),
    {
      name: `at most ${REFUSED_SHARE_MAX * 100} % of the changes were refused`,
      ok: refused <= asked * REFUSED_SHARE_MAX,
      detail: `${refused} of ${asked}`,
    },
  ];
}

const sumOf = (found: readonly CrowdFindings[], of: (findings: CrowdFindings) => number): number =>
  found.reduce((sum, findings) => sum + of(findings), 0);
