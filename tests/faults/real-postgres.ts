/** A PostgreSQL that means it: fsync on, and nobody else's, so that it may be killed and frozen. */
import * as fs from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type EmbeddedPostgres, startEmbeddedPostgres } from "../../gateway/embedded-postgres.ts";
import { type TestDatabase, watch } from "../support/database.ts";
import { until } from "../support/server.ts";

/**
 * Invariant: the address stays the same over kills and restarts, until `drop`.
 */
export class RealPostgres implements TestDatabase {
  readonly url: string;
  readonly #directory: string;
  readonly #watchdog: { finish(): Promise<void> };
  #server: EmbeddedPostgres | null;
  #dropped: Promise<void> | null = null;

  static async start(): Promise<RealPostgres> {
    const directory = fs.mkdtempSync(join(tmpdir(), "evently-faults-"));
    // The server's account differs from ours when we are root.
    fs.chmodSync(directory, 0o755);
    const watchdog = watch(directory);
    const server = await startEmbeddedPostgres({ directory: join(directory, "postgres") });
    return new RealPostgres(directory, server, watchdog);
  }

  private constructor(
    directory: string,
    server: EmbeddedPostgres,
    watchdog: { finish(): Promise<void> },
  ) {
    this.#directory = directory;
    this.#server = server;
    this.#watchdog = watchdog;
    this.url = server.url;
  }

  /** The postmaster and every process that it has started, as when the machine's power fails. */
  async kill9(): Promise<void> {
    const pids = this.#pids();
    for (const pid of pids) process.kill(pid, "SIGKILL");
    this.#server = null;
    await until("PostgreSQL is gone", () => pids.every((pid) => !isRunning(pid)));
  }

  /** Comes back on the same port, recovered from its write-ahead log. */
  async restart(): Promise<void> {
    const directory = join(this.#directory, "postgres");
    this.#server = await startEmbeddedPostgres({ directory, port: Number(new URL(this.url).port) });
  }

  /** From now on nobody hears anything from it, and no connection breaks. */
  freeze(): void {
    for (const pid of this.#pids()) process.kill(pid, "SIGSTOP");
  }

  thaw(): void {
    for (const pid of this.#pids()) process.kill(pid, "SIGCONT");
  }

  drop(): Promise<void> {
    this.#dropped ??= this.#drop();
    return this.#dropped;
  }

  async #drop(): Promise<void> {
    if (this.#server !== null) {
      this.thaw();
      await this.#server.stop();
    }
    this.#server = null;
    await this.#watchdog.finish();
  }

  #pids(): number[] {
    if (this.#server === null) throw new Error("PostgreSQL is not running");
    const { pid } = this.#server;
    const processes = fs.readdirSync("/proc").filter((name) => /^\d+$/.test(name));
    return [pid, ...processes.map(Number).filter((child) => statOf(child)?.parent === pid)];
  }
}

/** null: there is no such process. */
function statOf(pid: number): { state: string; parent: number } | null {
  try {
    // "pid (name) state parent …", and a name may contain anything.
    const stat = fs.readFileSync(`/proc/${pid}/stat`, "latin1");
    const [state = "", parent] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return { state, parent: Number(parent) };
  } catch {
    // It ended between the listing and the look.
    return null;
  }
}

function isRunning(pid: number): boolean {
  const stat = statOf(pid);
  return stat !== null && stat.state !== "Z";
}
