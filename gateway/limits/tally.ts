import { RateLimiterRedis, type RateLimiterRes } from "rate-limiter-flexible";
import type { RedisLink } from "./redis-link.ts";
import { type Bound, type CountKey, type Window, WindowCounts } from "./window-counts.ts";

export interface TallyOptions {
  /** Names the counts in Redis. */
  readonly name: string;
  readonly bound: Bound;
  /** null: this process counts for itself. */
  readonly link: RedisLink | null;
  /** Text of a key, in Redis. Default: the key as it is. */
  readonly textOf?: (key: CountKey) => string;
}

/**
 * One kind of count, for example bookings a user.
 *
 * It is always counted in this process, and by Redis, too, where there is one. What Redis says
 * replaces what is known here. So whoever is over the bound is refused without asking, and a node
 * whose Redis goes away begins with what all nodes had counted until then.
 */
export class Tally {
  readonly bound: Bound;
  /** Who was over the bound. */
  refusedCount = 0;
  readonly #counts: WindowCounts;
  readonly #link: RedisLink | null;
  readonly #shared: RateLimiterRedis | null;
  readonly #textOf: (key: CountKey) => string;

  constructor({ name, bound, link, textOf = String }: TallyOptions) {
    this.bound = bound;
    this.#counts = new WindowCounts(bound.windowMs);
    this.#link = link;
    this.#textOf = textOf;
    this.#shared =
      link === null
        ? null
        : new RateLimiterRedis({
            storeClient: link.client,
            keyPrefix: `evently:limit:${name}`,
            points: bound.count,
            duration: bound.windowMs / 1_000,
          });
  }

  /** Keys that are counted here. */
  get size(): number {
    return this.#counts.size;
  }

  at(key: CountKey, nowMs: number): Window {
    return this.#counts.at(key, nowMs);
  }

  peek(key: CountKey, nowMs: number): Window | null {
    return this.#counts.peek(key, nowMs);
  }

  /** Whether Redis is to be asked, too. */
  get isShared(): boolean {
    return this.#link?.isUp === true;
  }

  /**
   * Counts in Redis what was counted in `window` before, and corrects that by what comes back.
   * False: others had used all of the bound. Without an answer what this node says is right.
   */
  async confirm(key: CountKey, window: Window): Promise<boolean> {
    const shared = this.#shared;
    if (this.#link === null || shared === null) return true;
    const counted = await this.#link.ask(() => shared.penalty(this.#textOf(key)));
    if (counted === null) return true;
    this.#correct(window, counted);
    return counted.consumedPoints <= this.bound.count;
  }

  #correct(window: Window, { consumedPoints, msBeforeNext }: RateLimiterRes): void {
    const endsMs = performance.now() + Math.max(0, msBeforeNext);
    // Answers may overtake each other: within one window what was counted only grows.
    const isSame = Math.abs(endsMs - window.endsMs) < 1_000;
    window.used = isSame ? Math.max(window.used, consumedPoints) : consumedPoints;
    window.endsMs = endsMs;
  }

  /** Takes one back. */
  giveBack(key: CountKey, window: Window): void {
    window.used = Math.max(0, window.used - 1);
    const shared = this.#shared;
    if (shared !== null) this.#tell(() => shared.reward(this.#textOf(key)));
  }

  /** Begins anew. */
  clear(key: CountKey): void {
    this.#counts.forget(key);
    const shared = this.#shared;
    if (shared !== null) this.#tell(() => shared.delete(this.#textOf(key)));
  }

  /** `ask` never rejects, and nobody waits for what is only told. */
  #tell(what: () => Promise<unknown>): void {
    this.#link?.ask(what).catch(() => undefined);
  }
}
