import { createSigner, createVerifier, TokenError } from "fast-jwt";
import { FifoMap } from "../../engine/fifo-map.ts";
import { parseUserId, type UserId } from "../../engine/ids.ts";
import { TOKENS_CACHED_MAX } from "../../engine/limits.ts";
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
  readonly expiresAtMs: number;
}

const ACCESS_TOKEN_SECONDS = 30 * 60;
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
 */
export class Tokens {
  readonly #sign: (payload: Record<string, unknown>) => string;
  readonly #verify: (token: string) => unknown;
  readonly #now: () => number;
  readonly #cache = new FifoMap<string, Verified>();

  /** `now` gives Unix ms. */
  constructor(secret: string, now: () => number = Date.now) {
    this.#sign = createSigner({ algorithm: "HS256", key: secret, noTimestamp: true });
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

  issue({ userId, role }: Identity): AccessToken {
    const iat = Math.floor(this.#now() / 1000);
    const exp = iat + ACCESS_TOKEN_SECONDS;
    const accessToken = this.#sign({ iss: ISSUER, sub: userId, role, iat, exp });
    return { accessToken, expiresIn: ACCESS_TOKEN_SECONDS };
  }

  /** Who the `Authorization` header speaks for; null: nobody, or no longer. */
  verify(authorization: string): Identity | null {
    const known = this.#cache.get(authorization) ?? this.#check(authorization);
    if (known === null) return null;
    if (this.#now() < known.expiresAtMs) return known.identity;
    this.#cache.delete(authorization);
    return null;
  }

  get cachedCount(): number {
    return this.#cache.size;
  }

  #check(authorization: string): Verified | null {
    const token = /^Bearer ([\w.-]{1,2000})$/i.exec(authorization)?.[1];
    if (token === undefined) return null;
    const verified = parseClaims(this.#claimsOf(token));
    if (verified === null || verified.expiresAtMs <= this.#now()) return null;
    this.#cache.set(authorization, verified);
    if (this.#cache.size <= TOKENS_CACHED_MAX) return verified;
    const oldest = this.#cache.oldestKey();
    if (oldest !== undefined) this.#cache.delete(oldest);
    return verified;
  }

  #claimsOf(token: string): unknown {
    try {
      return this.#verify(token);
    } catch (error) {
      if (error instanceof TokenError) return null;
      throw error;
    }
  }
}

function parseClaims(claims: unknown): Verified | null {
  if (typeof claims !== "object" || claims === null) return null;
  if (!("sub" in claims && "role" in claims && "exp" in claims)) return null;
  const userId = parseUserId(claims.sub);
  const role = ROLES.find((known) => known === claims.role);
  if (userId === null || role === undefined || typeof claims.exp !== "number") return null;
  return { identity: { userId, role }, expiresAtMs: claims.exp * 1000 };
}

/** Who makes the request; throws `unauthenticated` when nobody does. */
export function requireIdentity(tokens: Tokens, request: HttpRequest): Identity {
  const identity = tokens.verify(request.authorization);
  if (identity === null) throw new ProblemError("unauthenticated");
  return identity;
}
