/** Entry of `npm run config`: every variable, as docs/CONFIGURATION.md has it. */
import { OPTIONS } from "./config.ts";

/** Defaults that are another thing on another machine. */
const DEFAULTS: Readonly<Record<string, string>> = { WORKERS: "cores − 1, at least 1" };

/** Rows of Markdown, in the order of the options. */
function configTable(): string {
  const rows = Object.values(OPTIONS).map((option) => {
    const text = DEFAULTS[option.name] ?? shown(option.default);
    return `| \`${option.name}\` | ${text} | ${option.help} | ${option.accepts} |`;
  });
  return ["| variable | default | what it is for | accepts |", "|---|---|---|---|", ...rows].join(
    "\n",
  );
}

function shown(value: unknown): string {
  if (value === null) return "unset";
  if (typeof value === "boolean") return value ? "`on`" : "`off`";
  return `\`${String(value)}\``;
}

process.stdout.write(`${configTable()}\n`);
