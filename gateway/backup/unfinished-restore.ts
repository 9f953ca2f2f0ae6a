/**
 * A file in DATA_DIR from before a restore's first change until after its last. Half a restore may
 * look like a whole node that lost something, so no node starts on one.
 */
import { existsSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { BackupFailed } from "./backup-failed.ts";
import { sync } from "./durable-copy.ts";

const NAME = "restore.unfinished";

export async function beginRestore(dataDir: string): Promise<void> {
  writeFileSync(join(dataDir, NAME), "", { flush: true });
  await sync(dataDir);
}

export async function endRestore(dataDir: string): Promise<void> {
  rmSync(join(dataDir, NAME));
  await sync(dataDir);
}

/** Throws `restore_unfinished`. */
export function requireNoUnfinishedRestore(dataDir: string): void {
  if (!existsSync(join(dataDir, NAME))) return;
  throw new BackupFailed(
    "restore_unfinished",
    `a restore into ${dataDir} was not finished: empty it and the database, and restore again`,
  );
}
