/**
 * Simulates the engine: `npm run simulate -- --seeds 1000`. Every seed is one world with its own
 * buyers and faults; the same seed is the same run, to the byte. See docs/SIMULATION.md.
 */
import { randomInt } from "node:crypto";
import { parseArgs } from "node:util";
import { FAULTS, type Fault, type PlanLimits } from "./plan.ts";
import { shrink } from "./shrink.ts";
import { type RunReport, simulate } from "./simulation.ts";

const USAGE = `npm run simulate -- [options]
  --seeds N          how many seeds (default 100)
  --seed S           the first seed (default: drawn anew each time)
  --ack-mode MODE    journal or postgres (default: as each seed says)
  --operations N     at most so many operations in each run
  --without a,b      without these faults: ${FAULTS.join(", ")}
  --no-shrink        report a failure as it is
  --json             one line of JSON per seed`;

interface Settings {
  readonly first: number;
  readonly count: number;
  readonly limits: PlanLimits;
  readonly isShrinking: boolean;
  readonly isJson: boolean;
}

function settingsOf(args: string[]): Settings {
  const { values } = parseArgs({
    args,
    options: {
      seeds: { type: "string", default: "100" },
      seed: { type: "string" },
      "ack-mode": { type: "string" },
      operations: { type: "string" },
      without: { type: "string", default: "" },
      "no-shrink": { type: "boolean", default: false },
      json: { type: "boolean", default: false },
    },
  });
  const ackMode = values["ack-mode"];
  if (ackMode !== undefined && ackMode !== "journal" && ackMode !== "postgres") {
    throw new Error(`--ack-mode is journal or postgres, not ${ackMode}`);
  }
  const { operations } = values;
  return {
    first: values.seed === undefined ? randomInt(1, 1_000_000_000) : integer("--seed", values.seed),
    // A seed that is named is meant to be run again.
    count: integer("--seeds", values.seeds),
    limits: {
      ...(ackMode === undefined ? {} : { ackMode }),
      ...(operations === undefined ? {} : { operations: integer("--operations", operations) }),
      without: values.without
        .split(",")
        .filter((word) => word !== "")
        .map(faultOf),
    },
    isShrinking: !values["no-shrink"],
    isJson: values.json,
  };
}

function integer(name: string, text: string): number {
  if (/^\d{1,10}$/.test(text)) return Number(text);
  throw new Error(`${name} is a whole number, not ${text}`);
}

function faultOf(word: string): Fault {
  const fault = FAULTS.find((each) => each === word);
  if (fault === undefined) throw new Error(`there is no fault ${word}`);
  return fault;
}

/** The command that repeats a run. */
function commandOf(seed: number, { ackMode, operations, without = [] }: PlanLimits): string {
  return [
    `npm run simulate -- --seed ${seed} --seeds 1`,
    ...(ackMode === undefined ? [] : [`--ack-mode ${ackMode}`]),
    ...(operations === undefined ? [] : [`--operations ${operations}`]),
    ...(without.length === 0 ? [] : [`--without ${without.join(",")}`]),
  ].join(" ");
}

function told({ seed, plan, violation, ...counts }: RunReport): string {
  const faults = [...plan.faults].join(",");
  return JSON.stringify({ seed, ackMode: plan.ackMode, faults, ...counts, violation });
}

async function run(settings: Settings): Promise<boolean> {
  const { first, count, limits, isJson, isShrinking } = settings;
  const say = (line: string): void => console.log(line);
  if (!isJson) say(`simulating seeds ${first} to ${first + count - 1}`);
  const totals = { operations: 0, facts: 0, answers: 0, commits: 0, lives: 0, virtualMs: 0 };
  const startedMs = performance.now();
  for (let seed = first; seed < first + count; seed += 1) {
    const report = await simulate(seed, limits);
    for (const key of Object.keys(totals) as (keyof typeof totals)[]) totals[key] += report[key];
    if (isJson) say(told(report));
    if (report.violation === null) continue;
    say(`\nseed ${seed}: ${report.violation}\n  ${commandOf(seed, limits)}`);
    if (isShrinking) {
      const shrunk = await shrink(report, limits);
      say(`\nshrunk in ${shrunk.runs} runs, to ${shrunk.report.operations} operations, with`);
      say(`${[...shrunk.report.plan.faults].join(", ")}: ${shrunk.report.violation}`);
      say(`  ${commandOf(seed, shrunk.limits)}`);
    }
    return false;
  }
  const seconds = (performance.now() - startedMs) / 1_000;
  const rate = Math.round(totals.operations / seconds);
  say(
    `${count} seeds without a violation: ${totals.operations} operations, ${totals.facts} facts, ` +
      `${totals.answers} answers and ${totals.commits} commits checked, ${totals.lives} lives of ` +
      `the node, ${Math.round(totals.virtualMs / 3_600_000)} h of virtual time, in ` +
      `${seconds.toFixed(1)} s: ${rate} operations a second`,
  );
  return true;
}

try {
  process.exitCode = (await run(settingsOf(process.argv.slice(2)))) ? 0 : 1;
} catch (error) {
  console.error(`${error instanceof Error ? error.message : error}\n\n${USAGE}`);
  process.exitCode = 2;
}
