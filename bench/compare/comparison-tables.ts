import type { Table } from "../report/report.ts";
import { type Measured, PHASES, type Phase, type Spread, standingsOf } from "./comparison.ts";
import { costStandingsOf, threadStandingsOf } from "./cost-standings.ts";

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

const COSTS: Readonly<Record<Phase, string>> = {
  holds: "what a hold took: processor time, memory, transactions and WAL syncs; our journal",
  sales: "what a sale took, a hold and its booking: the same",
};

const COSTS_HEAD = [
  "",
  "µs",
  "PostgreSQL",
  "peak MiB",
  "after",
  "transactions",
  "WAL syncs",
  "fsyncs",
  "facts each",
];

/** Medians over the rounds, of each phase: how fast, and what it took. Then every turn. */
export function comparisonTables(measured: readonly Measured[]): Table[] {
  const turns = measured.map(({ contender, phase, round, rate, stream }) => {
    const { p50, p90, p99, p999, max } = stream.latencyMs;
    const times = [p50, p90, p99, p999, max].map(digits);
    return [`${phase}, ${contender}`, String(round + 1), whole(rate), ...times];
  });
  const all = { title: "as they came", head: TURNS_HEAD, rows: turns };
  return [...phaseTables(measured), ...costTables(measured), threadTable(measured), all];
}

function costTables(measured: readonly Measured[]): Table[] {
  return PHASES.flatMap((phase) => {
    const rows = costStandingsOf(phase, measured).map((costs) => [
      costs.contender,
      known(costs.allUs, digits),
      known(costs.postgresUs, digits),
      known(costs.peakMib, whole),
      known(costs.afterMib, whole),
      known(costs.transactions, thousandths),
      known(costs.walSyncs, thousandths),
      known(costs.fsyncs, whole),
      known(costs.factsPerFsync, digits),
    ]);
    return rows.length === 0 ? [] : [{ title: COSTS[phase], head: COSTS_HEAD, rows }];
  });
}

function threadTable(measured: readonly Measured[]): Table {
  const rows = threadStandingsOf(measured).map(({ contender, thread, us }) => [
    `${contender}: ${thread}`,
    ...us.map((value) => known(value, digits)),
  ]);
  return { title: "processor time by thread, µs", head: ["", "of a hold", "of a sale"], rows };
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

/** Nothing where it is unknown. */
const known = (value: number | null, shown: (value: number) => string): string =>
  value === null ? "" : shown(value);

const thousandths = (value: number): string => value.toFixed(3);

const whole = (value: number): string => String(Math.round(value));

/** Three digits, more where the number has more before its point. */
function digits(value: number): string {
  if (value >= 100) return whole(value);
  return value.toFixed(value >= 10 ? 1 : 2);
}

const range = ({ min, max }: Spread, shown: (value: number) => string): string =>
  `${shown(min)} … ${shown(max)}`;
