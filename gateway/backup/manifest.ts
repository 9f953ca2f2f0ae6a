/** What is in a backup, and that it is all there: `manifest.json`, written last. */
import { readFileSync } from "node:fs";
import { readdir, writeFile } from "node:fs/promises";
import { join, relative } from "node:path";
import Type, { type Static } from "typebox";
import { Compile } from "typebox/compile";
import { BackupFailed } from "./backup-failed.ts";
import { type FileSum, isMissing, PRIVATE_FILE, sumOf, sync } from "./durable-copy.ts";

const NAME = "manifest.json";
const FORMAT = 1;

const Manifest = Type.Object({
  format: Type.Literal(FORMAT),
  /** RFC 3339 */
  madeAt: Type.String(),
  /** A dump of pg_dump's, or the files of an embedded cluster. */
  database: Type.Union([Type.Literal("dump"), Type.Literal("cluster")]),
  serverMajor: Type.Integer(),
  /** Facts that only the journal had. */
  factsToRecover: Type.Integer(),
  files: Type.Array(
    Type.Object({ path: Type.String(), bytes: Type.Integer(), sha256: Type.String() }),
  ),
});
export type Manifest = Static<typeof Manifest>;
const check = Compile(Manifest);

/** Writes the manifest over all files that are in `directory`. */
export async function writeManifest(
  directory: string,
  about: Omit<Manifest, "format" | "files">,
): Promise<Manifest> {
  const files: Manifest["files"] = [];
  for (const path of await filesIn(directory)) {
    files.push({ path, ...(await sumOf(join(directory, path))) });
  }
  const manifest = { format: FORMAT, ...about, files } as const;
  const text = `${JSON.stringify(manifest, null, 1)}\n`;
  await writeFile(join(directory, NAME), text, { mode: PRIVATE_FILE, flush: true });
  await sync(directory);
  return manifest;
}

/** Reads a backup's manifest. Throws `not_a_backup`. */
export function readManifest(directory: string): Manifest {
  let text: string;
  try {
    text = readFileSync(join(directory, NAME), "utf8");
  } catch (cause) {
    if (!isMissing(cause)) throw cause;
    throw new BackupFailed("not_a_backup", `${directory} has no ${NAME}`, { cause });
  }
  const manifest = parsed(text);
  if (check.Check(manifest)) return manifest;
  throw new BackupFailed("not_a_backup", `${join(directory, NAME)} is of another format`);
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    if (error instanceof SyntaxError) return null;
    throw error;
  }
}

/** Reads every file again. Throws `backup_damaged`, naming the first that differs. */
export async function requireWhole(directory: string, { files }: Manifest): Promise<void> {
  const there = new Set(await filesIn(directory));
  for (const { path, bytes, sha256 } of files) {
    const sum: FileSum | null = there.delete(path) ? await sumOf(join(directory, path)) : null;
    if (sum?.bytes === bytes && sum.sha256 === sha256) continue;
    const what = sum === null ? "is missing" : "is not as it was written";
    throw new BackupFailed("backup_damaged", `${join(directory, path)} ${what}`);
  }
}

async function filesIn(directory: string): Promise<string[]> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile() && entry.name !== NAME)
    .map((entry) => relative(directory, join(entry.parentPath, entry.name)))
    .sort();
}
