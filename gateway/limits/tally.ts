import { hash } from "node:crypto";
import { RateLimiterRedis } from "rate-limiter-flexible";
import type { RedisLink } from "./redis-link.ts";
import {
  type Bound,
  type Bucket,
  type CountKey,
  putBack,
  TokenBuckets,
  takeAnyway,
  waitMs,
} from "./token-buckets.ts";

/** Where counts are shared, and what keeps the names of keys there. */
export interface SharedCounts {
  readonly link: RedisLink;
  /** The same on all nodes, and in nothing that can be read in Redis. */
  readonly secret: string;
}

export interface TallyOptions {
  /** Names the counts in Redis. */
  readonly name: string;
  readonly bound: Bound;
  /** null: this process counts for itself. */
  readonly shared: SharedCounts | null;
}

/**
 * token-buckets.ts as one step of Redis, in the place of the library's own, which counts fixed
 * windows and so lets twice the bound in where two of them meet. Its value is `fullAtMs` in Redis's
 * time, and ends when the bucket is full. What does not fit takes nothing.
 *
 *   ARGV  tokens to take (-1: to put back), window in s, tokens a window
 *   →     {tokens that are out, ms until none is}; more than there are: it was refused
 */
const TAKE = `
local time = redis.call('TIME')
local now = time[1] * 1000 + time[2] / 1000
local tokens, window, count = tonumber(ARGV[1]), ARGV[2] * 1000, tonumber(ARGV[3])
local one = window / count
local full = tonumber(redis.call('GET', KEYS[1]) or now)
full = math.min(math.max(full, now), now + window)
local taken = full + tokens * one
if taken - now > window + one / 100 then return {count + 1, math.ceil(full - now)} end
if taken <= now then
  redis.call('DEL', KEYS[1])
  return {0, 0}
end
redis.call('SET', KEYS[1], string.format('%.17g', taken), 'PX', math.ceil(taken - now))
return {math.ceil((taken - now) / one - 0.01), math.ceil(taken - now)}
`;

/**
 * One kind of count, for example bookings a user.
 *
 * It is always counted in this process, and by Redis, too, where there is one. What Redis says
 * corrects what is known here. So whoever is over the bound is refused without asking, and a node
 * whose Redis goes away begins with what all nodes had counted until then.
 *
 * Invariant: Redis learns no key: what it has are hashes that need the secret.
 */
export class Tally {
  readonly bound: Bound;
  /** Who was over the bound. */
  refusedCount = 0;
  readonly #buckets = new TokenBuckets();
  readonly #shared: SharedCounts | null;
  readonly #limiter: RateLimiterRedis | null;

  constructor({ name, bound, shared }: TallyOptions) {
    this.bound = bound;
    this.#shared = shared;
    this.#limiter =
      shared === null
        ? null
        : new RateLimiterRedis({
            storeClient: shared.link.client,
            keyPrefix: `evently:bucket:${name}`,
            points: bound.count,
            duration: bound.windowMs / 1_000,
            customIncrTtlLuaScript: TAKE,
          });
  }

  /** Keys that are counted here. */
  get size(): number {
    return this.#buckets.size;
  }

  at(key: CountKey, nowMs: number): Bucket {
    return this.#buckets.at(key, nowMs);
  }

  peek(key: CountKey): Bucket | null {
    return this.#buckets.peek(key);
  }

  isEmpty(bucket: Bucket, nowMs: number): boolean {
    return waitMs(bucket, this.bound, nowMs) > 0;
  }

  take(bucket: Bucket, nowMs: number): void {
    takeAnyway(bucket, this.bound, nowMs);
  }

  /** Whether Redis is to be asked, too. */
  get isShared(): boolean {
    return this.#shared?.link.isUp === true;
  }

  /**
   * Takes from Redis what was taken from `bucket` before, and corrects that by what comes back.
   * False: others had taken all, and this is taken from nowhere. Without an answer what this node
   * says is right.
   */
  async confirm(key: CountKey, bucket: Bucket): Promise<boolean> {
    const [limiter, shared] = [this.#limiter, this.#shared];
    if (limiter === null || shared === null) return true;
    const askedMs = performance.now();
    const taken = await shared.link.ask(() => limiter.penalty(this.#nameOf(key)));
    if (taken === null) return true;
    const isIn = taken.consumedPoints <= this.bound.count;
    if (!isIn) putBack(bucket, this.bound);
    // Answers may overtake each other: none makes room, time alone does.
    bucket.fullAtMs = Math.max(bucket.fullAtMs, askedMs + taken.msBeforeNext);
    return isIn;
  }

  /** Takes one back. */
  giveBack(key: CountKey, bucket: Bucket): void {
    putBack(bucket, this.bound);
    const limiter = this.#limiter;
    if (limiter !== null) this.#tell(() => limiter.reward(this.#nameOf(key)));
  }

  /** Begins anew. */
  clear(key: CountKey): void {
    this.#buckets.forget(key);
    const limiter = this.#limiter;
    if (limiter !== null) this.#tell(() => limiter.delete(this.#nameOf(key)));
  }

  #nameOf(key: CountKey): string {
    return hash("sha256", `${this.#shared?.secret} ${key}`, "base64url").slice(0, 22);
  }

  /** `ask` never rejects, and nobody waits for what is only told. */
  #tell(what: () => Promise<unknown>): void {
    this.#shared?.link.ask(what).catch(() => undefined);
  }
}
