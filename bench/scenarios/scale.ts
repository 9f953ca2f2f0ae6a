import { check } from "../report/checking.ts";
import type { Check, Figure, Stream } from "../report/report.ts";
import { AXES, type Axis, isAxis, pointOf } from "../scale/axes.ts";
import { runStretch, type Stretch } from "../scale/stretch.ts";
import type { BenchOptions, Findings, Progress, Scenario } from "../scenario.ts";
import { UsageError } from "../scenario.ts";

const SECONDS_DEFAULT = 5;
const NAMES = Object.keys(AXES).join(", ");

/** What a hold costs as one thing grows, and all else stays: a row for each point. */
export const scale: Scenario = {
  name: "scale",
  summary: "short stretches of holds as shards, workers, connections, seats or events grow",
  extras: [
    { name: "axis", value: "NAME", help: `one of ${NAMES}; default: all, some ten minutes` },
    { name: "points", value: "N,N…", help: "with --axis: other points than its own" },
  ],
  async run(options: BenchOptions, progress: Progress): Promise<Findings> {
    if (options.url !== null) throw new UsageError("scale starts its servers: there is no --url");
    const durationSeconds = options.durationSeconds ?? SECONDS_DEFAULT;
    const points = pointsOf(options.extra);
    const rows: Row[] = [];
    for (const { axis, value } of points) {
      const name = `${axis} ${value}`;
      progress(name);
      const told: Progress = (line) => progress(`${name}: ${line}`);
      const stretch = await runStretch(pointOf(axis, value), { ...options, durationSeconds }, told);
      rows.push({ name, stretch });
    }
    return {
      server: "evently",
      streams: rows.map(streamOf),
      figures: rows.flatMap(figuresOf),
      serverFigures: null,
      journal: null,
      checks: rows.map(verdictOf),
      chosen: { durationSeconds },
    };
  },
};

interface Row {
  readonly name: string;
  readonly stretch: Stretch;
}

function pointsOf({ axis, points }: BenchOptions["extra"]): { axis: Axis; value: number }[] {
  if (axis !== undefined && !isAxis(axis)) throw new UsageError(`--axis is one of ${NAMES}`);
  if (axis === undefined && points !== undefined) throw new UsageError("--points needs --axis");
  const own = points?.split(",").map(Number);
  if (own?.some((value) => !Number.isInteger(value) || value < 1) === true) {
    throw new UsageError(`--points are whole numbers with commas between, not "${points}"`);
  }
  const axes = axis === undefined ? Object.keys(AXES).filter(isAxis) : [axis];
  return axes.flatMap((each) => (own ?? AXES[each]).map((value) => ({ axis: each, value })));
}

const streamOf = ({ name, stretch }: Row): Stream => ({ ...stretch.stream, name });

/** CPU by thread and hold: what the paper model of docs/SCALING.md is made of. */
function figuresOf({ name, stretch }: Row): Figure[] {
  const { stream, serverFigures, busyShare } = stretch;
  const load = { name: `${name}: load thread busy`, value: busyShare * 100, unit: "%" };
  if (serverFigures === null || stream.count === 0) return [load];
  const { threads, memoryMib, othersShare, seconds } = serverFigures;
  const perHold = (cores: number): number => (cores * seconds * 1e6) / stream.count;
  const unit = "µs of CPU a hold";
  const all = threads.reduce((sum, { cores }) => sum + cores, 0);
  return [
    { name: `${name}: all threads`, value: perHold(all), unit },
    ...threads.map((thread) => ({
      name: `${name}: ${thread.name}`,
      value: perHold(thread.cores),
      unit,
    })),
    { name: `${name}: memory, most`, value: memoryMib.peak, unit: "MiB" },
    load,
    ...(othersShare === null
      ? []
      : [{ name: `${name}: others took`, value: othersShare * 100, unit: "% of the machine" }]),
  ];
}

function verdictOf({ name, stretch: { checks } }: Row): Check {
  const wrong = checks.filter(({ ok }) => !ok);
  const objections = wrong.map((each) => `${each.name}: ${each.detail}`).join("; ");
  const isSound = checks.length > 0 && wrong.length === 0;
  const said = isSound ? `${checks.length} checks` : objections;
  return check(`${name}: the oracle has no objection`, isSound, said);
}
