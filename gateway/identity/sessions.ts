import { randomBytes } from "node:crypto";
import { type UserId, uuidV7 } from "../../engine/ids.ts";
import { REFRESH_TOKEN_SECONDS, SESSIONS_PER_USER_MAX } from "../../engine/limits.ts";
import { ProblemError } from "../http/problem.ts";
import type { Database } from "../tenancy/database.ts";
import { person, platform } from "../tenancy/scope.ts";
import { digestOf, freshOpaqueToken } from "./opaque-token.ts";
import type { Tokens } from "./tokens.ts";

/** A sign-in as it goes on: the family's id and the one refresh token that is good now. */
export interface Session {
  readonly sessionId: string;
  readonly userId: UserId;
  readonly refreshToken: string;
}

interface FamilyRow {
  readonly id: string;
  readonly user_id: UserId;
}

export const freshSessionId = (): string => uuidV7(Date.now(), randomBytes(10));

const SHOWN_TOKENS = platform("identity", "a refresh token is all that says whose it is");

const LIFETIME = `make_interval(secs => ${REFRESH_TOKEN_SECONDS})`;

/**
 * Families of refresh tokens in PostgreSQL.
 *
 * Invariants:
 * - Of each family one token is good, and is exchanged at most once, however many try at a time.
 * - A token that was exchanged before ends its whole family: one of the two who have it is a thief.
 *   There is no grace for who lost the answer: they sign in again.
 * - With a family end its access tokens, at once on this node, elsewhere when they expire.
 */
export class Sessions {
  readonly #database: Database;
  readonly #tokens: Pick<Tokens, "revoke">;

  constructor(database: Database, tokens: Pick<Tokens, "revoke">) {
    this.#database = database;
    this.#tokens = tokens;
  }

  /**
   * `passwordHash`: what the user signed in with; throws `invalid_credentials` if it is theirs no
   * more. Of too many families of one user, the oldest ends.
   */
  async begin(userId: UserId, passwordHash: string | null = null): Promise<Session> {
    const sessionId = freshSessionId();
    const refreshToken = freshOpaqueToken();
    const { rows } = await this.#database.in(person(userId)).query<FamilyRow>(
      `WITH surplus AS (
         DELETE FROM refresh_families WHERE id IN (
           SELECT id FROM refresh_families WHERE user_id = $2
           ORDER BY created_at DESC OFFSET $4)
         RETURNING id, user_id
       ), begun AS (
         INSERT INTO refresh_families (id, user_id, digest, expires_at)
         SELECT $1, id, $3, now() + ${LIFETIME} FROM users
         WHERE id = $2 AND ($5::text IS NULL OR password_hash = $5) FOR SHARE
         RETURNING id, user_id
       )
       SELECT * FROM begun UNION ALL SELECT * FROM surplus`,
      [sessionId, userId, digestOf(refreshToken), SESSIONS_PER_USER_MAX - 1, passwordHash],
    );
    const ended = rows.filter(({ id }) => id !== sessionId);
    this.#revoke(ended);
    if (ended.length === rows.length) throw new ProblemError("invalid_credentials");
    return { sessionId, userId, refreshToken };
  }

  /** Exchanges a token for the next one. Throws `unauthenticated`. */
  async rotate(token: string): Promise<Session> {
    const digest = digestOf(token);
    const refreshToken = freshOpaqueToken();
    // The update waits for another one of the same row, and then finds another digest in it.
    const { rows } = await this.#database.in(SHOWN_TOKENS).query<FamilyRow>(
      `WITH rotated AS (
         UPDATE refresh_families SET digest = $2, expires_at = now() + ${LIFETIME}
         WHERE digest = $1 AND expires_at > now() RETURNING id, user_id
       ), spent AS (
         INSERT INTO spent_refresh_tokens (digest, family_id) SELECT $1, id FROM rotated
       )
       SELECT id, user_id FROM rotated`,
      [digest, digestOf(refreshToken)],
    );
    const [row] = rows;
    if (row !== undefined) return { sessionId: row.id, userId: row.user_id, refreshToken };
    await this.#endFamilyOfSpent(digest);
    throw new ProblemError("unauthenticated", { detail: "The refresh token is not valid" });
  }

  /** Ends the family that a refresh token belongs to, whether it is the good one or an old one. */
  async endByToken(token: string): Promise<void> {
    const digest = digestOf(token);
    const { rows } = await this.#database
      .in(SHOWN_TOKENS)
      .query<FamilyRow>("DELETE FROM refresh_families WHERE digest = $1 RETURNING id, user_id", [
        digest,
      ]);
    this.#revoke(rows);
    if (rows.length === 0) await this.#endFamilyOfSpent(digest);
  }

  async end(sessionId: string, userId: UserId): Promise<void> {
    this.#tokens.revoke(userId, [sessionId]);
    const rows = this.#database.in(person(userId));
    await rows.query("DELETE FROM refresh_families WHERE id = $1", [sessionId]);
  }

  async #endFamilyOfSpent(digest: Buffer): Promise<void> {
    const { rows } = await this.#database.in(SHOWN_TOKENS).query<FamilyRow>(
      `DELETE FROM refresh_families f USING spent_refresh_tokens s
       WHERE s.digest = $1 AND f.id = s.family_id RETURNING f.id, f.user_id`,
      [digest],
    );
    this.#revoke(rows);
  }

  #revoke(ended: readonly FamilyRow[]): void {
    for (const { id, user_id: userId } of ended) this.#tokens.revoke(userId, [id]);
  }
}
