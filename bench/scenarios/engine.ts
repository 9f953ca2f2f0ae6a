import type { Finding } from "../engine/finding.ts";
import { runPart } from "../engine/part-runner.ts";
import { ENGINE_PARTS } from "../engine/parts.ts";
import type { BenchOptions, Findings, Progress, Scenario } from "../scenario.ts";

/** Of each measurement. */
const SECONDS_DEFAULT = 2;
const SEARCHES_PER_SECOND = 1_000;
const SEARCHES_MIN = 20;

export const engine: Scenario = {
  name: "engine",
  summary:
    "in process, no server: decide + apply, keys, best seats, encoding, the journal alone, memory",
  run,
};

async function run(options: BenchOptions, progress: Progress): Promise<Findings> {
  const seconds = options.durationSeconds ?? SECONDS_DEFAULT;
  const { seed } = options;
  const searches = Math.max(SEARCHES_MIN, Math.round(seconds * SEARCHES_PER_SECOND));
  const findings: Finding[] = [];
  for (const part of ENGINE_PARTS.keys()) {
    progress(part);
    findings.push(await runPart(part, { seconds, searches, seed }));
  }
  return {
    server: "evently",
    streams: [],
    figures: findings.flatMap(({ figures }) => figures),
    tables: findings.flatMap(({ tables = [] }) => tables),
    serverFigures: null,
    journal: null,
    checks: findings.flatMap(({ checks }) => checks),
    chosen: { durationSeconds: seconds, searches },
  };
}
