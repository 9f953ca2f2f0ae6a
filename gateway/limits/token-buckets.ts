/**
 * Token buckets, of which one number is kept: when the bucket is full again. (GCRA, the generic
 * cell rate algorithm of ATM, in the form of virtual scheduling.)
 *
 *   10/1m, a token each 6 s      now            + 18 s                    + 60 s
 *                                 |── 3 are out ──|────── 7 are there ──────|
 *                                              fullAtMs
 */
import { LIMIT_KEYS_MAX } from "../../engine/door-limits.ts";
import { FifoMap } from "../../engine/fifo-map.ts";

/** So many at once, and so many in each `windowMs` from then on, one after the other. */
export interface Bound {
  readonly count: number;
  readonly windowMs: number;
}

export interface Bucket {
  /** In the time of whoever counts. */
  fullAtMs: number;
}

/** An IPv4 address is a number; all else is text. */
export type CountKey = string | number;

/** What rounding may cost, as a part of a token. */
const SLACK = 0.01;

/** How long one token takes to come back. */
export const tokenMs = ({ count, windowMs }: Bound): number => windowMs / count;

/** How many tokens are out. */
export function tokensOut({ fullAtMs }: Bucket, bound: Bound, nowMs: number): number {
  return Math.max(0, Math.ceil((fullAtMs - nowMs) / tokenMs(bound) - SLACK));
}

/** How long until a token is there; 0 or less: one is. */
export function waitMs({ fullAtMs }: Bucket, bound: Bound, nowMs: number): number {
  const oneMs = tokenMs(bound);
  return Math.max(fullAtMs, nowMs) + oneMs - nowMs - bound.windowMs - oneMs * SLACK;
}

/** Whether or not there is one. */
export function takeAnyway(bucket: Bucket, bound: Bound, nowMs: number): void {
  bucket.fullAtMs = Math.max(bucket.fullAtMs, nowMs) + tokenMs(bound);
}

/** False: there was none. */
export function take(bucket: Bucket, bound: Bound, nowMs: number): boolean {
  if (waitMs(bucket, bound, nowMs) > 0) return false;
  takeAnyway(bucket, bound, nowMs);
  return true;
}

/** What lies before now is full, whatever it says. */
export function putBack(bucket: Bucket, bound: Bound): void {
  bucket.fullAtMs -= tokenMs(bound);
}

/**
 * Buckets by key, in this process.
 *
 * Synchronous, and nothing but a look-up for a known key: this is asked for every request. Measured
 * against rate-limiter-flexible's own memory, which makes a promise a count and a timer a key, and
 * has no bound on its keys (docs/LIMITS.md).
 *
 * Invariants:
 * - At most LIMIT_KEYS_MAX buckets are kept. Past it the one that was looked at longest ago is
 *   forgotten, which lets somebody in who should wait, and keeps nobody out.
 * - Full buckets are dropped as new ones come: no timer runs.
 */
export class TokenBuckets {
  readonly #keysMax: number;
  readonly #buckets = new FifoMap<CountKey, Bucket>();

  constructor(keysMax: number = LIMIT_KEYS_MAX) {
    this.#keysMax = keysMax;
  }

  get size(): number {
    return this.#buckets.size;
  }

  /** The key's bucket, full if there was none. */
  at(key: CountKey, nowMs: number): Bucket {
    const known = this.#buckets.get(key);
    if (known !== undefined) return known;
    const fresh = { fullAtMs: nowMs };
    this.#buckets.set(key, fresh);
    this.#tidy(nowMs);
    return fresh;
  }

  /** The key's bucket, if there is one. */
  peek(key: CountKey): Bucket | null {
    return this.#buckets.get(key) ?? null;
  }

  forget(key: CountKey): void {
    this.#buckets.delete(key);
  }

  /** For each bucket that comes, two are looked at: so all that are full go in time. */
  #tidy(nowMs: number): void {
    for (let looks = 0; looks < 2; looks += 1) {
      const oldest = this.#buckets.oldestKey();
      const bucket = oldest === undefined ? undefined : this.#buckets.get(oldest);
      if (oldest === undefined || bucket === undefined) return;
      if (this.#buckets.size > this.#keysMax) {
        this.#buckets.delete(oldest);
        return;
      }
      // The one that has just come is full now, and about to be used.
      if (bucket.fullAtMs < nowMs) this.#buckets.delete(oldest);
      else this.#buckets.set(oldest, bucket);
    }
  }
}
