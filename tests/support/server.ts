/** The real server, as a process of its own, on a database and a directory of its own. */
import { type ChildProcess, spawn } from "node:child_process";
import * as fs from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ROOT } from "../../bench/root.ts";
import { createTestDatabase, type TestDatabase } from "./database.ts";

const START_MS_MAX = 60_000;
const READY = /Evently is ready at (\S+)/;

export const ADMIN = { email: "admin@example.org", password: "correct horse battery" };
export const OPS_TOKEN = "ops-token-of-the-tests";

export interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** A start that failed, with what it said. */
export class StartFailed extends Error {
  readonly code = "start_failed";
  readonly exit: Exit;
  readonly stderr: string;
  constructor(exit: Exit, stderr: string) {
    super(`the server ended with ${JSON.stringify(exit)}: ${stderr}`);
    this.exit = exit;
    this.stderr = stderr;
  }
}

interface Running {
  readonly child: ChildProcess;
  readonly ended: Promise<Exit>;
}

/**
 * Invariants:
 * - At most one process runs at a time; it never outlives this one.
 * - Database and directory stay the same over kills and restarts, until `remove`.
 */
export class TestNode {
  readonly databaseUrl: string;
  readonly dataDir: string;
  readonly #database: TestDatabase;
  readonly #env: NodeJS.ProcessEnv;
  #running: Running | null = null;
  /** Spawned and not ready yet. */
  #starting: Running | null = null;
  #url = "";
  #log = "";
  /** Where the log of the current start begins. */
  #startedAt = 0;

  private constructor(database: TestDatabase, env: Readonly<Record<string, string>>) {
    this.#database = database;
    this.databaseUrl = database.url;
    this.dataDir = fs.mkdtempSync(join(tmpdir(), "evently-node-"));
    const { PATH, HOME, TMPDIR } = process.env;
    this.#env = {
      PATH,
      HOME,
      TMPDIR,
      PORT: "0",
      DATABASE_URL: database.url,
      DATA_DIR: this.dataDir,
      RATE_LIMIT: "off",
      SEED_DEMO: "off",
      ADMIN_EMAIL: ADMIN.email,
      ADMIN_PASSWORD: ADMIN.password,
      OPS_TOKEN,
      ...env,
    };
  }

  /**
   * `env` replaces variables; an empty one counts as unset. Default of `database`: one of its own;
   * a given one is dropped with the node, too.
   */
  static async start(
    env: Readonly<Record<string, string>> = {},
    database?: TestDatabase,
  ): Promise<TestNode> {
    const node = new TestNode(database ?? (await createTestDatabase()), env);
    try {
      await node.start();
    } catch (error) {
      await node.remove();
      throw error;
    }
    return node;
  }

  /** Of the last start: while the server is down, nobody answers there. */
  get url(): string {
    return this.#url;
  }

  get isUp(): boolean {
    return this.#running !== null;
  }

  /** Of the running process: for signals that do not end it. */
  get pid(): number {
    const pid = this.#running?.child.pid;
    if (pid === undefined) throw new Error("the server is not running");
    return pid;
  }

  /** Resolves when the running process has ended, by itself or because it was told to. */
  get ended(): Promise<Exit> {
    if (this.#running === null) throw new Error("the server is not running");
    return this.#running.ended;
  }

  /** What was logged at level `error` or above. */
  get errors(): string[] {
    return this.#log.split("\n").filter((line) => /^\{"level":[56]0/.test(line));
  }

  /** Lines of the log with this text, of the current start. */
  logged(text: string): string[] {
    return this.#log
      .slice(this.#startedAt)
      .split("\n")
      .filter((line) => line.includes(text));
  }

  /** `changes` replace variables from this start on. */
  async start(changes: Readonly<Record<string, string>> = {}): Promise<void> {
    if (this.#running !== null) throw new Error("the server is running");
    Object.assign(this.#env, changes);
    this.#startedAt = this.#log.length;
    const child = spawn(process.execPath, ["bin/run.mjs", "gateway/main.ts"], {
      cwd: ROOT,
      env: this.#env,
      stdio: ["ignore", "pipe", "pipe"],
    });
    const killWithUs = (): void => {
      child.kill("SIGKILL");
    };
    process.once("exit", killWithUs);
    const ended = new Promise<Exit>((resolve) => {
      child.once("close", (code, signal) => {
        process.off("exit", killWithUs);
        this.#running = null;
        this.#starting = null;
        resolve({ code, signal });
      });
    });
    this.#starting = { child, ended };
    this.#url = await this.#ready(child, ended);
    this.#running = this.#starting;
    this.#starting = null;
  }

  /** Ends the process, ready or still starting, without a chance to say goodbye. */
  async kill9(): Promise<void> {
    await this.#end("SIGKILL");
  }

  /** Asks the process to stop; resolves when it has. */
  stop(): Promise<Exit> {
    return this.#end("SIGTERM");
  }

  /** Kills what runs, and removes database and directory. */
  async remove(): Promise<void> {
    if (this.#running !== null) await this.kill9();
    fs.rmSync(this.dataDir, { recursive: true, force: true });
    await this.#database.drop();
  }

  async #end(signal: NodeJS.Signals): Promise<Exit> {
    const process = this.#running ?? this.#starting;
    if (process === null) throw new Error("the server is not running");
    const { child, ended } = process;
    child.kill(signal);
    return ended;
  }

  #ready(child: ChildProcess, ended: Promise<Exit>): Promise<string> {
    let stderr = "";
    child.stderr?.setEncoding("utf8").on("data", (text: string) => {
      stderr += text;
      this.#log += text;
    });
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        child.kill("SIGKILL");
      }, START_MS_MAX);
      let stdout = "";
      child.stdout?.setEncoding("utf8").on("data", (text: string) => {
        this.#log += text;
        if (stdout.length > 100_000) return;
        stdout += text;
        const url = READY.exec(stdout)?.[1];
        if (url === undefined) return;
        clearTimeout(timer);
        resolve(url);
      });
      ended.then((exit) => {
        clearTimeout(timer);
        reject(new StartFailed(exit, stderr));
      }, reject);
    });
  }
}

/** Resolves once `condition` holds; rejects, saying `what`, when that takes too long. */
export async function until(
  what: string,
  condition: () => boolean | Promise<boolean>,
  waitMsMax = 120_000,
): Promise<void> {
  const endMs = Date.now() + waitMsMax;
  while (!(await condition())) {
    if (Date.now() > endMs) throw new Error(`waited in vain until ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
