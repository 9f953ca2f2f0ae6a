import { parseArgs } from "node:util";
import { ACCESS_TOKEN_SECONDS } from "../engine/limits.ts";
import type { Report } from "./report/report.ts";
import {
  type Access,
  type BenchOptions,
  type ListedScenario,
  type OptionName,
  UsageError,
} from "./scenario.ts";

/** What is to be run. */
export interface Command {
  readonly scenario: ListedScenario;
  readonly options: BenchOptions;
  /** Files to write; null: none. */
  readonly json: string | null;
  readonly html: string | null;
}

interface Option {
  readonly name: string;
  readonly value: string;
  readonly help: string;
}

const OPTIONS: readonly Option[] = [
  { name: "url", value: "URL", help: "a server that runs already; default: one of its own" },
  { name: "connections", value: "N", help: "connections at once" },
  { name: "duration", value: "S", help: "seconds of load that count" },
  { name: "seats", value: "N", help: "seats of the event that is sold" },
  { name: "rate", value: "R", help: "requests a second; default: as fast as answers come" },
  { name: "events", value: "N", help: "events that are on sale" },
  { name: "seed", value: "N", help: "of the load's random choices; default: 1" },
  { name: "json", value: "FILE", help: "writes the report as JSON" },
  { name: "html", value: "FILE", help: "writes the report as a page that needs no network" },
  { name: "email", value: "EMAIL", help: "with --url: who makes the events (or BENCH_EMAIL)" },
  { name: "password", value: "WORD", help: "their password (better: BENCH_PASSWORD)" },
  { name: "ops-token", value: "TOKEN", help: "its OPS_TOKEN (better: BENCH_OPS_TOKEN)" },
];

/** What every scenario takes. */
const EVERYBODYS = ["json", "html"];
/** Who the bench is on the server of `--url`. */
const ACCESS = ["email", "password", "ops-token"];

const CONNECTIONS_MAX = 50_000;
const SECONDS_MAX = 86_400;
const SEATS_MAX = 200_000;
const RATE_MAX = 10_000_000;
const EVENTS_MAX = 10_000_000;
const EXTRA_MAX = 99_999_999;
const SEED_MAX = 2 ** 32 - 1;

type Values = Readonly<Record<string, string | undefined>>;

/** Whether the list of scenarios and options is wanted. */
export function wantsHelp(args: readonly string[]): boolean {
  return args[0] === "help" || args.includes("--help") || args.includes("-h");
}

/**
 * `args`: what follows the scenario's name. Throws UsageError for what cannot be meant, and for
 * what this scenario would ignore.
 */
export function parseCommand(
  scenario: ListedScenario,
  args: readonly string[],
  env: NodeJS.ProcessEnv,
): Command {
  const extras = scenario.extras ?? [];
  const values = valuesOf(args, scenario);
  const extra = extras.flatMap((option) => {
    const value = values[option.name];
    return value === undefined ? [] : [[option.name, value] as const];
  });
  const options: BenchOptions = {
    url: urlOf(values.url),
    connections: wholeOf(values, "connections", CONNECTIONS_MAX),
    durationSeconds: durationOf(values, scenario),
    seats: wholeOf(values, "seats", SEATS_MAX),
    ratePerSecond: positiveOf(values, "rate", RATE_MAX),
    events: wholeOf(values, "events", EVENTS_MAX),
    seed: wholeOf(values, "seed", SEED_MAX) ?? 1,
    access: accessOf(values, env),
    extra: Object.fromEntries(extra),
  };
  return { scenario, options, json: values.json ?? null, html: values.html ?? null };
}

function valuesOf(args: readonly string[], scenario: ListedScenario): Values {
  const all = [...OPTIONS, ...(scenario.extras ?? [])];
  const options = Object.fromEntries(all.map(({ name }) => [name, { type: "string" }] as const));
  try {
    const { values } = parseArgs({ args: [...args], options, allowPositionals: false });
    const taken = takenBy(scenario);
    for (const [name, value] of Object.entries(values)) {
      if (!taken.includes(name)) throw new UsageError(`${scenario.name} takes no --${name}`);
      if (value === "") throw new UsageError(`--${name} is empty`);
      if (ACCESS.includes(name) && values.url === undefined) {
        throw new UsageError(`--${name} is for a server of --url, and there is none`);
      }
    }
    return values;
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    const what = error.message.split(". ")[0] ?? error.message;
    const taken = listOfOptions(takenBy(scenario));
    throw new UsageError(`${what}\n${scenario.name} takes ${taken}`, { cause: error });
  }
}

/** Names of all options that it may be given. */
function takenBy({ takes, extras = [] }: ListedScenario): string[] {
  const own = [...takes, ...(takes.includes("url") ? ACCESS : [])];
  return [...own, ...extras.map(({ name }) => name), ...EVERYBODYS];
}

const listOfOptions = (names: readonly string[]): string =>
  names.map((name) => `--${name}`).join(" ");

function durationOf(values: Values, { durationMax }: ListedScenario): number | null {
  const seconds = positiveOf(values, "duration", SECONDS_MAX);
  if (seconds === null || durationMax === null || seconds <= durationMax) return seconds;
  throw new UsageError(
    `--duration is at most ${durationMax} here, not "${values.duration}": the buyers' access ` +
      `tokens end after ${ACCESS_TOKEN_SECONDS} s, and only soak renews them`,
  );
}

function wholeOf(values: Values, name: string, max: number): number | null {
  const text = values[name];
  if (text === undefined) return null;
  const value = /^\d+$/.test(text) ? Number(text) : 0;
  if (value >= 1 && value <= max) return value;
  throw new UsageError(`--${name} is a whole number from 1 to ${max}, not "${text}"`);
}

/** A whole number above 0 among a scenario's own options. */
export function wholeExtra(extra: Values, name: string, otherwise: number): number {
  return wholeOf(extra, name, EXTRA_MAX) ?? otherwise;
}

function positiveOf(values: Values, name: string, max: number): number | null {
  const text = values[name];
  if (text === undefined) return null;
  const value = /^\d+(?:\.\d+)?$/.test(text) ? Number(text) : 0;
  if (value > 0 && value <= max) return value;
  throw new UsageError(`--${name} is a number above 0 and up to ${max}, not "${text}"`);
}

/** Without a slash at its end. */
function urlOf(text: string | undefined): string | null {
  if (text === undefined) return null;
  const url = URL.canParse(text) ? new URL(text) : null;
  const isPlain = url !== null && url.pathname === "/" && url.search === "" && url.hash === "";
  if (isPlain && (url.protocol === "http:" || url.protocol === "https:")) return url.origin;
  throw new UsageError(`--url is like http://127.0.0.1:3000, not "${text}"`);
}

function accessOf(values: Values, env: NodeJS.ProcessEnv): Access | null {
  const email = values.email ?? env.BENCH_EMAIL;
  const password = values.password ?? env.BENCH_PASSWORD;
  const opsToken = values["ops-token"] ?? env.BENCH_OPS_TOKEN ?? null;
  if (email === undefined && password === undefined && opsToken === null) return null;
  if (email !== undefined && password !== undefined) return { email, password, opsToken };
  throw new UsageError("--email and --password belong together");
}

const REPORTED = {
  url: "url",
  connections: "connections",
  duration: "durationSeconds",
  seats: "seats",
  rate: "ratePerSecond",
  events: "events",
  seed: "seed",
} as const satisfies Readonly<Record<OptionName, keyof BenchOptions>>;

/** What a report says was wished for: of the options only those that the scenario takes. */
export function reportedOptions({ scenario, options }: Command): Report["options"] {
  const own = scenario.takes.map((name) => [REPORTED[name], options[REPORTED[name]]] as const);
  return { ...Object.fromEntries(own), ...options.extra };
}

export function helpText(scenarios: readonly ListedScenario[]): string {
  const width = widthOf(scenarios);
  return [
    "npm run bench -- SCENARIO [options]",
    "",
    "scenarios:",
    listOf(scenarios),
    "",
    "options:",
    ...OPTIONS.map(optionLine),
    "",
    "which scenario takes which, beside --json and --html (and with --url who you are there):",
    ...scenarios.map(
      ({ name, takes, extras = [] }) =>
        `  ${name.padEnd(width)}${listOfOptions([...takes, ...extras.map((own) => own.name)])}`,
    ),
    ...scenarios.flatMap(({ name, extras = [] }) =>
      extras.length === 0 ? [] : ["", `options of ${name}:`, ...extras.map(optionLine)],
    ),
    "",
    "exit codes: 0 all is well, 1 the oracle objects, 2 usage, 3 it could not run",
    "docs/BENCH.md says what is measured, and how.",
  ].join("\n");
}

export function listOf(scenarios: readonly ListedScenario[]): string {
  const width = widthOf(scenarios);
  return scenarios.map(({ name, summary }) => `  ${name.padEnd(width)}${summary}`).join("\n");
}

const widthOf = (scenarios: readonly ListedScenario[]): number =>
  Math.max(...scenarios.map(({ name }) => name.length)) + 2;

function optionLine({ name, value, help }: Option): string {
  return `  ${`--${name} ${value}`.padEnd(22)}${help}`;
}
