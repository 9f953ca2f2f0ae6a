/** PostgreSQL as an operator installs it, with its client programs: of the distribution's. */
import { execFile, spawn } from "node:child_process";
import * as fs from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { Client } from "pg";
import { freePort } from "../../gateway/http/free-port.ts";
import { unprivilegedAccount } from "../../gateway/postgres-account.ts";
import { until } from "./server.ts";

const run = promisify(execFile);

/** Directory of the server's programs; null: this machine has none. */
export const POSTGRES_PROGRAMS: string | null = programs();

function programs(): string | null {
  const debian = "/usr/lib/postgresql";
  const versions = fs.existsSync(debian) ? fs.readdirSync(debian) : [];
  const newest = versions.sort((a, b) => Number(b) - Number(a))[0] ?? "";
  const places = [join(debian, newest, "bin"), "/usr/local/pgsql/bin", "/opt/homebrew/bin"];
  return places.find((place) => fs.existsSync(join(place, "pg_basebackup"))) ?? null;
}

/** A server on a directory of its own, which goes with `remove`. */
export class InstalledPostgres {
  readonly directory: string;
  readonly #port: number;
  readonly #options: { readonly uid?: number; readonly gid?: number };
  #stop: (() => Promise<void>) | null = null;

  private constructor(directory: string, port: number, options: { uid?: number; gid?: number }) {
    this.directory = directory;
    this.#port = port;
    this.#options = options;
  }

  /** A new cluster, running. */
  static async start(settings: Readonly<Record<string, string>> = {}): Promise<InstalledPostgres> {
    const server = await InstalledPostgres.#make();
    const cluster = join(server.directory, "cluster");
    await server.run("initdb", ["-D", cluster, "-U", "evently", "--auth=trust", "-E", "UTF8"]);
    await server.serve("cluster", settings);
    return server;
  }

  static async #make(): Promise<InstalledPostgres> {
    const directory = fs.mkdtempSync(join(tmpdir(), "evently-postgres-"));
    const account = await unprivilegedAccount();
    if (account !== null) fs.chownSync(directory, account.uid, account.gid);
    return new InstalledPostgres(directory, await freePort("127.0.0.1", 0), account ?? {});
  }

  url(database: string): string {
    return `postgres://evently@127.0.0.1:${this.#port}/${database}`;
  }

  /** Serves a cluster of the directory. */
  async serve(cluster: string, settings: Readonly<Record<string, string>> = {}): Promise<void> {
    const all = {
      port: String(this.#port),
      listen_addresses: "127.0.0.1",
      unix_socket_directories: "",
      fsync: "off",
      ...settings,
    };
    const child = spawn(
      join(POSTGRES_PROGRAMS ?? "", "postgres"),
      ["-D", join(this.directory, cluster)].concat(
        Object.entries(all).flatMap(([name, value]) => ["-c", `${name}=${value}`]),
      ),
      { ...this.#options, cwd: this.directory, stdio: "ignore" },
    );
    const killWithUs = (): void => void child.kill("SIGKILL");
    process.once("exit", killWithUs);
    const ended = new Promise<void>((resolve) => {
      child.once("exit", () => {
        process.off("exit", killWithUs);
        resolve();
      });
    });
    this.#stop = async () => {
      child.kill("SIGINT");
      await ended;
    };
    await until("PostgreSQL takes writes", async () => {
      if (child.exitCode !== null) throw new Error(`PostgreSQL ended with ${child.exitCode}`);
      const ask = this.query<{ no: boolean }>("postgres", "SELECT pg_is_in_recovery() AS no");
      return (await ask.catch(() => null))?.[0]?.no === false;
    });
  }

  async stop(): Promise<void> {
    await this.#stop?.();
    this.#stop = null;
  }

  async remove(): Promise<void> {
    await this.stop();
    fs.rmSync(this.directory, { recursive: true, force: true });
  }

  async query<Row extends object>(database: string, text: string): Promise<Row[]> {
    const client = new Client({ connectionString: this.url(database) });
    await client.connect();
    try {
      return (await client.query<Row>(text)).rows;
    } finally {
      await client.end();
    }
  }

  /** Runs one of PostgreSQL's programs as the server's user. */
  async run(program: string, args: readonly string[]): Promise<void> {
    const path = join(POSTGRES_PROGRAMS ?? "", program);
    await run(path, args, { ...this.#options, cwd: this.directory });
  }
}
