/**
 * The bench: `npm run bench -- --help`, and docs/BENCH.md.
 *
 * Runs one scenario, prints what it found, and ends with 0; with 1 when the oracle objects, with 2
 * when it was not understood, with 3 when it could not run.
 */
import { writeFileSync } from "node:fs";
import { cpus, totalmem } from "node:os";
import { cleanUp } from "./clean-up.ts";
import {
  type Command,
  helpText,
  listOf,
  parseCommand,
  reportedOptions,
  wantsHelp,
} from "./command-line.ts";
import { requireWritable } from "./output-files.ts";
import { watchParent } from "./parent-watch.ts";
import { ProgressLine } from "./progress.ts";
import { allScenarios, scenarioOf } from "./registry.ts";
import { htmlPage } from "./report/html-page.ts";
import { isSound, type Report } from "./report/report.ts";
import { textTable } from "./report/text-table.ts";
import { UsageError } from "./scenario.ts";
import { ServerUnreachable } from "./server-reach.ts";

const UNSOUND = 1;
const USAGE = 2;
const COULD_NOT_RUN = 3;
/** As shells say it. */
const INTERRUPTED = 130;

async function run(command: Command): Promise<number> {
  const { scenario, options, json, html } = command;
  requireWritable("json", json);
  requireWritable("html", html);
  const progress = new ProgressLine();
  const startedAt = new Date().toISOString();
  const { chosen, ...found } = await scenario
    .run(options, progress.show)
    .finally(() => progress.end());
  const report: Report = {
    scenario: scenario.name,
    startedAt,
    machine: {
      processor: cpus()[0]?.model ?? "unknown",
      cores: cpus().length,
      memoryGib: Math.round(totalmem() / 2 ** 30),
      node: process.version,
    },
    options: { ...reportedOptions(command), ...chosen },
    ...found,
  };
  process.stdout.write(`${textTable(report)}\n`);
  if (json !== null) writeFileSync(json, `${JSON.stringify(report, null, 2)}\n`);
  if (html !== null) writeFileSync(html, htmlPage(report));
  return isSound(report) ? 0 : UNSOUND;
}

/** null: help was given. */
async function understood(args: readonly string[]): Promise<Command | null> {
  if (wantsHelp(args)) {
    process.stdout.write(`${helpText(await allScenarios())}\n`);
    return null;
  }
  const [name = "", ...rest] = args;
  const scenario = await scenarioOf(name);
  if (scenario !== null) return parseCommand(scenario, rest, process.env);
  const what = name === "" ? "which scenario?" : `there is no scenario "${name}"`;
  throw new UsageError(`${what}\n\n${listOf(await allScenarios())}\n`);
}

async function main(): Promise<number> {
  try {
    const command = await understood(process.argv.slice(2));
    return command === null ? 0 : await run(command);
  } catch (error) {
    if (isInterrupted) return INTERRUPTED;
    if (error instanceof UsageError) {
      process.stderr.write(`${error.message}\nmore: npm run bench -- --help\n`);
      return USAGE;
    }
    process.stderr.write(`the bench could not run: ${toldOf(error)}\n`);
    return COULD_NOT_RUN;
  } finally {
    await cleanUp();
  }
}

/** One line where it says all; with its stack where it may be a fault of ours. */
function toldOf(error: unknown): string {
  if (error instanceof ServerUnreachable) return error.message;
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}

let isInterrupted = false;

/** What runs fails when its server is taken away, and ends by that. */
function interrupt(): void {
  if (isInterrupted) process.exit(INTERRUPTED);
  isInterrupted = true;
  process.stderr.write("\ninterrupted: cleaning up\n");
  const end = (): never => process.exit(INTERRUPTED);
  void cleanUp().then(end, end);
}

process.on("SIGINT", interrupt);
process.on("SIGTERM", interrupt);
watchParent(interrupt);
const code = await main();
process.exit(isInterrupted ? INTERRUPTED : code);
