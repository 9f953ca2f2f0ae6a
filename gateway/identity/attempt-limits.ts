import { type IRateLimiterOptions, RateLimiterMemory, RateLimiterRes } from "rate-limiter-flexible";
import {
  ASKED_MAILS_MAX,
  ASKED_MAILS_WINDOW_SECONDS,
  LOGIN_FAILURES_MAX,
  LOGIN_WINDOW_SECONDS,
  PROBES_MAX,
} from "../../engine/limits.ts";
import { ProblemError } from "../http/problem.ts";
import { networkOf } from "./network-address.ts";

/** Failures that say "wrong", and are therefore counted. */
const isGuess = (error: unknown): boolean =>
  error instanceof ProblemError && error.code === "invalid_credentials";

/**
 * How often somebody may try. Counted in this process: each node counts for itself.
 *
 * Invariants:
 * - Failures count for an account *and* the network they come from: nobody is locked out by others.
 * - An attempt counts before it is made, so many at once are not more than many in a row; one that
 *   succeeds clears the count, one that could not be made is given back.
 * - A count costs a hash, a mail or an account's row to make, and is gone with its window: that is
 *   what bounds their number.
 */
export class AttemptLimits {
  readonly #isOn: boolean;
  readonly #logins = limiter("login", LOGIN_FAILURES_MAX, LOGIN_WINDOW_SECONDS);
  readonly #mails = limiter("mail", ASKED_MAILS_MAX, ASKED_MAILS_WINDOW_SECONDS);
  readonly #probes = limiter("probe", PROBES_MAX, LOGIN_WINDOW_SECONDS);

  /** `isOn` false: nothing is limited. */
  constructor(isOn: boolean) {
    this.#isOn = isOn;
  }

  /** Makes an attempt at a password. Throws `rate_limited` in its place, or what it throws. */
  async password<T>(email: string, address: string, attempt: () => Promise<T>): Promise<T> {
    if (!this.#isOn) return attempt();
    const key = `${networkOf(address)} ${email}`;
    await spend(this.#logins, key);
    try {
      const result = await attempt();
      await this.#logins.delete(key);
      return result;
    } catch (error) {
      if (!isGuess(error)) await this.#logins.reward(key);
      throw error;
    }
  }

  /**
   * A registration, which tells that an address is taken. Whoever was told so too often is refused
   * before it is known whether this one is. Throws `rate_limited`, or what `attempt` throws.
   */
  async registration<T>(address: string, attempt: () => Promise<T>): Promise<T> {
    const key = networkOf(address);
    const told = this.#isOn ? await this.#probes.get(key) : null;
    if (told !== null && told.consumedPoints >= PROBES_MAX) throw refusalOf(told);
    try {
      return await attempt();
    } catch (error) {
      if (error instanceof ProblemError && error.code === "email_taken") {
        await this.#probes.penalty(key);
      }
      throw error;
    }
  }

  /** Something that may tell whether an account exists. Throws `rate_limited`. */
  async probe(address: string): Promise<void> {
    if (this.#isOn) await spend(this.#probes, networkOf(address));
  }

  /** Whether one more mail may be sent to an address that did not ask for it itself. */
  async mayMail(email: string): Promise<boolean> {
    if (!this.#isOn) return true;
    const { consumedPoints } = await this.#mails.penalty(email);
    return consumedPoints <= ASKED_MAILS_MAX;
  }
}

function limiter(keyPrefix: string, points: number, duration: number): RateLimiterMemory {
  const options: IRateLimiterOptions = { keyPrefix, points, duration };
  return new RateLimiterMemory(options);
}

async function spend(limiter: RateLimiterMemory, key: string): Promise<void> {
  try {
    await limiter.consume(key);
  } catch (refusal) {
    throw refusal instanceof RateLimiterRes ? refusalOf(refusal) : refusal;
  }
}

function refusalOf({ msBeforeNext }: RateLimiterRes): ProblemError {
  const retryAt = new Date(Date.now() + msBeforeNext).toISOString();
  return new ProblemError("rate_limited", { retryAt });
}
