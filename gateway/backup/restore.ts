/** A backup becomes a node's database and journal again. */
import { chownSync, existsSync, mkdirSync, readdirSync } from "node:fs";
import { cp } from "node:fs/promises";
import { join, resolve } from "node:path";
import { lockDataDir } from "../../workers/data-dir-lock.ts";
import { prepareDataDir } from "../data-dir.ts";
import { startEmbeddedPostgres } from "../embedded-postgres.ts";
import { type Account, unprivilegedAccount } from "../postgres-account.ts";
import { VAPID_FILE } from "../push/vapid-keys.ts";
import type { BackupConfig } from "./backup.ts";
import { BackupFailed } from "./backup-failed.ts";
import { requireRestorable, restoreDump } from "./database-dump.ts";
import { copyFileDurably, PRIVATE_DIRECTORY, sync, syncDirectories } from "./durable-copy.ts";
import { factsToRecover } from "./journal-links.ts";
import { type Manifest, readManifest, requireWhole } from "./manifest.ts";
import { beginRestore, endRestore, requireNoUnfinishedRestore } from "./unfinished-restore.ts";

/**
 * Fills an empty DATA_DIR and an empty database. Nothing is touched before the whole backup was
 * read and found to be as it was written, and the database found to be empty.
 */
export async function restore(config: BackupConfig, source: string): Promise<Manifest> {
  const { databaseUrl, dataDir } = config;
  const backup = resolve(source);
  const manifest = readManifest(backup);
  if (manifest.database === "cluster" && databaseUrl !== null) {
    throw new BackupFailed(
      "wrong_kind",
      "the backup is of an embedded database: restore it without DATABASE_URL",
    );
  }
  await requireWhole(backup, manifest);
  prepareDataDir(dataDir);
  const lock = await lockDataDir(dataDir);
  try {
    requireNoUnfinishedRestore(dataDir);
    requireUnused(dataDir, databaseUrl === null);
    if (manifest.database === "dump") await requireRestorable(databaseUrl);
    await beginRestore(dataDir);
    await copyIn(join(backup, "journal"), join(dataDir, "journal"));
    for (const name of ["jwt-secret", VAPID_FILE]) {
      const [kept, own] = [join(backup, name), join(dataDir, name)];
      if (existsSync(kept) && !existsSync(own)) await copyFileDurably(kept, own);
    }
    await restoreDatabase(backup, config, manifest);
    await endRestore(dataDir);
    return manifest;
  } finally {
    await lock.release();
  }
}

function requireUnused(dataDir: string, isEmbedded: boolean): void {
  const inUse = ["journal", ...(isEmbedded ? ["postgres"] : [])]
    .map((name) => join(dataDir, name))
    .find((path) => existsSync(path) && readdirSync(path).length > 0);
  if (inUse === undefined) return;
  throw new BackupFailed("target_in_use", `${inUse} is in use: move it away first`);
}

async function restoreDatabase(
  backup: string,
  { databaseUrl, dataDir }: BackupConfig,
  { database }: Manifest,
): Promise<void> {
  const directory = join(dataDir, "postgres");
  if (database === "cluster") return restoreCluster(backup, directory);
  const embedded = databaseUrl === null ? await startEmbeddedPostgres({ directory }) : null;
  try {
    const url = databaseUrl ?? embedded?.url ?? "";
    const watermarks = await restoreDump(url, join(backup, "database.dump"));
    const journal = join(dataDir, "journal");
    if (readdirSync(journal).length > 0)
      factsToRecover(journal, { from: watermarks, to: watermarks });
  } finally {
    await embedded?.stop();
  }
}

/** The server that starts on it makes it whole by its own log. */
async function restoreCluster(backup: string, directory: string): Promise<void> {
  const account = await unprivilegedAccount();
  await copyIn(join(backup, "cluster"), join(directory, "cluster"));
  await copyFileDurably(join(backup, "password"), join(directory, "password"));
  await sync(directory);
  if (account !== null) giveTo(account, directory);
}

async function copyIn(from: string, to: string): Promise<void> {
  mkdirSync(to, { recursive: true, mode: PRIVATE_DIRECTORY });
  await cp(from, to, { recursive: true, preserveTimestamps: true });
  for (const entry of readdirSync(to, { recursive: true, withFileTypes: true })) {
    if (entry.isFile()) await sync(join(entry.parentPath, entry.name));
  }
  await syncDirectories(to);
}

function giveTo({ uid, gid }: Account, directory: string): void {
  chownSync(directory, uid, gid);
  for (const entry of readdirSync(directory, { recursive: true, withFileTypes: true })) {
    chownSync(join(entry.parentPath, entry.name), uid, gid);
  }
}
