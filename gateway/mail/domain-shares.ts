import { RateLimiterMemory, RateLimiterRes } from "rate-limiter-flexible";

const HOUR_S = 3_600;

/**
 * How many mails of an hour go to one domain: its servers take more for an attack, and no more.
 * Counted per node, in memory; after a restart from the ledger.
 */
export class DomainShares {
  readonly #limiter: RateLimiterMemory;

  constructor(perHour: number) {
    this.#limiter = new RateLimiterMemory({ points: perHour, duration: HOUR_S });
  }

  /** What was sent within the last hour, by a process before this one. */
  async remember(domain: string, count: number): Promise<void> {
    await this.#limiter.set(domain, count, HOUR_S);
  }

  /** 0: the mail may go, and counts. Otherwise after how many ms there is room again. */
  async take(domain: string): Promise<number> {
    try {
      await this.#limiter.consume(domain);
      return 0;
    } catch (refusal) {
      if (refusal instanceof RateLimiterRes) return Math.max(1, refusal.msBeforeNext);
      throw refusal;
    }
  }

  /** A mail that did not go after all does not count. */
  async giveBack(domain: string): Promise<void> {
    await this.#limiter.reward(domain);
  }
}
