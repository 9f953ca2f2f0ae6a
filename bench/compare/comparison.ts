/**
 * What turns come to, side by side. A ratio is made of two turns of one round, which the machine's
 * mood has touched alike; only then the rounds are put together.
 */
import type { Costs, Stream } from "../report/report.ts";
import { CEILING, OURS } from "./contenders.ts";

/** What was measured in a turn: `holds` alone, or whole sales, of a hold and its booking each. */
export type Phase = "holds" | "sales";
export const PHASES: readonly Phase[] = ["holds", "sales"];

/** One contender's phase in one round. */
export interface Measured {
  readonly contender: string;
  readonly round: number;
  readonly phase: Phase;
  /** A second: holds, or bookings. */
  readonly rate: number;
  /** The holds, or the bookings, as the load has them; their times are not corrected. */
  readonly stream: Stream;
  /** Of the load's thread, 0 to 1. */
  readonly loadBusyShare: number;
  readonly costs: Costs;
}

/** Over the rounds. */
export interface Spread {
  readonly median: number;
  readonly min: number;
  readonly max: number;
}

export interface Standing {
  readonly contender: string;
  readonly rounds: number;
  readonly rate: Spread;
  readonly p50Ms: Spread;
  readonly p99Ms: Spread;
  /** How many times as fast ours is; null for ours, and without a round in common. */
  readonly oursTimes: Spread | null;
  /** Share of the ceiling, 1: as fast; null for the ceiling, and without a round in common. */
  readonly ofCeiling: Spread | null;
  readonly loadBusyShare: number;
}

/** Those who were measured, in the order of their first turn. A ceiling has no place in a sale. */
export function standingsOf(phase: Phase, all: readonly Measured[]): Standing[] {
  const measured = all.filter((each) => each.phase === phase);
  const ceiling = ceilingOf(phase, all);
  const ours = rates(measured.filter(({ contender }) => contender === OURS));
  return [...new Set(measured.map(({ contender }) => contender))].map((contender) => {
    const own = measured.filter((each) => each.contender === contender);
    return {
      contender,
      rounds: own.length,
      rate: spreadOf(own.map(({ rate }) => rate)),
      p50Ms: spreadOf(own.map(({ stream }) => stream.latencyMs.p50)),
      p99Ms: spreadOf(own.map(({ stream }) => stream.latencyMs.p99)),
      oursTimes: contender === OURS ? null : ratiosOf(ours, rates(own)),
      ofCeiling: contender === CEILING ? null : ratiosOf(rates(own), ceiling),
      loadBusyShare: Math.max(...own.map(({ loadBusyShare }) => loadBusyShare)),
    };
  });
}

/** Of each contender's phase the turn in the middle, by its rate; of two, the slower. */
export function typicalStreams(all: readonly Measured[]): Stream[] {
  return PHASES.flatMap((phase) =>
    standingsOf(phase, all).flatMap(({ contender }) => {
      const own = all
        .filter((each) => each.phase === phase && each.contender === contender)
        .toSorted((a, b) => a.rate - b.rate);
      const middle = own[Math.floor((own.length - 1) / 2)];
      return middle === undefined ? [] : [{ ...middle.stream, name: `${phase}, ${contender}` }];
    }),
  );
}

/** The ceiling of a sale is half of the echo's rate: it is two requests. */
function ceilingOf(phase: Phase, all: readonly Measured[]): ReadonlyMap<number, number> {
  const echoes = all.filter((each) => each.contender === CEILING && each.phase === "holds");
  const requests = phase === "sales" ? 2 : 1;
  return new Map(echoes.map(({ round, rate }) => [round, rate / requests]));
}

/** By round. */
function rates(measured: readonly Measured[]): ReadonlyMap<number, number> {
  return new Map(measured.map(({ round, rate }) => [round, rate]));
}

function ratiosOf(
  above: ReadonlyMap<number, number>,
  below: ReadonlyMap<number, number>,
): Spread | null {
  const ratios = [...above].flatMap(([round, rate]) => {
    const other = below.get(round) ?? 0;
    return other > 0 ? [rate / other] : [];
  });
  return ratios.length === 0 ? null : spreadOf(ratios);
}

/** Of an even number the median is the mean of the two in the middle. Zeros for none. */
export function spreadOf(values: readonly number[]): Spread {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = (sorted.length - 1) / 2;
  const [low = 0, high = 0] = [sorted[Math.floor(middle)], sorted[Math.ceil(middle)]];
  return { median: (low + high) / 2, min: sorted[0] ?? 0, max: sorted.at(-1) ?? 0 };
}
