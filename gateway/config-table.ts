/** Entry of `npm run config`: every variable, as docs/CONFIGURATION.md has it. */
import { OPTIONS } from "./config.ts";
import { readDoor } from "./http/door-settings.ts";
import { boundText, readLimits } from "./limits/limit-classes.ts";

interface Told {
  readonly name: string;
  readonly default: unknown;
  readonly accepts: string;
  readonly help: string;
}

/** Defaults that are another thing on another machine. */
const DEFAULTS: Readonly<Record<string, string>> = { WORKERS: "cores − 1, at least 1" };

/** In the order in which they are read. */
function everyOption(): readonly Told[] {
  const options: Told[] = Object.values(OPTIONS);
  const noted = <T>(option: Told & { readonly default: T }): T => {
    options.push(option);
    return option.default;
  };
  readLimits(noted);
  readDoor(noted);
  return options;
}

function shown(value: unknown): string {
  const text = boundText(value);
  if (text !== null) return `\`${text}\``;
  if (value === null || (Array.isArray(value) && value.length === 0)) return "unset";
  if (typeof value === "boolean") return value ? "`on`" : "`off`";
  return `\`${String(value)}\``;
}

const rows = everyOption().map((option) => {
  const text = DEFAULTS[option.name] ?? shown(option.default);
  return `| \`${option.name}\` | ${text} | ${option.help} | ${option.accepts} |`;
});
const head = ["| variable | default | what it is for | accepts |", "|---|---|---|---|"];
process.stdout.write(`${[...head, ...rows].join("\n")}\n`);
