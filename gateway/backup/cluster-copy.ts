/**
 * A copy of an embedded cluster's files while its server runs, the way PostgreSQL documents it for
 * those without its client programs: between pg_backup_start and pg_backup_stop files may be copied
 * in any state, and the write-ahead log from the start on makes them whole when a server opens the
 * copy.
 */
import { mkdirSync, readdirSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Client } from "pg";
import { appliedLsns, withClient } from "../../workers/store/shard-table.ts";
import { copyFileDurably, isMissing, PRIVATE_DIRECTORY, PRIVATE_FILE } from "./durable-copy.ts";
import type { WatermarkRange } from "./journal-links.ts";

/** What a server makes anew; their directories must be there. */
const EMPTIED = new Set([
  ...["pg_wal", "pg_replslot", "pg_dynshmem", "pg_notify", "pg_serial", "pg_snapshots"],
  ...["pg_stat_tmp", "pg_subtrans"],
]);
const LEFT_OUT = /^(?:postmaster\.(?:pid|opts)|pg_internal\.init.*|pgsql_tmp.*|backup_label.*)$/;
const WAL_SEGMENT = /^[0-9A-F]{24}$/;

/** Resolves with what the copy has of each shard, at the least and at the most. */
export async function copyCluster(
  url: string,
  cluster: string,
  target: string,
): Promise<WatermarkRange> {
  return withClient(url, async (client) => {
    const from = await appliedLsns(client);
    // Keeps the log that the copy needs; it goes with this connection.
    await client.query("SELECT pg_create_physical_replication_slot($1, true, true)", [
      `evently_backup_${process.pid}`,
    ]);
    const first = await walFile(client, "pg_backup_start('evently', true)");
    mkdirSync(target, { recursive: true, mode: PRIVATE_DIRECTORY });
    await copyTree(cluster, target);
    const { rows } = await client.query<{ labelfile: string }>(
      "SELECT labelfile FROM pg_backup_stop(false)",
    );
    const label = rows[0]?.labelfile ?? "";
    await writeFile(join(target, "backup_label"), label, { mode: PRIVATE_FILE, flush: true });
    await copyLog(join(cluster, "pg_wal"), join(target, "pg_wal"), first);
    return { from, to: await appliedLsns(client) };
  });
}

async function walFile(client: Client, lsn: string): Promise<string> {
  const { rows } = await client.query<{ name: string }>(`SELECT pg_walfile_name(${lsn}) AS name`);
  return rows[0]?.name ?? "";
}

async function copyTree(from: string, to: string): Promise<void> {
  for (const entry of readdirSync(from, { withFileTypes: true })) {
    if (LEFT_OUT.test(entry.name)) continue;
    const [source, target] = [join(from, entry.name), join(to, entry.name)];
    if (entry.isDirectory()) {
      mkdirSync(target, { mode: PRIVATE_DIRECTORY });
      if (!EMPTIED.has(entry.name)) await copyTree(source, target);
    } else {
      // A table may be dropped meanwhile; the log says so.
      await copyFileDurably(source, target).catch((error: unknown) => {
        if (!isMissing(error)) throw error;
      });
    }
  }
}

/** Names grow with the log; one that is still written ends where its copy ends. */
async function copyLog(from: string, to: string, first: string): Promise<void> {
  mkdirSync(join(to, "archive_status"), { recursive: true, mode: PRIVATE_DIRECTORY });
  for (const name of readdirSync(from).sort()) {
    if (WAL_SEGMENT.test(name) && name >= first) {
      await copyFileDurably(join(from, name), join(to, name));
    }
  }
}
