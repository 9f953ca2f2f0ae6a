/**
 * PostgreSQL for tests. tests/run.ts starts one server for the whole run and hands its address on
 * in the environment; a test file that is run alone starts one for itself. Either way the server
 * and its files go when the process that started it goes, however it ends: a watchdog holds the
 * other end of a pipe, and the pipe's end is its signal.
 */
import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import * as fs from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Client, escapeIdentifier } from "pg";
import { startEmbeddedPostgres } from "../../gateway/embedded-postgres.ts";
import { migrate } from "../../sql/migrate.ts";

export const TEST_DATABASE_URL = "EVENTLY_TEST_DATABASE_URL";
const TEMPLATE = "evently_template";
/** Nothing else locks by this number: "test" in ASCII. */
const TEMPLATE_LOCK = 0x74657374;

export interface TestServer {
  readonly url: string;
  stop(): Promise<void>;
}

export interface TestDatabase {
  readonly url: string;
  drop(): Promise<void>;
}

/** A server for tests: its data need not survive anything. */
export async function startTestServer(): Promise<TestServer> {
  const directory = fs.mkdtempSync(join(tmpdir(), "evently-test-"));
  // The server's account differs from ours when we are root.
  fs.chmodSync(directory, 0o755);
  const settings = {
    fsync: "off",
    synchronous_commit: "off",
    full_page_writes: "off",
    max_connections: "200",
    autovacuum: "off",
  };
  const server = await startEmbeddedPostgres({ directory: join(directory, "postgres"), settings });
  const watchdog = watch(directory);
  return {
    url: server.url,
    async stop() {
      await server.stop();
      await watchdog.finish();
    },
  };
}

/** An empty, migrated database of its own. Drop it, or leave it to the end of the server. */
export async function createTestDatabase(): Promise<TestDatabase> {
  const serverUrl = process.env[TEST_DATABASE_URL] ?? (await ownServer()).url;
  const name = `test_${randomBytes(8).toString("hex")}`;
  await administer(serverUrl, async (client) => {
    await client.query("SELECT pg_advisory_lock($1)", [TEMPLATE_LOCK]);
    const known = await client.query("SELECT 1 FROM pg_database WHERE datname = $1", [TEMPLATE]);
    if (known.rowCount === 0) await makeTemplate(client, serverUrl);
    await client.query(`CREATE DATABASE ${name} TEMPLATE ${TEMPLATE}`);
  });
  return {
    url: urlOf(serverUrl, name),
    drop: () =>
      administer(serverUrl, async (client) => {
        await client.query(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`);
      }),
  };
}

/** Migrated under another name, so that a template that exists is complete. */
async function makeTemplate(client: Client, serverUrl: string): Promise<void> {
  const unfinished = escapeIdentifier(`${TEMPLATE}_new`);
  await client.query(`DROP DATABASE IF EXISTS ${unfinished}`);
  await client.query(`CREATE DATABASE ${unfinished}`);
  await migrate(urlOf(serverUrl, `${TEMPLATE}_new`));
  await client.query(`ALTER DATABASE ${unfinished} RENAME TO ${TEMPLATE}`);
}

let own: Promise<TestServer> | null = null;
function ownServer(): Promise<TestServer> {
  own ??= startTestServer();
  return own;
}

async function administer(url: string, act: (client: Client) => Promise<void>): Promise<void> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    await act(client);
  } finally {
    await client.end();
  }
}

function urlOf(serverUrl: string, database: string): string {
  const url = new URL(serverUrl);
  url.pathname = `/${database}`;
  return url.href;
}

/**
 * Waits in a process of its own for our end; then stops the server that runs in `postgres` within
 * the directory, whichever it is by then, and removes the directory.
 */
export function watch(directory: string): { finish(): Promise<void> } {
  const script = `
    read -r line
    if [ "$line" != stopped ]; then
      pid=$(head -n 1 "$1/postgres/cluster/postmaster.pid")
      kill -CONT "$pid"; kill -QUIT "$pid"; sleep 1
    fi
    rm -rf "$1"`;
  const child = spawn("sh", ["-c", script, "sh", directory], {
    // A group of its own: Ctrl-C is for us, and the pipe tells it of our end.
    detached: true,
    stdio: ["pipe", "ignore", "ignore"],
  });
  child.unref();
  if ("unref" in child.stdin && typeof child.stdin.unref === "function") child.stdin.unref();
  return {
    finish: () =>
      new Promise((resolve) => {
        child.once("exit", () => resolve());
        child.ref();
        child.stdin.end("stopped\n");
      }),
  };
}
