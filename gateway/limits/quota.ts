import type { Bound } from "./window-counts.ts";

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
}

export interface CountedAt {
  readonly used: number;
  readonly endsMs: number;
  readonly nowMs: number;
}

export function quotaOf(isAllowed: boolean, scope: Scope, bound: Bound, at: CountedAt): Quota {
  return {
    isAllowed,
    scope,
    bound,
    remaining: isAllowed ? Math.max(0, bound.count - at.used) : 0,
    resetSeconds: Math.max(1, Math.ceil((at.endsMs - at.nowMs) / 1_000)),
  };
}

/** Members of the problem `rate_limited`. */
export function refusalMembers({ scope, bound, resetSeconds }: Quota) {
  return {
    scope,
    limit: bound.count,
    windowSeconds: bound.windowMs / 1_000,
    retryAt: new Date(Date.now() + resetSeconds * 1_000).toISOString(),
  };
}

/** Header lines of an answer, each behind a line break: the server writes them as one. */
export function quotaLines({ bound, remaining, resetSeconds }: Quota): string {
  return (
    `\r\nX-RateLimit-Limit: ${bound.count}` +
    `\r\nX-RateLimit-Remaining: ${remaining}\r\nX-RateLimit-Reset: ${resetSeconds}`
  );
}
