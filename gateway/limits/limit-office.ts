import { AttemptLimits } from "../identity/attempt-limits.ts";
import type { Log } from "../log.ts";
import type { LimitSettings } from "./limit-classes.ts";
import { RedisLink, type RedisStatus } from "./redis-link.ts";
import { RequestLimits } from "./request-limits.ts";

export interface LimitOfficeOptions {
  /** False: nobody is counted. */
  readonly rateLimit: boolean;
  readonly limits: LimitSettings;
  /** null: this process counts for itself. */
  readonly redisUrl: string | null;
  /** Of all nodes: what keys in Redis are named with. */
  readonly secret: string;
  /** The longest that a request waits for Redis. */
  readonly redisWaitMs: number;
  readonly log: Pick<Log, "warn" | "info">;
}

export interface LimitsReport {
  /** Who counts now. */
  readonly counting: "off" | "process" | "redis";
  /** null: none is configured. */
  readonly redis: RedisStatus | null;
  /** Users and addresses that this process counts, by class. */
  readonly keys: Readonly<Record<string, object>>;
}

/** Everything that counts how often, put together. */
export class LimitOffice {
  readonly attempts: AttemptLimits;
  /** null: nobody is counted. */
  readonly requests: RequestLimits | null;
  readonly #link: RedisLink | null;

  constructor({ rateLimit, limits, secret, redisUrl, redisWaitMs, log }: LimitOfficeOptions) {
    const link = rateLimit && redisUrl !== null ? new RedisLink(redisUrl, redisWaitMs, log) : null;
    const shared = link === null ? null : { link, secret };
    this.#link = link;
    this.attempts = new AttemptLimits(rateLimit ? limits : null, shared);
    this.requests = rateLimit ? new RequestLimits(limits, shared) : null;
  }

  get report(): LimitsReport {
    const redis = this.#link?.status ?? null;
    const counting = this.requests === null ? "off" : redis?.isUp === true ? "redis" : "process";
    return { counting, redis, keys: this.requests?.sizes ?? {} };
  }

  /** What whoever looks after this node should know; it serves all the same. */
  get notes(): string[] {
    const { redis } = this.report;
    if (redis === null || redis.isUp) return [];
    return [`limits: Redis is away (${redis.reason}), this node counts by itself`];
  }

  /** Resolves when it is known whether Redis is there. */
  async start(): Promise<void> {
    await this.#link?.start();
  }

  stop(): void {
    this.#link?.stop();
  }
}
