/** Entry of `npm run backup` and `npm run restore`. */
import { ConfigError, readConfig } from "../config.ts";
import { backUp } from "./backup.ts";
import { BackupFailed } from "./backup-failed.ts";
import type { Manifest } from "./manifest.ts";
import { restore } from "./restore.ts";

const USAGE = `  npm run backup -- DIR     backs up the node whose environment this is
                            (DATABASE_URL, DATA_DIR), running or not, into DIR, which is
                            not there yet
  npm run restore -- DIR    fills the empty database of DATABASE_URL, or an embedded one,
                            and an empty DATA_DIR, from DIR; then start the node

Exit code: 0 done, 1 not done, 2 wrong usage.
`;

async function run(words: readonly string[]): Promise<void> {
  const [verb, directory, ...rest] = words;
  const isKnown = verb === "backup" || verb === "restore";
  if (!isKnown || directory === undefined || directory.startsWith("-") || rest.length > 0) {
    throw new BackupFailed("usage", `one directory is needed:\n\n${USAGE.trimEnd()}`);
  }
  const config = readConfig(process.env);
  if (verb === "backup") say(await backUp(config, directory), `backed up into ${directory}`);
  else say(await restore(config, directory), `restored from ${directory}: start the node`);
}

function say({ database, files, factsToRecover, madeAt }: Manifest, what: string): void {
  const bytes = files.reduce((sum, file) => sum + file.bytes, 0);
  const mib = Math.ceil(bytes / 2 ** 20);
  const kind = database === "dump" ? "a dump" : "the files of the embedded database";
  process.stdout.write(
    `${what}\n  begun at ${madeAt}: ${kind} and the journal, ${files.length} files, ${mib} MiB\n` +
      `  facts that only the journal has: ${factsToRecover}\n`,
  );
}

function fail(error: unknown): void {
  const isOurs = error instanceof Error && "code" in error && typeof error.code === "string";
  const text = isOurs ? error.message : error instanceof Error ? error.stack : String(error);
  process.stderr.write(`evently: ${text}\n`);
  const isUsage = error instanceof BackupFailed && error.code === "usage";
  process.exitCode = isUsage || error instanceof ConfigError ? 2 : 1;
}

try {
  await run(process.argv.slice(2));
} catch (error) {
  fail(error);
}
