import { type Bound, type Bucket, tokensOut, waitMs } from "./token-buckets.ts";

/** Whose count it is: of the user of the token, of the address, of one account from one address. */
export type Scope = "user" | "address" | "account";

/** What is left of a bound, after something was counted or refused. */
export interface Quota {
  readonly isAllowed: boolean;
  readonly scope: Scope;
  readonly bound: Bound;
  readonly remaining: number;
  /** Until everything is there again; at least 1. */
  readonly resetSeconds: number;
  /** Until one is there again; at least 1. Of interest to who is refused. */
  readonly retrySeconds: number;
}

export interface CountedAt {
  /** null: nothing was counted. */
  readonly bucket: Bucket | null;
  readonly nowMs: number;
}

const seconds = (ms: number): number => Math.max(1, Math.ceil(ms / 1_000));

export function quotaOf(
  isAllowed: boolean,
  scope: Scope,
  bound: Bound,
  { bucket, nowMs }: CountedAt,
): Quota {
  const at = bucket ?? { fullAtMs: nowMs };
  return {
    isAllowed,
    scope,
    bound,
    remaining: isAllowed ? Math.max(0, bound.count - tokensOut(at, bound, nowMs)) : 0,
    resetSeconds: seconds(at.fullAtMs - nowMs),
    retrySeconds: isAllowed ? 1 : seconds(waitMs(at, bound, nowMs)),
  };
}

/** Members of the problem `rate_limited`. */
export function refusalMembers({ scope, bound, retrySeconds }: Quota) {
  return {
    scope,
    limit: bound.count,
    windowSeconds: bound.windowMs / 1_000,
    retryAt: new Date(Date.now() + retrySeconds * 1_000).toISOString(),
  };
}

/** Header lines of an answer, each behind a line break: the server writes them as one. */
export function quotaLines({ bound, remaining, resetSeconds }: Quota): string {
  return (
    `\r\nX-RateLimit-Limit: ${bound.count}` +
    `\r\nX-RateLimit-Remaining: ${remaining}\r\nX-RateLimit-Reset: ${resetSeconds}`
  );
}
