/** PostgreSQL's own programs, for a database that others run. */
import { spawn } from "node:child_process";
import type { Client } from "pg";
import { ensureGatewayRole } from "../../sql/gateway-role.ts";
import type { LastLsns } from "../../workers/journal/recovery.ts";
import { appliedLsns, withClient } from "../../workers/store/shard-table.ts";
import { BackupFailed } from "./backup-failed.ts";

const STDERR_CHARS_MAX = 4_000;

/**
 * Dumps the database as it is at one moment, while it is in use. Resolves with what it had of each
 * shard at that moment, at which `atSnapshot` is called.
 */
export async function dumpDatabase(
  url: string,
  path: string,
  atSnapshot: () => void,
): Promise<LastLsns> {
  return withClient(url, async (client) => {
    await requireTool("pg_dump", await serverMajor(client));
    await client.query("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY");
    const { rows } = await client.query<{ id: string }>("SELECT pg_export_snapshot() AS id");
    const watermarks = await appliedLsns(client);
    atSnapshot();
    const snapshot = `--snapshot=${rows[0]?.id ?? ""}`;
    await runTool("pg_dump", url, ["--format=custom", "--no-owner", snapshot, `--file=${path}`]);
    await client.query("COMMIT");
    return watermarks;
  });
}

/** Throws `tool_missing`; and `target_in_use` when the database, which null is not, isn't empty. */
export async function requireRestorable(url: string | null): Promise<void> {
  await requireTool("pg_restore", null);
  if (url === null) return;
  const { rows } = await withClient(url, (client) =>
    client.query<{ count: string }>(
      "SELECT count(*) FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r'",
    ),
  );
  if (rows[0]?.count === "0") return;
  throw new BackupFailed("target_in_use", "the database of DATABASE_URL is not empty");
}

/** Fills a database that is empty (requireRestorable), in one transaction. */
export async function restoreDump(url: string, path: string): Promise<LastLsns> {
  return withClient(url, async (client) => {
    // Grants and policies name the role, and roles are in no dump.
    await client.query("BEGIN");
    await ensureGatewayRole(client);
    await client.query("COMMIT");
    await runTool("pg_restore", url, ["--single-transaction", "--no-owner", path]);
    return appliedLsns(client);
  });
}

export async function serverMajor(client: Client): Promise<number> {
  const { rows } = await client.query<{ server_version_num: string }>("SHOW server_version_num");
  return Math.trunc(Number(rows[0]?.server_version_num) / 10_000);
}

type Tool = "pg_dump" | "pg_restore";

/** `major`: the oldest version that will do; null: any. */
async function requireTool(tool: Tool, major: number | null): Promise<void> {
  const said = await output(tool, ["--version"], process.env).catch((cause: unknown) => {
    const what = major === null ? "" : ` ${major} or newer`;
    const message = `${tool}${what} is not on the PATH: install PostgreSQL's client programs`;
    throw new BackupFailed("tool_missing", message, { cause });
  });
  const version = Number(/\(PostgreSQL\) (\d+)/.exec(said)?.[1]);
  if (major === null || version >= major) return;
  throw new BackupFailed(
    "tool_missing",
    `${tool} on the PATH is of version ${version}, the server of ${major}: it must not be older`,
  );
}

/** The password goes through the environment: arguments can be seen by everyone. */
async function runTool(tool: Tool, url: string, args: readonly string[]): Promise<void> {
  const address = new URL(url);
  const PGPASSWORD = decodeURIComponent(address.password);
  address.password = "";
  const env = { ...process.env, ...(PGPASSWORD === "" ? {} : { PGPASSWORD }) };
  try {
    await output(tool, [`--dbname=${address.href}`, ...args], env);
  } catch (cause) {
    const text = cause instanceof Error ? cause.message : String(cause);
    throw new BackupFailed("tool_failed", `${tool} failed: ${text}`, { cause });
  }
}

function output(program: string, args: readonly string[], env: NodeJS.ProcessEnv): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { env, stdio: ["ignore", "pipe", "pipe"] });
    let stdout = "";
    let stderr = "";
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      stdout += text;
    });
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      if (stderr.length < STDERR_CHARS_MAX) stderr += text;
    });
    child.once("error", reject);
    child.once("close", (code, signal) => {
      if (code === 0) resolve(stdout);
      else reject(new Error(stderr.trim() || `it ended with ${signal ?? code}`));
    });
  });
}
