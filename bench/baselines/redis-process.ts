import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { Socket } from "node:net";
import { tmpdir } from "node:os";
import { setTimeout as delay } from "node:timers/promises";
import { Redis } from "ioredis";
import { freePort } from "../../gateway/http/free-port.ts";

const START_MS_MAX = 10_000;
const POLL_MS = 20;
/**
 * A shell that becomes the redis-server. The one it leaves behind waits on a pipe from us: when
 * that ends without a line we are gone, by whatever signal, and the redis-server has to go, too.
 */
const WATCHED = '(read -r _ || kill -KILL $$) <&3 & exec redis-server "$@" 3<&-';

export interface RedisProcess {
  readonly url: string;
  stop(): Promise<void>;
}

export class RedisNotStarted extends Error {
  readonly code = "redis_not_started";
}

/** Which redis-server is installed; null: none. */
export function installedRedis(): string | null {
  const { status, stdout } = spawnSync("redis-server", ["--version"], { encoding: "utf8" });
  return status === 0 ? (/v=(\S+)/.exec(stdout)?.[1] ?? stdout.trim()) : null;
}

/**
 * A redis-server on a free port of the loopback, that keeps nothing on disk. It goes with `stop`,
 * and with this process, even where that is killed.
 */
export async function startRedis(): Promise<RedisProcess> {
  const port = await freePort("127.0.0.1", 0);
  const args = ["--port", String(port), "--bind", "127.0.0.1", "--dir", tmpdir()];
  const child = spawn("sh", ["-c", WATCHED, "sh", ...args, "--save", "", "--appendonly", "no"], {
    stdio: ["ignore", "ignore", "ignore", "pipe"],
  });
  const watch = child.stdio[3];
  if (watch instanceof Socket) {
    // The watching shell may be gone already.
    watch.on("error", () => undefined).resume();
    child.once("exit", () => watch.end("gone\n"));
  }
  const ended = new Promise<void>((resolve) => {
    child.once("close", () => resolve());
    child.once("error", () => resolve());
  });
  const stop = async (): Promise<void> => {
    child.kill("SIGTERM");
    await ended;
  };
  const url = `redis://127.0.0.1:${port}`;
  try {
    await answers(url, child);
  } catch (error) {
    await stop();
    throw error;
  }
  return { url, stop };
}

async function answers(url: string, child: ChildProcess): Promise<void> {
  let failure: Error | null = null;
  child.once("error", (error) => {
    failure = error;
  });
  const client = new Redis(url, { lazyConnect: true, retryStrategy: () => POLL_MS });
  client.on("error", () => undefined);
  const giveUpMs = performance.now() + START_MS_MAX;
  try {
    // While it comes up, connecting fails; the client goes on trying by itself.
    client.connect().catch(() => undefined);
    while (client.status !== "ready") {
      if (failure !== null || child.exitCode !== null || performance.now() > giveUpMs) {
        throw new RedisNotStarted("redis-server did not start", { cause: failure });
      }
      await delay(POLL_MS);
    }
  } finally {
    client.disconnect();
  }
}
