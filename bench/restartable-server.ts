/** A server that is killed and started again, on a PostgreSQL of its own that can be frozen. */
import { type ChildProcess, spawn } from "node:child_process";
import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { type EmbeddedPostgres, startEmbeddedPostgres } from "../gateway/embedded-postgres.ts";
import { freePort } from "../gateway/http/free-port.ts";
import { ADMIN, NAMING_OPTIONS, OPS_TOKEN } from "./bench-server.ts";
import { endsWith } from "./clean-up.ts";
import type { ServerFigures } from "./report/report.ts";
import { ROOT } from "./root.ts";
import { ServerWatch } from "./server-figures.ts";

const LOOK_MS = 25;
const READY_MS_MAX = 600_000;

export class ServerNotReady extends Error {
  readonly code = "server_not_ready";
}

/** Ms from the start of the process, and what it took meanwhile. */
export interface Started {
  /** It answers probes. */
  readonly listeningMs: number;
  /** It serves, and everything that the journal had is in PostgreSQL. */
  readonly readyMs: number;
  /** Until it was ready, with PostgreSQL; null: the system does not tell. */
  readonly figures: ServerFigures | null;
}

/**
 * Invariants:
 * - PostgreSQL runs from `make` to `remove`, at one address, and is never stopped in between.
 * - At most one server process runs; its directory and its address stay the same.
 */
export class RestartableServer {
  readonly #directory: string;
  readonly #postgres: EmbeddedPostgres;
  readonly #env: NodeJS.ProcessEnv;
  readonly url: string;
  /** Ends all, and removes the files. */
  readonly remove: () => Promise<void>;
  #child: ChildProcess | null = null;
  #ended: Promise<void> = Promise.resolve();

  static async make(env: Readonly<Record<string, string>>): Promise<RestartableServer> {
    const directory = mkdtempSync(join(tmpdir(), "evently-bench-"));
    // Where we are root, the database server's account is another.
    chmodSync(directory, 0o755);
    const postgres = await startEmbeddedPostgres({ directory: join(directory, "postgres") });
    const port = await freePort("127.0.0.1", 0);
    return new RestartableServer({ directory, postgres, port, env });
  }

  private constructor({
    directory,
    postgres,
    port,
    env,
  }: {
    readonly directory: string;
    readonly postgres: EmbeddedPostgres;
    readonly port: number;
    readonly env: Readonly<Record<string, string>>;
  }) {
    this.#directory = directory;
    this.#postgres = postgres;
    this.url = `http://127.0.0.1:${port}`;
    this.#env = {
      ...process.env,
      NODE_OPTIONS: NAMING_OPTIONS,
      PORT: String(port),
      HOST: "127.0.0.1",
      DATABASE_URL: postgres.url,
      DATA_DIR: directory,
      RATE_LIMIT: "off",
      SEED_DEMO: "off",
      ADMIN_EMAIL: ADMIN.email,
      ADMIN_PASSWORD: ADMIN.password,
      OPS_TOKEN,
      LOG_LEVEL: "warn",
      ...env,
    };
    this.remove = endsWith(() => this.#remove());
  }

  /** Of the server that runs; null: none does. */
  get pid(): number | null {
    return this.#child?.pid ?? null;
  }

  get postgresPid(): number {
    return this.#postgres.pid;
  }

  get databaseUrl(): string {
    return this.#postgres.url;
  }

  /** Bytes of the journal's files. */
  get journalBytes(): number {
    const folder = join(this.#directory, "journal");
    return readdirSync(folder).reduce((sum, name) => sum + sizeOf(join(folder, name)), 0);
  }

  /** Resolves when it is ready; rejects with ServerNotReady. */
  async start(): Promise<Started> {
    const startMs = performance.now();
    const child = spawn(process.execPath, ["bin/run.mjs", "gateway/main.ts"], {
      cwd: ROOT,
      env: this.#env,
      stdio: ["ignore", "ignore", "inherit"],
    });
    this.#child = child;
    let hasEnded = false;
    this.#ended = new Promise((resolve) =>
      child.once("close", () => {
        hasEnded = true;
        this.#child = null;
        resolve();
      }),
    );
    const watch = ServerWatch.start(child.pid ?? null, this.postgresPid);
    let listeningMs: number | null = null;
    try {
      while (performance.now() - startMs < READY_MS_MAX) {
        const status = await this.#statusOf("/health/ready");
        const nowMs = performance.now() - startMs;
        if (status !== null) listeningMs ??= nowMs;
        if (status === 200) {
          const figures = watch?.stop() ?? null;
          return { listeningMs: listeningMs ?? nowMs, readyMs: nowMs, figures };
        }
        if (hasEnded) break;
        await delay(LOOK_MS);
      }
    } finally {
      watch?.stop();
    }
    throw new ServerNotReady(hasEnded ? "the server has ended" : "the server does not get ready");
  }

  /** Without a chance to say goodbye. */
  async kill9(): Promise<void> {
    this.#child?.kill("SIGKILL");
    await this.#ended;
  }

  /** As an operator stops it; the ms that it took. */
  async stop(): Promise<number> {
    const startMs = performance.now();
    this.#child?.kill("SIGTERM");
    await this.#ended;
    return performance.now() - startMs;
  }

  /** From now on nobody hears anything from PostgreSQL, and no connection breaks. */
  freezePostgres(): void {
    for (const pid of this.#postgresPids()) signal(pid, "SIGSTOP");
  }

  thawPostgres(): void {
    for (const pid of this.#postgresPids()) signal(pid, "SIGCONT");
  }

  async #remove(): Promise<void> {
    await this.kill9();
    this.thawPostgres();
    await this.#postgres.stop();
    rmSync(this.#directory, { recursive: true, force: true });
  }

  #postgresPids(): number[] {
    const { pid } = this.#postgres;
    const others = readdirSync("/proc").filter((name) => /^\d+$/.test(name));
    return [pid, ...others.map(Number).filter((child) => parentOf(child) === pid)];
  }

  /** null: nobody listens. */
  async #statusOf(path: string): Promise<number | null> {
    try {
      const { status } = await fetch(this.url + path);
      return status;
    } catch {
      return null;
    }
  }
}

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch {
    // One of PostgreSQL's processes has ended between the listing and this.
  }
}

function sizeOf(path: string): number {
  try {
    return statSync(path).size;
  } catch {
    // Retired between the listing and the look.
    return 0;
  }
}

/** null: there is no such process. */
function parentOf(pid: number): number | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
    return Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[1]);
  } catch {
    return null;
  }
}
