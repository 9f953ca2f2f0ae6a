import type { Table } from "../report/report.ts";
import { type Measured, PHASES, type Phase, type Spread, standingsOf } from "./comparison.ts";

const TITLES: Readonly<Record<Phase, string>> = {
  holds: "holds of one place, on one hot event",
  sales: "sales on one hot event: a hold and its booking each; times are the booking's",
};

const TURNS_HEAD = ["every turn", "round", "a second", "p50 ms", "p90", "p99", "p99.9", "max"];

const HEAD = [
  "",
  "a second",
  "min … max",
  "p50 ms",
  "p99 ms",
  "ours is ×",
  "min … max",
  "of the ceiling",
  "load thread",
];

/** One table a phase: medians over the rounds, and how far they spread. Then every turn. */
export function comparisonTables(measured: readonly Measured[]): Table[] {
  const turns = measured.map(({ contender, phase, round, rate, stream }) => {
    const { p50, p90, p99, p999, max } = stream.latencyMs;
    const times = [p50, p90, p99, p999, max].map(digits);
    return [`${phase}, ${contender}`, String(round + 1), whole(rate), ...times];
  });
  const all = { title: "as they came", head: TURNS_HEAD, rows: turns };
  return [...phaseTables(measured), all];
}

function phaseTables(measured: readonly Measured[]): Table[] {
  return PHASES.flatMap((phase) => {
    const standings = standingsOf(phase, measured);
    if (standings.length === 0) return [];
    const rows = standings.map((standing) => [
      standing.contender,
      whole(standing.rate.median),
      range(standing.rate, whole),
      digits(standing.p50Ms.median),
      digits(standing.p99Ms.median),
      standing.oursTimes === null ? "" : digits(standing.oursTimes.median),
      standing.oursTimes === null ? "" : range(standing.oursTimes, digits),
      standing.ofCeiling === null ? "" : standing.ofCeiling.median.toFixed(3),
      `${whole(100 * standing.loadBusyShare)} %`,
    ]);
    return [{ title: TITLES[phase], head: HEAD, rows }];
  });
}

const whole = (value: number): string => String(Math.round(value));

/** Three digits, more where the number has more before its point. */
function digits(value: number): string {
  if (value >= 100) return whole(value);
  return value.toFixed(value >= 10 ? 1 : 2);
}

const range = ({ min, max }: Spread, shown: (value: number) => string): string =>
  `${shown(min)} … ${shown(max)}`;
