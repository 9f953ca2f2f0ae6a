import { installedRedis } from "../baselines/redis-process.ts";
import { type Measured, PHASES, standingsOf, typicalStreams } from "../compare/comparison.ts";
import { comparisonTables } from "../compare/comparison-tables.ts";
import { type Contender, contenders, OURS, rotated } from "../compare/contenders.ts";
import { costStandingsOf } from "../compare/cost-standings.ts";
import { takeTurn } from "../compare/turn.ts";
import type { Check, Figure } from "../report/report.ts";
import {
  type BenchOptions,
  type Findings,
  type Progress,
  type Scenario,
  UsageError,
} from "../scenario.ts";

const CONNECTIONS_DEFAULT = 256;
const SECONDS_DEFAULT = 5;
const ROUNDS_DEFAULT = 3;
const ROUNDS_MAX = 100;
const SKIPPED = "redis-lock is skipped: no redis-server is installed";

/** Ours and the baselines in turns, each on a server and a database of its own. */
export const compare: Scenario = {
  name: "compare",
  summary: "ours and the usual designs in turns, behind one gateway: rates, ratios, spread",
  extras: [
    { name: "rounds", value: "N", help: `turns of each; default: ${ROUNDS_DEFAULT}` },
    { name: "only", value: "NAMES", help: "of the baselines; with commas between" },
  ],
  async run(options: BenchOptions, progress: Progress): Promise<Findings> {
    if (options.url !== null) throw new UsageError("compare starts its servers itself");
    if (options.ratePerSecond !== null) throw new UsageError("compare is as fast as answers come");
    const connections = options.connections ?? CONNECTIONS_DEFAULT;
    const seconds = options.durationSeconds ?? SECONDS_DEFAULT;
    const rounds = roundsOf(options.extra.rounds);
    const redis = installedRedis();
    if (redis === null) progress(SKIPPED);
    const all = contenders(redis !== null, options.seats === null ? "area" : "seats");
    const taking = chosenOf(options.extra.only, all);
    const measured: Measured[] = [];
    const checks: Check[] = [];
    for (let round = 0; round < rounds; round += 1) {
      for (const contender of rotated(taking, round)) {
        const { seats, seed } = options;
        const turn = { contender, round, connections, seconds, seats, seed };
        const found = await takeTurn(turn, progress);
        measured.push(...found.measured);
        checks.push(...found.checks);
      }
    }
    const server = taking.map(({ name }) => name).join(", ");
    const chosen = { connections, durationSeconds: seconds, rounds, redis: redis ?? SKIPPED };
    return {
      server,
      streams: typicalStreams(measured),
      figures: figuresOf(measured),
      tables: comparisonTables(measured),
      turns: measured.map(({ stream, ...turn }) => ({ ...turn, latencyMs: stream.latencyMs })),
      serverFigures: null,
      journal: null,
      checks,
      chosen,
    };
  },
};

function roundsOf(text: string | undefined): number {
  if (text === undefined) return ROUNDS_DEFAULT;
  const rounds = /^\d{1,3}$/.test(text) ? Number(text) : 0;
  if (rounds >= 1 && rounds <= ROUNDS_MAX) return rounds;
  throw new UsageError(`--rounds is a whole number from 1 to ${ROUNDS_MAX}, not "${text}"`);
}

/** Ours always takes part: without it there is nothing to compare with. */
function chosenOf(text: string | undefined, all: readonly Contender[]): readonly Contender[] {
  if (text === undefined) return all;
  const names = text.split(",");
  const known = contenders(true).map(({ name }) => name);
  const unknown = names.find((name) => !known.includes(name));
  if (unknown !== undefined) {
    throw new UsageError(`--only takes ${known.join(", ")}; there is no "${unknown}"`);
  }
  const chosen = all.filter(({ name }) => name === OURS || names.includes(name));
  if (chosen.length < 2) throw new UsageError("--only leaves nothing to compare with");
  return chosen;
}

/** For who reads the report by a program, and for its page to draw. */
function figuresOf(measured: readonly Measured[]): Figure[] {
  const figure = (name: string, value: number | undefined | null, unit: string): Figure[] =>
    value == null ? [] : [{ name, value, unit }];
  const ratios = PHASES.flatMap((phase) =>
    standingsOf(phase, measured).flatMap(({ contender, oursTimes }) =>
      figure(`${phase}, ours over ${contender}`, oursTimes?.median, "times"),
    ),
  );
  const costs = PHASES.flatMap((phase) =>
    costStandingsOf(phase, measured).flatMap(({ contender, allUs }) =>
      figure(`${phase}, ${contender}`, allUs, "µs of processor time each"),
    ),
  );
  return [...ratios, ...costs];
}
