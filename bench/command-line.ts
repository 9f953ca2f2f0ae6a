import { parseArgs } from "node:util";
import { type Access, type BenchOptions, type Scenario, UsageError } from "./scenario.ts";

/** What is to be run. */
export interface Command {
  readonly scenario: Scenario;
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

/** `args`: what follows the scenario's name. Throws UsageError for what cannot be meant. */
export function parseCommand(
  scenario: Scenario,
  args: readonly string[],
  env: NodeJS.ProcessEnv,
): Command {
  const extras = scenario.extras ?? [];
  const values = valuesOf(args, [...OPTIONS, ...extras]);
  const extra = extras.flatMap((option) => {
    const value = values[option.name];
    return value === undefined ? [] : [[option.name, value] as const];
  });
  const options: BenchOptions = {
    url: urlOf(values.url),
    connections: wholeOf(values, "connections", CONNECTIONS_MAX),
    durationSeconds: positiveOf(values, "duration", SECONDS_MAX),
    seats: wholeOf(values, "seats", SEATS_MAX),
    ratePerSecond: positiveOf(values, "rate", RATE_MAX),
    events: wholeOf(values, "events", EVENTS_MAX),
    seed: wholeOf(values, "seed", SEED_MAX) ?? 1,
    access: accessOf(values, env),
    extra: Object.fromEntries(extra),
  };
  return { scenario, options, json: values.json ?? null, html: values.html ?? null };
}

function valuesOf(args: readonly string[], options: readonly Option[]): Values {
  const known = Object.fromEntries(options.map(({ name }) => [name, { type: "string" }] as const));
  try {
    const { values } = parseArgs({ args: [...args], options: known, allowPositionals: false });
    const empty = Object.entries(values).find(([, value]) => value === "");
    if (empty !== undefined) throw new UsageError(`--${empty[0]} is empty`);
    return values;
  } catch (error) {
    if (error instanceof UsageError || !(error instanceof Error)) throw error;
    throw new UsageError(error.message.split(". ")[0] ?? error.message, { cause: error });
  }
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

export function helpText(scenarios: readonly Scenario[]): string {
  return [
    "npm run bench -- SCENARIO [options]",
    "",
    "scenarios:",
    listOf(scenarios),
    "",
    "options (scenarios ignore what has no meaning for them):",
    ...OPTIONS.map(optionLine),
    ...scenarios.flatMap(({ name, extras = [] }) =>
      extras.length === 0 ? [] : ["", `options of ${name}:`, ...extras.map(optionLine)],
    ),
    "",
    "exit codes: 0 all is well, 1 the oracle objects, 2 usage, 3 it could not run",
    "docs/BENCH.md says what is measured, and how.",
  ].join("\n");
}

export function listOf(scenarios: readonly Scenario[]): string {
  const width = Math.max(...scenarios.map(({ name }) => name.length)) + 2;
  return scenarios.map(({ name, summary }) => `  ${name.padEnd(width)}${summary}`).join("\n");
}

function optionLine({ name, value, help }: Option): string {
  return `  ${`--${name} ${value}`.padEnd(22)}${help}`;
}
