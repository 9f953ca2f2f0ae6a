/** Entry of `npm run journal`: looks into a journal, and changes nothing. */
import { statSync } from "node:fs";
import { join } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import type { Snapshot } from "../../../engine/snapshot.ts";
import { PgActorLoader } from "../../store/pg-actor-loader.ts";
import { readAppliedLsns } from "../../store/shard-table.ts";
import { inspect, lineOf } from "./inspect.ts";
import { ReadOnlyDisk } from "./read-only-disk.ts";
import { replay } from "./replay.ts";
import { factLine, reportLines, reportOf } from "./replay-report.ts";
import { parseToolArguments, type ToolCommand, USAGE } from "./tool-arguments.ts";
import { ToolError } from "./tool-errors.ts";
import { verdictLines, verify } from "./verify.ts";

const CHUNK_CHARS = 64 * 1024;

type Of<Kind extends ToolCommand["kind"]> = Extract<ToolCommand, { kind: Kind }>;

async function run(command: ToolCommand): Promise<void> {
  switch (command.kind) {
    case "help":
      return print([USAGE.trimEnd()]);
    case "inspect":
      return runInspect(command);
    case "verify":
      return runVerify(command);
    case "replay":
      return runReplay(command);
  }
}

function runInspect(command: Of<"inspect">): Promise<void> {
  const records = inspect(diskOf(command.dir), command);
  return print(mapped(records, command.json ? jsonOf : lineOf));
}

async function runVerify(command: Of<"verify">): Promise<void> {
  const { databaseUrl, watermarks } = command;
  const known = async () =>
    databaseUrl === null ? watermarks : await readAppliedLsns(databaseUrl);
  const verdict = await verify(diskOf(command.dir), known);
  if (verdict.verdict === "corrupt") process.exitCode = 1;
  await print(command.json ? [jsonOf(verdict)] : verdictLines(verdict));
}

async function runReplay(command: Of<"replay">): Promise<void> {
  const { dir, eventId, databaseUrl } = command;
  const database = databaseUrl === null ? null : () => rowsOf(command, databaseUrl);
  const replayed = await replay(diskOf(dir), { eventId, limits: command }, database);
  const report = reportOf(eventId, replayed);
  const { definition } = replayed.state;
  const facts = command.facts ? replayed.applied : [];
  if (command.json) {
    await print(mapped(facts, (fact) => jsonOf({ ...fact, kind: "fact", fact: fact.kind })));
    return print([jsonOf(report)]);
  }
  await print(mapped(facts, (fact) => factLine(fact, definition)));
  await print(facts.length === 0 ? [] : [""]);
  return print(reportLines(report, definition));
}

async function rowsOf({ eventId }: Of<"replay">, databaseUrl: string): Promise<Snapshot> {
  const loader = new PgActorLoader(databaseUrl);
  try {
    return await loader.load(eventId);
  } finally {
    await loader.close();
  }
}

/** DIR itself, or the journal/ in it if it is a DATA_DIR. Throws ToolError. */
function diskOf(dir: string): ReadOnlyDisk {
  const inside = join(dir, "journal");
  const found = [inside, dir].find((path) => {
    return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
  });
  if (found === undefined) throw new ToolError("unreadable", `${dir} is not a directory`);
  return new ReadOnlyDisk(found);
}

function* mapped<Item>(items: Iterable<Item>, text: (item: Item) => string): Generator<string> {
  for (const item of items) yield text(item);
}

function jsonOf(value: object): string {
  return JSON.stringify(value, (_, inner: unknown) =>
    inner instanceof Uint8Array ? Array.from(inner) : inner,
  );
}

/** As fast as they are read: there may be millions of lines. */
async function print(lines: Iterable<string>): Promise<void> {
  await pipeline(Readable.from(chunksOf(lines)), process.stdout, { end: false });
}

function* chunksOf(lines: Iterable<string>): Generator<string> {
  let chunk = "";
  for (const line of lines) {
    chunk += `${line}\n`;
    if (chunk.length < CHUNK_CHARS) continue;
    yield chunk;
    chunk = "";
  }
  if (chunk !== "") yield chunk;
}

function fail(error: unknown): void {
  // Whoever reads has read enough, as `head` does.
  if (error instanceof Error && "code" in error && error.code === "EPIPE") return;
  const text = error instanceof Error ? error.message : String(error);
  const hint = error instanceof ToolError && error.code === "usage" ? `\n\n${USAGE.trimEnd()}` : "";
  const code = error instanceof ToolError ? `${error.code}: ` : "";
  process.stderr.write(`journal: ${code}${text}${hint}\n`);
  process.exitCode = error instanceof ToolError ? error.exitCode : 2;
}

try {
  await run(parseToolArguments(process.argv.slice(2)));
} catch (error) {
  fail(error);
}
