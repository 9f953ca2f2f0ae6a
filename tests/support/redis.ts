/** A real redis-server (Debian's package of that name), on a port and a directory of its own. */
import { type ChildProcess, spawn } from "node:child_process";
import * as fs from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Redis } from "ioredis";
import { freePort } from "../../gateway/http/free-port.ts";
import { until } from "./server.ts";

/**
 * Invariants:
 * - It keeps nothing: what is started again is empty.
 * - Its port stays the same, and it never outlives this process.
 */
export class TestRedis {
  readonly url: string;
  readonly #port: number;
  readonly #directory = fs.mkdtempSync(join(tmpdir(), "evently-redis-"));
  #child: ChildProcess | null = null;
  #ended: Promise<void> = Promise.resolve();
  readonly #killWithUs = (): void => {
    this.#child?.kill("SIGKILL");
  };

  private constructor(port: number) {
    this.#port = port;
    this.url = `redis://127.0.0.1:${port}`;
    process.once("exit", this.#killWithUs);
  }

  static async start(): Promise<TestRedis> {
    const redis = new TestRedis(await freePort("127.0.0.1", 0));
    await redis.start();
    return redis;
  }

  async start(): Promise<void> {
    const args = ["--port", String(this.#port), "--bind", "127.0.0.1", "--save", ""];
    const child = spawn("redis-server", [...args, "--dir", this.#directory], { stdio: "ignore" });
    this.#child = child;
    let failure: Error | null = null;
    child.once("error", (error) => {
      failure = new Error("redis-server can't be started: is it installed?", { cause: error });
    });
    this.#ended = new Promise((resolve) => child.once("close", () => resolve()));
    await until("redis-server answers", async () => {
      if (failure !== null) throw failure;
      return this.#answers();
    });
  }

  /** What it has under names like this one. */
  async keys(pattern: string): Promise<string[]> {
    return this.#ask((client) => client.keys(pattern));
  }

  async kill(): Promise<void> {
    this.#child?.kill("SIGKILL");
    await this.#ended;
  }

  /** It keeps its connections, and answers nothing. */
  freeze(): void {
    this.#child?.kill("SIGSTOP");
  }

  thaw(): void {
    this.#child?.kill("SIGCONT");
  }

  async remove(): Promise<void> {
    process.off("exit", this.#killWithUs);
    await this.kill();
    fs.rmSync(this.#directory, { recursive: true, force: true });
  }

  async #answers(): Promise<boolean> {
    try {
      return (await this.#ask((client) => client.ping())) === "PONG";
    } catch (error) {
      if (error instanceof Error) return false;
      throw error;
    }
  }

  async #ask<T>(question: (client: Redis) => Promise<T>): Promise<T> {
    const client = new Redis(this.url, { lazyConnect: true, retryStrategy: () => null });
    client.on("error", () => undefined);
    try {
      await client.connect();
      return await question(client);
    } finally {
      client.disconnect();
    }
  }
}
