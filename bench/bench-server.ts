import { type ChildProcess, spawn } from "node:child_process";
import { chmodSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { findEmbeddedPostgres } from "../gateway/embedded-postgres.ts";
import { endsWith } from "./clean-up.ts";
import { ROOT } from "./root.ts";

const THREAD_NAMES = new URL("./thread-name.mjs", import.meta.url).href;
/** For a server whose threads are to be told apart: of its environment. */
export const NAMING_OPTIONS = `${process.env.NODE_OPTIONS ?? ""} --import ${THREAD_NAMES}`.trim();
const READY = /Evently is ready at (\S+)/;
const SAID_CHARS_MAX = 100_000;

export const ADMIN = { email: "bench@example.org", password: "bench bench bench" };
export const OPS_TOKEN = "ops-token-of-the-bench";

export interface BenchServer {
  readonly url: string;
  /** Of the process that holds the gateway and the engine. */
  readonly pid: number;
  /** Of its own PostgreSQL; null: it has none. */
  databaseUrl(): Promise<string | null>;
  /** Stops it and removes its files. */
  stop(): Promise<void>;
}

export interface BenchServerOptions {
  /** A command that runs the one behind it, as taskset does. */
  readonly launcher?: readonly string[];
  /** Further variables. */
  readonly env?: Readonly<Record<string, string>>;
  /** What to run instead of the server, from the root: says as it does when it is ready. */
  readonly entry?: string;
}

/** The server as `npm start` runs it, with an embedded PostgreSQL, in a directory of its own. */
export async function startBenchServer(options: BenchServerOptions = {}): Promise<BenchServer> {
  const { launcher = [], env = {}, entry = "gateway/main.ts" } = options;
  const directory = mkdtempSync(join(tmpdir(), "evently-bench-"));
  // Where we are root, the database server's account is another.
  chmodSync(directory, 0o755);
  const [command = process.execPath, ...args] = [...launcher, process.execPath];
  const child = spawn(command, [...args, "bin/run.mjs", entry], {
    cwd: ROOT,
    env: {
      ...process.env,
      NODE_OPTIONS: NAMING_OPTIONS,
      PORT: "0",
      HOST: "127.0.0.1",
      DATABASE_URL: "",
      DATA_DIR: directory,
      RATE_LIMIT: process.env.RATE_LIMIT ?? "off",
      SEED_DEMO: "off",
      ADMIN_EMAIL: ADMIN.email,
      ADMIN_PASSWORD: ADMIN.password,
      OPS_TOKEN,
      ...env,
    },
    stdio: ["ignore", "pipe", "inherit"],
  });
  const ended = new Promise<void>((resolve) => child.once("close", () => resolve()));
  const stop = endsWith(async () => {
    child.kill("SIGTERM");
    await ended;
    rmSync(directory, { recursive: true, force: true });
  });
  try {
    const url = await readyUrl(child, ended);
    const databaseUrl = () => findEmbeddedPostgres(join(directory, "postgres"));
    return { url, pid: child.pid ?? 0, databaseUrl, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

function readyUrl(child: ChildProcess, ended: Promise<void>): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = "";
    child.stdout?.setEncoding("utf8").on("data", (chunk: string) => {
      if (text.length < SAID_CHARS_MAX) text += chunk;
      const url = READY.exec(text)?.[1];
      if (url !== undefined) resolve(url);
    });
    ended.then(() => reject(new Error(`the server did not start: ${text}`)), reject);
  });
}
