import type { UserId } from "../../engine/ids.ts";
import { RESET_TOKEN_SECONDS, VERIFY_TOKEN_SECONDS } from "../../engine/limits.ts";
import type { Database, Queries } from "../tenancy/database.ts";
import { person, platform } from "../tenancy/scope.ts";
import { digestOf, freshOpaqueToken } from "./opaque-token.ts";

export type MailedPurpose = "verify_email" | "reset_password";

/** Of what is done by who shows such a token, too. */
export const MAILED_TOKENS = platform("identity", "a mailed token is all that says whose it is");

const SECONDS: Readonly<Record<MailedPurpose, number>> = {
  verify_email: VERIFY_TOKEN_SECONDS,
  reset_password: RESET_TOKEN_SECONDS,
};

/**
 * Tokens that are mailed to an account's address.
 *
 * Invariants: a token does one thing, for one account, once, until it expires; the database has no
 * token, only what it is recognised by.
 */
export class MailedTokens {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  async issue(userId: UserId, purpose: MailedPurpose): Promise<string> {
    const token = freshOpaqueToken();
    await this.#database.in(person(userId)).query(
      `INSERT INTO mailed_tokens (digest, user_id, purpose, expires_at)
       VALUES ($1, $2, $3, now() + make_interval(secs => $4))`,
      [digestOf(token), userId, purpose, SECONDS[purpose]],
    );
    return token;
  }

  /** Whether the token would be taken now. */
  async isGood(token: string, purpose: MailedPurpose): Promise<boolean> {
    const { rows } = await this.#database
      .in(MAILED_TOKENS)
      .query(
        "SELECT FROM mailed_tokens WHERE digest = $1 AND purpose = $2 AND expires_at > now()",
        [digestOf(token), purpose],
      );
    return rows.length > 0;
  }

  /**
   * Takes the token, and with it all others of its account and purpose, in the transaction of what
   * it lets be done; null: it is not good.
   */
  async take(token: string, purpose: MailedPurpose, client: Queries): Promise<UserId | null> {
    const { rows } = await client.query<{ user_id: UserId }>(
      `DELETE FROM mailed_tokens WHERE digest = $1 AND purpose = $2 AND expires_at > now()
       RETURNING user_id`,
      [digestOf(token), purpose],
    );
    const [row] = rows;
    if (row === undefined) return null;
    await client.query("DELETE FROM mailed_tokens WHERE user_id = $1 AND purpose = $2", [
      row.user_id,
      purpose,
    ]);
    return row.user_id;
  }
}
