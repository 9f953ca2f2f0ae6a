/** What each contender took of the machine for one hold or sale: medians over the rounds. */
import type { Costs } from "../report/report.ts";
import { POSTGRES } from "../server-figures.ts";
import { type Measured, PHASES, type Phase, spreadOf } from "./comparison.ts";

/** null: unknown, or there is no such thing. */
export interface CostStanding {
  readonly contender: string;
  /** Processor time of the server and all that it has started, µs each; and PostgreSQL's part. */
  readonly allUs: number | null;
  readonly postgresUs: number | null;
  /** Of the server's process. */
  readonly peakMib: number | null;
  readonly afterMib: number | null;
  /** Of PostgreSQL, for each. */
  readonly transactions: number | null;
  readonly walSyncs: number | null;
  /** Of the journal, in all. */
  readonly fsyncs: number | null;
  readonly factsPerFsync: number | null;
}

export function costStandingsOf(phase: Phase, all: readonly Measured[]): CostStanding[] {
  return contendersIn(all.filter((each) => each.phase === phase)).map((contender) => {
    const own = costsIn(all, contender, phase);
    return {
      contender,
      allUs: medianOf(own, (costs) => microseconds(costs, () => true)),
      postgresUs: medianOf(own, (costs) =>
        costs.postgres === null ? null : microseconds(costs, (name) => name === POSTGRES),
      ),
      peakMib: medianOf(own, ({ serverFigures }) => serverFigures?.memoryMib.peak),
      afterMib: medianOf(own, ({ serverFigures }) => serverFigures?.memoryMib.end),
      transactions: medianOf(own, ({ postgres, count }) => each(postgres?.transactions, count)),
      walSyncs: medianOf(own, ({ postgres, count }) => each(postgres?.walSyncs, count)),
      fsyncs: medianOf(own, ({ journal }) => journal?.fsyncs),
      factsPerFsync: medianOf(own, ({ journal }) => journal?.factsPerFsync),
    };
  });
}

/** Of one contender's thread: µs of a hold and of a sale. */
export interface ThreadStanding {
  readonly contender: string;
  readonly thread: string;
  readonly us: readonly (number | null)[];
}

/** The busiest first, each contender's by themselves. */
export function threadStandingsOf(all: readonly Measured[]): ThreadStanding[] {
  return contendersIn(all).flatMap((contender) => {
    const byPhase = PHASES.map((phase) => costsIn(all, contender, phase));
    const threads = byPhase.flat().flatMap(({ serverFigures }) => serverFigures?.threads ?? []);
    return [...new Set(threads.map(({ name }) => name))]
      .map((thread) => ({
        contender,
        thread,
        us: byPhase.map((own) =>
          medianOf(own, (costs) => microseconds(costs, (name) => name === thread)),
        ),
      }))
      .sort((a, b) => most(b.us) - most(a.us));
  });
}

const contendersIn = (measured: readonly Measured[]): string[] => [
  ...new Set(measured.map(({ contender }) => contender)),
];

const costsIn = (all: readonly Measured[], contender: string, phase: Phase): Costs[] =>
  all.flatMap((each) => (each.contender === contender && each.phase === phase ? each.costs : []));

function microseconds(costs: Costs, isOf: (thread: string) => boolean): number | null {
  const { serverFigures, count } = costs;
  if (serverFigures === null) return null;
  const { threads, seconds } = serverFigures;
  const cores = threads.reduce((sum, thread) => sum + (isOf(thread.name) ? thread.cores : 0), 0);
  return each(cores * seconds * 1_000_000, count);
}

const each = (sum: number | undefined, count: number): number | null =>
  sum === undefined || count === 0 ? null : sum / count;

function medianOf(
  costs: readonly Costs[],
  of: (costs: Costs) => number | null | undefined,
): number | null {
  const known = costs.flatMap((one) => of(one) ?? []);
  return known.length === 0 ? null : spreadOf(known).median;
}

const most = (values: readonly (number | null)[]): number =>
  Math.max(...values.map((value) => value ?? 0));
