/**
 * A backup is a directory: the database, the journal's segments, and a manifest over both.
 *
 *   manifest.json        what is here, with checksums; written last
 *   database.dump        of pg_dump's, or, of an embedded PostgreSQL:
 *   cluster/  password     its files and its write-ahead log
 *   journal/             what had been acknowledged and was not in the database
 *   jwt-secret           if the node made its own
 *   vapid-keys.json      likewise
 *
 * Invariants:
 * - Whatever was acknowledged before the backup began is in the database or the journal of it. What
 *   is acknowledged meanwhile may be.
 * - The segments are kept from before the database's moment until after it, so the journal reaches
 *   back to what the database has, and further than it; which is checked before the backup counts.
 * - The directory has its name once it is complete and on disk.
 */
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { lockDataDir } from "../../workers/data-dir-lock.ts";
import { withClient } from "../../workers/store/shard-table.ts";
import type { Config } from "../config.ts";
import { findEmbeddedPostgres, startEmbeddedPostgres } from "../embedded-postgres.ts";
import { VAPID_FILE } from "../push/vapid-keys.ts";
import { BackupFailed } from "./backup-failed.ts";
import { copyCluster } from "./cluster-copy.ts";
import { dumpDatabase, serverMajor } from "./database-dump.ts";
import {
  copyFileDurably,
  makePrivate,
  PRIVATE_DIRECTORY,
  sync,
  syncDirectories,
} from "./durable-copy.ts";
import { factsToRecover, JournalLinks, type WatermarkRange } from "./journal-links.ts";
import { type Manifest, writeManifest } from "./manifest.ts";

/** The node may be started again, or turn segments over faster than they are looked at. */
const ATTEMPTS = 3;

export type BackupConfig = Pick<Config, "databaseUrl" | "dataDir">;

/** Makes a backup of a node, running or not, in `target`, which is not there yet. */
export async function backUp(config: BackupConfig, target: string): Promise<Manifest> {
  const path = resolve(target);
  if (existsSync(path)) throw new BackupFailed("target_in_use", `${path} is there already`);
  const { databaseUrl, dataDir } = config;
  if (databaseUrl !== null) return attempts(path, { url: databaseUrl, cluster: null, dataDir });
  const directory = join(dataDir, "postgres");
  const cluster = join(directory, "cluster");
  if (!existsSync(cluster)) {
    const message = `${dataDir} has no embedded database: set DATA_DIR, or DATABASE_URL`;
    throw new BackupFailed("usage", message);
  }
  const url = await findEmbeddedPostgres(directory);
  if (url !== null) return attempts(path, { url, cluster, dataDir });
  const lock = await lockDataDir(dataDir);
  try {
    const server = await startEmbeddedPostgres({ directory });
    try {
      return await attempts(path, { url: server.url, cluster, dataDir });
    } finally {
      await server.stop();
    }
  } finally {
    await lock.release();
  }
}

interface Source {
  readonly url: string;
  /** The embedded cluster's files; null: somebody else's database. */
  readonly cluster: string | null;
  readonly dataDir: string;
}

async function attempts(path: string, source: Source): Promise<Manifest> {
  for (let attempt = 1; ; attempt += 1) {
    const partial = `${path}.partial-${process.pid}`;
    const links = join(source.dataDir, `backup-${process.pid}.tmp`);
    for (const left of [partial, links]) rmSync(left, { recursive: true, force: true });
    try {
      mkdirSync(partial, { recursive: true, mode: PRIVATE_DIRECTORY });
      const manifest = await attemptOnce(partial, source, links);
      await syncDirectories(partial);
      renameSync(partial, path);
      await sync(dirname(path));
      return manifest;
    } catch (error) {
      const isPassing = error instanceof BackupFailed && error.code === "journal_moved_on";
      if (!isPassing || attempt === ATTEMPTS) throw error;
    } finally {
      rmSync(partial, { recursive: true, force: true });
    }
  }
}

async function attemptOnce(directory: string, source: Source, links: string): Promise<Manifest> {
  const { url, cluster, dataDir } = source;
  const madeAt = new Date().toISOString();
  const journal = new JournalLinks(join(dataDir, "journal"), links);
  let range: WatermarkRange;
  try {
    journal.take();
    range = await copyDatabase(directory, source, () => journal.take());
    await journal.copyTo(join(directory, "journal"));
  } finally {
    journal.close();
  }
  for (const [from, name] of [
    [join(dataDir, "jwt-secret"), "jwt-secret"],
    [join(dataDir, VAPID_FILE), VAPID_FILE],
    [join(dataDir, "postgres", "password"), "password"],
  ] as const) {
    const isPart = name !== "password" || cluster !== null;
    if (isPart && existsSync(from)) await copyFileDurably(from, join(directory, name));
  }
  return writeManifest(directory, {
    madeAt,
    database: cluster === null ? "dump" : "cluster",
    serverMajor: await withClient(url, serverMajor),
    factsToRecover: hasSegments(directory) ? factsToRecover(join(directory, "journal"), range) : 0,
  });
}

async function copyDatabase(
  directory: string,
  { url, cluster }: Source,
  atMoment: () => void,
): Promise<WatermarkRange> {
  if (cluster === null) {
    const dump = join(directory, "database.dump");
    const watermarks = await dumpDatabase(url, dump, atMoment);
    await makePrivate(dump);
    return { from: watermarks, to: watermarks };
  }
  const range = await copyCluster(url, cluster, join(directory, "cluster"));
  atMoment();
  return range;
}

function hasSegments(directory: string): boolean {
  return readdirSync(join(directory, "journal")).length > 0;
}
