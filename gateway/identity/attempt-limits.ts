import type { HttpRequest } from "../http/exchange.ts";
import { ProblemError } from "../http/problem.ts";
import type { LimitSettings } from "../limits/limit-classes.ts";
import { type Quota, quotaOf, refusalMembers, type Scope } from "../limits/quota.ts";
import { type SharedCounts, Tally } from "../limits/tally.ts";
import type { Bound, Bucket } from "../limits/token-buckets.ts";

/** Failures that say "wrong", and are therefore counted. */
const isGuess = (error: unknown): boolean =>
  error instanceof ProblemError && error.code === "invalid_credentials";

/** Failures that say whether an account exists. */
const isTelling = (error: unknown): boolean =>
  error instanceof ProblemError && error.code === "email_taken";

/** Who tries. */
export type Attempter = Pick<HttpRequest, "address" | "showQuota">;

/**
 * How often somebody may try.
 *
 * Invariants:
 * - Failures count for an account *and* the network they come from: nobody is locked out by others.
 * - An attempt counts before it is made, so many at once are not more than many in a row; one that
 *   succeeds clears the count, one that could not be made is given back.
 */
export class AttemptLimits {
  readonly #logins: Tally | null;
  readonly #mails: Tally | null;
  readonly #probes: Tally | null;
  readonly #invitations: Tally | null;
  /** Registrations that are being tried, by where they come from. */
  readonly #registering = new Map<string, number>();

  /** `settings` null: nothing is limited. */
  constructor(
    settings: Pick<LimitSettings, "login" | "mail" | "probe" | "invitation"> | null,
    shared: SharedCounts | null,
  ) {
    const tally = (name: string, bound: Bound | null | undefined): Tally | null =>
      bound === null || bound === undefined ? null : new Tally({ name, bound, shared });
    this.#logins = tally("login", settings?.login);
    this.#mails = tally("mail", settings?.mail);
    this.#probes = tally("probe", settings?.probe);
    this.#invitations = tally("invitation", settings?.invitation);
  }

  /** Makes an attempt at a password. Throws `rate_limited` in its place, or what it throws. */
  async password<T>(email: string, from: Attempter, attempt: () => Promise<T>): Promise<T> {
    const logins = this.#logins;
    if (logins === null) return attempt();
    const key = `${from.address ?? ""} ${email}`;
    const bucket = await spend(logins, key, "account", from);
    try {
      const result = await attempt();
      logins.clear(key);
      bucket.fullAtMs = performance.now();
      return result;
    } catch (error) {
      if (!isGuess(error)) logins.giveBack(key, bucket);
      throw error;
    } finally {
      from.showQuota?.(leftOf(logins, bucket, "account"));
    }
  }

  /**
   * A registration, which tells that an address is taken. Whoever was told so too often is refused
   * before it is known whether this one is. It counts from its beginning; one that told nothing is
   * given back. So while as many are tried as may be told something, one more is `busy`: nobody has
   * to wait long because others beside them register. Throws `rate_limited`, `busy`, or what
   * `attempt` throws.
   */
  async registration<T>(from: Attempter, attempt: () => Promise<T>): Promise<T> {
    const probes = this.#probes;
    if (probes === null) return attempt();
    const key = from.address ?? "";
    const others = this.#registering.get(key) ?? 0;
    if (others > 0 && probes.isEmpty(probes.at(key, performance.now()), performance.now())) {
      throw new ProblemError("busy");
    }
    this.#registering.set(key, others + 1);
    try {
      return await this.#register(probes, key, from, attempt);
    } finally {
      const left = (this.#registering.get(key) ?? 1) - 1;
      if (left > 0) this.#registering.set(key, left);
      else this.#registering.delete(key);
    }
  }

  async #register<T>(
    probes: Tally,
    key: string,
    from: Attempter,
    attempt: () => Promise<T>,
  ): Promise<T> {
    const bucket = await spend(probes, key, "address", from);
    let hasTold = false;
    try {
      return await attempt();
    } catch (error) {
      hasTold = isTelling(error);
      throw error;
    } finally {
      if (!hasTold) probes.giveBack(key, bucket);
    }
  }

  /** Something that may tell whether an account exists. Throws `rate_limited`. */
  async probe(from: Attempter): Promise<void> {
    if (this.#probes !== null) await spend(this.#probes, from.address ?? "", "address", from);
  }

  /** Somebody invites somebody else. Throws `rate_limited`. */
  async invitation(inviterId: string): Promise<void> {
    if (this.#invitations !== null) await spend(this.#invitations, inviterId, "user", {});
  }

  /** Whether one more mail may be sent to an address that did not ask for it itself. */
  async mayMail(email: string): Promise<boolean> {
    return this.#mails === null || count(this.#mails, email);
  }
}

/** Counts one; whether it was within the bound. */
async function count(tally: Tally, key: string): Promise<boolean> {
  const nowMs = performance.now();
  const bucket = tally.at(key, nowMs);
  if (tally.isEmpty(bucket, nowMs)) return false;
  tally.take(bucket, nowMs);
  return tally.confirm(key, bucket);
}

/** Counts one. Throws `rate_limited` when there is none left. */
async function spend(tally: Tally, key: string, scope: Scope, from: Attempter): Promise<Bucket> {
  const nowMs = performance.now();
  const bucket = tally.at(key, nowMs);
  if (tally.isEmpty(bucket, nowMs)) throw refused(tally, bucket, scope, from);
  tally.take(bucket, nowMs);
  if (await tally.confirm(key, bucket)) return bucket;
  throw refused(tally, bucket, scope, from);
}

function leftOf(tally: Tally, bucket: Bucket, scope: Scope, isAllowed = true): Quota {
  return quotaOf(isAllowed, scope, tally.bound, { bucket, nowMs: performance.now() });
}

function refused(tally: Tally, bucket: Bucket, scope: Scope, from: Attempter): ProblemError {
  const quota = leftOf(tally, bucket, scope, false);
  from.showQuota?.(quota);
  return new ProblemError("rate_limited", refusalMembers(quota));
}
