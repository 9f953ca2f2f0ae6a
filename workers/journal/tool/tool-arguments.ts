import { parseArgs } from "node:util";
import { type EventId, parseEventId } from "../../../engine/ids.ts";
import type { LastLsns } from "../recovery.ts";
import { ToolError } from "./tool-errors.ts";

export const USAGE = `Looks into a journal. Reads only; the journal may be in use meanwhile.

  npm run --silent journal -- inspect DIR [--segment N] [--entries] [--shard S] [--event ID]
                              [--json]
      What is in the files: segments, their frames, with --entries every entry, one on a line.
      --shard and --event show only what belongs to them.

  npm run --silent journal -- verify DIR [--watermarks SHARD:LSN,… | --database URL] [--json]
      What a start would say of it, and do. Without the watermarks (what PostgreSQL has of each
      shard) only what the files tell by themselves is checked.

  npm run --silent journal -- replay DIR --event ID [--until-seq N] [--at TIME] [--facts]
                              [--database URL] [--json]
      The state of one event at a seq (TIME: its last seq up to then, as 2026-03-05T12:00:00Z), made
      from its facts; --facts lists them. If the journal no longer has the first ones, --database
      begins with the rows of PostgreSQL instead.

DIR is DATA_DIR, or the journal/ in it. --json prints one JSON object a line.
Exit code: 0 sound, 1 corrupt or contradictory (or no such facts), 2 wrong usage or unreadable.
`;

export interface InspectOptions {
  /** Sequence number of the only segment to show; null: all. */
  readonly segment: number | null;
  readonly entries: boolean;
  readonly shard: number | null;
  readonly eventId: EventId | null;
}

export interface ReplayLimits {
  /** The last seq to apply; null: whatever there is. */
  readonly untilSeq: number | null;
  /** Unix ms after which nothing is applied. */
  readonly atMs: number | null;
}

interface Common {
  readonly dir: string;
  readonly json: boolean;
}

export type ToolCommand =
  | { readonly kind: "help" }
  | (Common & InspectOptions & { readonly kind: "inspect" })
  | (Common & {
      readonly kind: "verify";
      readonly watermarks: LastLsns | null;
      readonly databaseUrl: string | null;
    })
  | (Common &
      ReplayLimits & {
        readonly kind: "replay";
        readonly eventId: EventId;
        readonly facts: boolean;
        readonly databaseUrl: string | null;
      });

const OPTIONS = {
  help: { type: "boolean", short: "h" },
  json: { type: "boolean" },
  segment: { type: "string" },
  entries: { type: "boolean" },
  shard: { type: "string" },
  event: { type: "string" },
  watermarks: { type: "string" },
  database: { type: "string" },
  "until-seq": { type: "string" },
  at: { type: "string" },
  facts: { type: "boolean" },
} as const;

type OptionName = keyof typeof OPTIONS;

const OPTIONS_OF = new Map<string, readonly OptionName[]>([
  ["inspect", ["json", "segment", "entries", "shard", "event"]],
  ["verify", ["json", "watermarks", "database"]],
  ["replay", ["json", "event", "until-seq", "at", "facts", "database"]],
]);

/** Reads the words behind the program's name. Throws ToolError with the code `usage`. */
export function parseToolArguments(args: readonly string[]): ToolCommand {
  const { values, positionals } = parsed(args);
  if (values.help === true || args.length === 0) return { kind: "help" };
  const [kind = "", dir, ...rest] = positionals;
  const allowed = OPTIONS_OF.get(kind);
  if (allowed === undefined) throw usage(`"${kind}" is none of inspect, verify and replay`);
  if (dir === undefined || dir === "") throw usage(`${kind} needs a directory`);
  if (rest.length > 0) throw usage(`"${rest[0]}" is one word too many`);
  const other = Object.keys(values).find((name) => !allowed.some((one) => one === name));
  if (other !== undefined) throw usage(`${kind} does not take --${other}`);

  const common = { dir, json: values.json === true };
  const databaseUrl = databaseOf(values.database);
  const eventId = eventOf(values.event);
  if (kind === "inspect") {
    const segment = countOf("segment", values.segment);
    const shard = countOf("shard", values.shard);
    return { kind, ...common, segment, shard, eventId, entries: values.entries === true };
  }
  if (kind === "verify") {
    const watermarks = watermarksOf(values.watermarks);
    if (watermarks !== null && databaseUrl !== null) {
      throw usage("--watermarks and --database say the same: give one of them");
    }
    return { kind, ...common, watermarks, databaseUrl };
  }
  if (eventId === null) throw usage("replay needs --event ID");
  const untilSeq = countOf("until-seq", values["until-seq"]);
  const atMs = timeOf(values.at);
  const facts = values.facts === true;
  return { kind: "replay", ...common, eventId, untilSeq, atMs, facts, databaseUrl };
}

function parsed(args: readonly string[]) {
  try {
    return parseArgs({ args: [...args], options: OPTIONS, allowPositionals: true });
  } catch (cause) {
    throw usage(cause instanceof Error ? cause.message : String(cause), { cause });
  }
}

function usage(message: string, options?: ErrorOptions): ToolError {
  return new ToolError("usage", message, options);
}

function countOf(name: string, text: string | undefined): number | null {
  if (text === undefined) return null;
  if (!/^\d{1,15}$/.test(text)) throw usage(`--${name} takes a whole number, not "${text}"`);
  return Number(text);
}

function eventOf(text: string | undefined): EventId | null {
  if (text === undefined) return null;
  const eventId = parseEventId(text);
  if (eventId === null) throw usage(`--event takes an event's id, not "${text}"`);
  return eventId;
}

function databaseOf(text: string | undefined): string | null {
  if (text === undefined) return null;
  const isPostgres = URL.canParse(text) && /^postgres(ql)?:$/.test(new URL(text).protocol);
  // The address may hold a password: it is not repeated.
  if (!isPostgres) throw usage("--database takes a URL that starts with postgres://");
  return text;
}

function timeOf(text: string | undefined): number | null {
  if (text === undefined) return null;
  const isWhole = /^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d{1,3})?)?(Z|[+-]\d\d:\d\d)$/.test(text);
  const atMs = isWhole ? Date.parse(text) : Number.NaN;
  if (Number.isNaN(atMs)) throw usage(`--at takes a time as 2026-03-05T12:00:00Z, not "${text}"`);
  return atMs;
}

function watermarksOf(text: string | undefined): LastLsns | null {
  if (text === undefined) return null;
  const watermarks = new Map<number, number>();
  for (const pair of text.split(",")) {
    const [, shard, lsn] = /^(\d{1,5}):(\d{1,15})$/.exec(pair.trim()) ?? [];
    if (shard === undefined || lsn === undefined) {
      throw usage(`--watermarks takes pairs as 0:120,1:7, not "${pair}"`);
    }
    watermarks.set(Number(shard), Number(lsn));
  }
  return watermarks;
}
