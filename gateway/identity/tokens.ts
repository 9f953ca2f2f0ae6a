import { createSigner, createVerifier, TokenError } from "fast-jwt";
import { FifoMap } from "../../engine/fifo-map.ts";
import { parseUserId, type UserId } from "../../engine/ids.ts";
import { ACCESS_TOKEN_SECONDS, REVOKED_MAX, TOKENS_CACHED_MAX } from "../../engine/limits.ts";
import type { HttpRequest } from "../http/exchange.ts";
import { ProblemError } from "../http/problem.ts";

export type Role = "admin" | "customer" | "guest";

/** Who makes a request. */
export interface Identity {
  readonly userId: UserId;
  readonly role: Role;
}

export interface AccessToken {
  readonly accessToken: string;
  /** Seconds. */
  readonly expiresIn: number;
}

interface Verified {
  readonly identity: Identity;
  /** The sign-in it came of (sessions.ts). */
  readonly sessionId: string;
  readonly expiresAtMs: number;
}

interface Remembered extends Verified {
  readonly authorization: string;
}

const ISSUER = "evently";
const ROLES: readonly Role[] = ["admin", "customer", "guest"];

/**
 * Signs and verifies access tokens (JWT, HS256).
 *
 * A verified header is remembered: a busy client pays for one signature, and then for look-ups.
 *
 * Invariants:
 * - Nothing is in the cache that was not verified here.
 * - A remembered token ends when it expires, to the millisecond, as any other.
 * - The cache has at most TOKENS_CACHED_MAX entries; the oldest goes first.
 * - Nothing is in the cache that was revoked: a remembered token is looked up and no more. At most
 *   REVOKED_MAX revocations are known, each for as long as a token lives.
 * - `#cachedOf` has what `#cache` has, and nothing else.
 */
export class Tokens {
  readonly #sign: (payload: Record<string, unknown>) => string;
  readonly #verify: (token: string) => unknown;
  readonly #now: () => number;
  readonly #cache = new FifoMap<string, Remembered>();
  /** What the cache has of each user, in the order of its coming. */
  readonly #cachedOf = new Map<UserId, Remembered[]>();
  /** Ids of sessions and users, with the time (Unix ms) at which their last token has expired. */
  readonly #revoked = new FifoMap<string, number>();
  #listener: (userId: UserId) => void = () => undefined;

  /** `now` gives Unix ms. */
  constructor(secret: string, now: () => number = Date.now) {
    this.#sign = createSigner({ algorithm: "HS256", key: secret });
    // Expiry is checked here, against the given clock, for remembered and new tokens alike.
    this.#verify = createVerifier({
      algorithms: ["HS256"],
      key: secret,
      allowedIss: ISSUER,
      ignoreExpiration: true,
      cache: false,
    });
    this.#now = now;
  }

  /** `revoked` hears of whom tokens have ended before their time, once none of them is good. */
  listen(revoked: (userId: UserId) => void): void {
    this.#listener = revoked;
  }

  issue({ userId, role }: Identity, sessionId: string): AccessToken {
    const iat = Math.floor(this.#now() / 1000);
    const exp = iat + ACCESS_TOKEN_SECONDS;
    const accessToken = this.#sign({ iss: ISSUER, sub: userId, role, sid: sessionId, iat, exp });
    return { accessToken, expiresIn: ACCESS_TOKEN_SECONDS };
  }

  /** Who the `Authorization` header speaks for; null: nobody, or no longer. */
  verify(authorization: string): Identity | null {
    const known = this.#cache.get(authorization) ?? this.#check(authorization);
    if (known === null) return null;
    if (this.#now() < known.expiresAtMs) return known.identity;
    const expired = this.#cache.get(authorization);
    if (expired !== undefined) this.#forget(expired);
    return null;
  }

  /**
   * The session that an access token came of, whether or not it is still good; null: the header has
   * no token of ours. Asked by who ends something, not by who lets somebody in.
   */
  sessionOf(authorization: string): { userId: UserId; sessionId: string } | null {
    const verified = parseClaims(this.#claimsOf(bearerOf(authorization)));
    return verified === null
      ? null
      : { userId: verified.identity.userId, sessionId: verified.sessionId };
  }

  /**
   * Ends the access tokens of some of a user's sessions, or all of the user's, those too that are
   * issued later. Costs what the user has in the cache, so nobody is slowed down by who logs out.
   */
  revoke(userId: UserId, sessionIds: readonly string[] | "all"): void {
    const nowMs = this.#now();
    for (const id of sessionIds === "all" ? [userId] : sessionIds) {
      this.#revoked.set(id, nowMs + ACCESS_TOKEN_SECONDS * 1000);
    }
    this.#forgetRevoked(nowMs);
    for (const known of [...(this.#cachedOf.get(userId) ?? [])]) {
      if (this.#isRevoked(known)) this.#forget(known);
    }
    this.#listener(userId);
  }

  #forgetRevoked(nowMs: number): void {
    let oldest = this.#revoked.oldestKey();
    while (oldest !== undefined) {
      const isOver = (this.#revoked.get(oldest) ?? 0) <= nowMs;
      if (!isOver && this.#revoked.size <= REVOKED_MAX) return;
      this.#revoked.delete(oldest);
      oldest = this.#revoked.oldestKey();
    }
  }

  #isRevoked({ identity, sessionId }: Verified): boolean {
    const isEnded = this.#revoked.get(sessionId) !== undefined;
    return isEnded || this.#revoked.get(identity.userId) !== undefined;
  }

  get cachedCount(): number {
    return this.#cache.size;
  }

  #check(authorization: string): Verified | null {
    const verified = parseClaims(this.#claimsOf(bearerOf(authorization)));
    if (verified === null || verified.expiresAtMs <= this.#now()) return null;
    if (this.#isRevoked(verified)) return null;
    this.#remember(authorization, verified);
    return verified;
  }

  /** Written out: an object made by spreading takes three times as long to read. */
  #remember(authorization: string, { identity, sessionId, expiresAtMs }: Verified): void {
    const known = { identity, sessionId, expiresAtMs, authorization };
    this.#cache.set(authorization, known);
    const theirs = this.#cachedOf.get(identity.userId);
    if (theirs === undefined) this.#cachedOf.set(identity.userId, [known]);
    else theirs.push(known);
    if (this.#cache.size <= TOKENS_CACHED_MAX) return;
    const oldest = this.#cache.get(this.#cache.oldestKey() ?? "");
    if (oldest !== undefined) this.#forget(oldest);
  }

  #forget(known: Remembered): void {
    const { userId } = known.identity;
    this.#cache.delete(known.authorization);
    const others = this.#cachedOf.get(userId)?.filter((one) => one !== known) ?? [];
    if (others.length === 0) this.#cachedOf.delete(userId);
    else this.#cachedOf.set(userId, others);
  }

  #claimsOf(token: string | undefined): unknown {
    if (token === undefined) return null;
    try {
      return this.#verify(token);
    } catch (error) {
      if (error instanceof TokenError) return null;
      throw error;
    }
  }
}

function bearerOf(authorization: string): string | undefined {
  return /^Bearer ([\w.-]{1,2000})$/i.exec(authorization)?.[1];
}

function parseClaims(claims: unknown): Verified | null {
  if (typeof claims !== "object" || claims === null) return null;
  if (!("sub" in claims && "role" in claims && "sid" in claims && "exp" in claims)) return null;
  const userId = parseUserId(claims.sub);
  const role = ROLES.find((known) => known === claims.role);
  if (userId === null || role === undefined || typeof claims.exp !== "number") return null;
  if (typeof claims.sid !== "string") return null;
  return { identity: { userId, role }, sessionId: claims.sid, expiresAtMs: claims.exp * 1000 };
}

/**
 * Who makes a request that needs no token; null: nobody in particular. Throws `unauthenticated` for
 * a token that is not good (any more): its owner wants to be told, and not to be taken for nobody.
 */
export function identityIfAny(tokens: Tokens, request: HttpRequest): Identity | null {
  return /^Bearer\b/i.test(request.authorization) ? requireIdentity(tokens, request) : null;
}

/** Who makes the request; throws `unauthenticated` when nobody does. */
export function requireIdentity(tokens: Tokens, request: HttpRequest): Identity {
  const identity = tokens.verify(request.authorization);
  if (identity === null) throw new ProblemError("unauthenticated");
  return identity;
}
