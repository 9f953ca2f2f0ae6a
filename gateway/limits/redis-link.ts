import { Redis } from "ioredis";
import {
  REDIS_ASKS_MAX,
  REDIS_CONNECT_MS_MAX,
  REDIS_LOOK_MS,
  REDIS_RETRY_MS_MAX,
  REDIS_SILENCE_MS_MAX,
  REDIS_START_MS_MAX,
} from "../../engine/door-limits.ts";
import type { Log } from "../log.ts";

export interface RedisStatus {
  readonly isUp: boolean;
  /** Why it is away; null: it is not. */
  readonly reason: string | null;
  readonly outages: number;
  /** Questions without an answer so far. */
  readonly open: number;
  /** Questions that were decided without Redis, though it was there. */
  readonly unanswered: number;
}

const PROBE_KEY = "evently:limits:probe";

/**
 * The connection to the Redis that counts for all nodes, and whether it is worth asking.
 *
 * Invariants:
 * - Nobody waits for an answer longer than REDIS_WAIT_MS, and nobody for one of a Redis that is
 *   away. What is asked without an answer is at most REDIS_ASKS_MAX, for REDIS_SILENCE_MS_MAX.
 * - Redis is up from the first probe that it took until a connection ends, an answer is an error,
 *   or a question stays open too long. Either change is logged once.
 */
export class RedisLink {
  readonly client: Redis;
  readonly #waitMs: number;
  readonly #log: Pick<Log, "warn" | "info">;
  #reason: string | null = "not connected yet";
  #outages = 0;
  #open = 0;
  #unanswered = 0;
  /** Since when nothing was answered although something is asked; null: nothing is. */
  #silentSinceMs: number | null = null;
  /** When the present try to connect began. */
  #connectingSinceMs = performance.now();
  #isProbing = false;
  #wasUp = false;
  #lastError = "";
  #watch: NodeJS.Timeout | null = null;
  #waiting: (() => void) | null = null;

  constructor(url: string, waitMs: number, log: Pick<Log, "warn" | "info">) {
    this.#waitMs = waitMs;
    this.#log = log;
    this.client = new Redis(url, {
      lazyConnect: true,
      connectionName: "evently",
      connectTimeout: REDIS_CONNECT_MS_MAX,
      // What can't be asked now is decided here: nothing waits for a connection, or is sent twice.
      enableOfflineQueue: false,
      autoResendUnfulfilledCommands: false,
      maxRetriesPerRequest: 0,
      enableAutoPipelining: true,
      retryStrategy: (tries) => Math.min(50 * 2 ** Math.min(tries, 8), REDIS_RETRY_MS_MAX),
    });
    this.client.on("error", (error: Error) => {
      this.#lastError = error.message;
    });
    this.client.on("connecting", () => {
      this.#connectingSinceMs = performance.now();
    });
    this.client.on("ready", () => this.#probe());
    this.client.on("close", () => this.#down(this.#lastError || "the connection has ended"));
  }

  get isUp(): boolean {
    return this.#reason === null;
  }

  get status(): RedisStatus {
    const { isUp } = this;
    const [reason, outages] = [this.#reason, this.#outages];
    return { isUp, reason, outages, open: this.#open, unanswered: this.#unanswered };
  }

  /** Resolves once Redis is there, or is not for REDIS_START_MS_MAX. */
  async start(): Promise<void> {
    this.#watch = setInterval(() => setImmediate(() => this.#look()), REDIS_LOOK_MS);
    this.#watch.unref();
    const ready = new Promise<void>((resolve) => {
      this.#waiting = resolve;
      setTimeout(resolve, REDIS_START_MS_MAX);
    });
    // A failure is an event, too, and is told there.
    this.client.connect().catch(() => undefined);
    await ready;
    this.#waiting = null;
    if (!this.isUp) this.#tellOutage(this.#lastError || "no answer to the first question");
  }

  stop(): void {
    if (this.#watch !== null) clearInterval(this.#watch);
    this.client.removeAllListeners("close");
    this.client.disconnect();
  }

  /** What Redis answers; null: nothing in time, or it is not worth asking. Never rejects. */
  ask<T>(question: () => Promise<T>): Promise<T | null> {
    if (!this.isUp) return Promise.resolve(null);
    if (this.#open >= REDIS_ASKS_MAX) {
      this.#unanswered += 1;
      return Promise.resolve(null);
    }
    this.#open += 1;
    this.#silentSinceMs ??= performance.now();
    return new Promise((resolve) => {
      const timer = setTimeout(() => {
        this.#unanswered += 1;
        resolve(null);
      }, this.#waitMs);
      const settle = (answer: T | null): void => {
        clearTimeout(timer);
        this.#open -= 1;
        this.#silentSinceMs = this.#open === 0 ? null : performance.now();
        resolve(answer);
      };
      question().then(settle, (error: unknown) => {
        settle(null);
        this.#down(error instanceof Error ? error.message : String(error));
      });
    });
  }

  /** Comes after the answers of this turn have been read: a turn of ours that was long is none. */
  #look(): void {
    const nowMs = performance.now();
    const silentMs = this.#silentSinceMs === null ? 0 : nowMs - this.#silentSinceMs;
    if (this.isUp && silentMs >= REDIS_SILENCE_MS_MAX) {
      this.#down(`no answer for ${Math.round(silentMs)} ms`);
      this.client.disconnect(true);
    } else if (!this.isUp && this.client.status === "ready") this.#probe();
    else if (
      this.client.status === "connect" &&
      nowMs - this.#connectingSinceMs >= REDIS_CONNECT_MS_MAX
    ) {
      this.client.disconnect(true);
    }
  }

  /** Writes, as the counts do: a Redis that only reads is of no use here. */
  #probe(): void {
    if (this.#isProbing || this.isUp) return;
    this.#isProbing = true;
    this.client.set(PROBE_KEY, "1", "EX", 10).then(
      () => {
        this.#isProbing = false;
        this.#up();
      },
      (error: unknown) => {
        this.#isProbing = false;
        this.#lastError = error instanceof Error ? error.message : String(error);
      },
    );
  }

  #up(): void {
    if (this.isUp) return;
    this.#reason = null;
    this.#wasUp = true;
    this.#lastError = "";
    this.#waiting?.();
    if (this.#outages > 0) this.#log.info({ outages: this.#outages }, BACK);
  }

  #down(reason: string): void {
    if (!this.isUp) return;
    this.#tellOutage(reason);
  }

  #tellOutage(reason: string): void {
    this.#reason = reason;
    this.#outages += 1;
    this.#log.warn({ reason, hadAnswered: this.#wasUp }, AWAY);
  }
}

const AWAY = "Redis is away: this node counts its limits by itself";
const BACK = "Redis is back: limits are counted for all nodes again";
