import { randomUUID } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import { Redis } from "ioredis";
import { LocalQueue } from "./local-queue.ts";

/** A lock whose owner has gone ends by itself then. */
const LOCK_MS = 5_000;
/** The longest that anybody tries to get one. */
const WAIT_MS_MAX = 3_000;
/** Between tries; by chance up to twice that, so that two do not keep step. */
const RETRY_MS = 2;

/** Somebody else had the lock for too long. */
export class LockTimeout extends Error {
  readonly code = "lock_timeout";
}

/** A lock is deleted by who has set it, and by nobody whose own has run out. */
const RELEASE = `
for i, key in ipairs(KEYS) do
  if redis.call("get", key) == ARGV[1] then redis.call("del", key) end
end`;

/**
 * Locks in Redis: SET key token NX PX, and a script that compares and deletes.
 *
 * Who wants a lock first gets in line in this process, and only the first of the line asks Redis.
 * So a free lock is taken at the first try, and nobody sleeps between tries but for another
 * process. The release is sent and not waited for: Redis takes commands in their order.
 */
export class RedisLocks {
  readonly #client: Redis;
  readonly #queue = new LocalQueue();

  constructor(url: string) {
    this.#client = new Redis(url, { enableAutoPipelining: true });
    // A command that fails says so itself.
    this.#client.on("error", () => undefined);
  }

  /** Runs the work while all of the locks are ours. Throws LockTimeout. */
  withLocks<T>(names: readonly string[], work: () => Promise<T>): Promise<T> {
    const keys = [...names].sort();
    return this.#queue.inTurn(keys, async () => {
      const token = randomUUID();
      await this.#take(keys, token);
      try {
        return await work();
      } finally {
        this.#release(keys, token);
      }
    });
  }

  async stop(): Promise<void> {
    await this.#client.quit();
  }

  async #take(keys: readonly string[], token: string): Promise<void> {
    const giveUpMs = performance.now() + WAIT_MS_MAX;
    for (;;) {
      const taken = await Promise.all(
        keys.map((key) => this.#client.set(key, token, "PX", LOCK_MS, "NX")),
      );
      if (taken.every((answer) => answer === "OK")) return;
      this.#release(keys, token);
      if (performance.now() > giveUpMs) throw new LockTimeout(`no lock of ${keys.join(", ")}`);
      await delay(RETRY_MS * (1 + Math.random()));
    }
  }

  /** What can't be released runs out. */
  #release(keys: readonly string[], token: string): void {
    this.#client.eval(RELEASE, keys.length, ...keys, token).catch(() => undefined);
  }
}
