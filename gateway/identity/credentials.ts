import type { Pool, PoolClient } from "pg";
import type { UserId } from "../../engine/ids.ts";
import { inTransaction } from "../payments/transaction.ts";
import type { MailedTokens } from "./mailed-tokens.ts";
import type { Passwords } from "./passwords.ts";
import type { Tokens } from "./tokens.ts";
import { type User, type UserRow, userOf } from "./users.ts";

export interface CredentialsPorts {
  readonly pool: Pool;
  readonly passwords: Passwords;
  readonly mailedTokens: MailedTokens;
  readonly tokens: Pick<Tokens, "revoke">;
}

/**
 * Changes what an account is recognised by.
 *
 * Invariant: with a new password all families of the account end, in the same transaction; a
 * sign-in with the old one that is under way finds another password and begins none
 * (Sessions.begin).
 */
export class Credentials {
  readonly #ports: CredentialsPorts;

  constructor(ports: CredentialsPorts) {
    this.#ports = ports;
  }

  /** null: the token is not good, or not any more. */
  verifyEmail(token: string): Promise<User | null> {
    const { pool, mailedTokens } = this.#ports;
    return inTransaction(pool, async (client) => {
      const userId = await mailedTokens.take(token, "verify_email", client);
      if (userId === null) return null;
      const { rows } = await client.query<UserRow>(
        `UPDATE users SET email_verified_at = COALESCE(email_verified_at, now())
         WHERE id = $1 RETURNING *`,
        [userId],
      );
      const [row] = rows;
      if (row === undefined) return null;
      await acceptInvitations(client, row);
      return userOf(row);
    });
  }

  /**
   * Sets the password, and ends all sign-ins. Whoever reads the account's mail has shown it with
   * this. null: the token is not good, or not any more.
   */
  async resetPassword(token: string, password: string): Promise<User | null> {
    const { pool, passwords, mailedTokens } = this.#ports;
    // Only who has a token is worth a hash.
    if (!(await mailedTokens.isGood(token, "reset_password"))) return null;
    const hash = await passwords.hash(password);
    const changed = await inTransaction(pool, async (client) => {
      const userId = await mailedTokens.take(token, "reset_password", client);
      if (userId === null) return null;
      return setPassword(client, { userId, hash, isMailRead: true, keptSession: null });
    });
    return this.#done(changed);
  }

  /** Sets the password of somebody who is signed in, and ends all other sign-ins. */
  async changePassword(
    userId: UserId,
    password: string,
    keptSession: string | null,
  ): Promise<User | null> {
    const hash = await this.#ports.passwords.hash(password);
    const change = { userId, hash, isMailRead: false, keptSession };
    return this.#done(
      await inTransaction(this.#ports.pool, (client) => setPassword(client, change)),
    );
  }

  #done(changed: Changed | null): User | null {
    if (changed === null) return null;
    this.#ports.tokens.revoke(changed.user.id, changed.endedSessions);
    return changed.user;
  }
}

/** Whoever reads the mail of an address has the roles that it was given. */
async function acceptInvitations(
  client: Pick<PoolClient, "query">,
  { id, email }: Pick<UserRow, "id" | "email">,
): Promise<void> {
  await client.query(
    `WITH accepted AS (
       DELETE FROM organization_invitations WHERE email = $2 RETURNING organization_id, role
     )
     INSERT INTO organization_members (organization_id, user_id, role)
     SELECT organization_id, $1, role FROM accepted ON CONFLICT DO NOTHING`,
    [id, email],
  );
}

interface PasswordChange {
  readonly userId: UserId;
  readonly hash: string;
  /** It rests on a mail that was read. */
  readonly isMailRead: boolean;
  /** The family that goes on; null: none does. */
  readonly keptSession: string | null;
}

interface Changed {
  readonly user: User;
  readonly endedSessions: readonly string[];
}

/** Two statements: the second one sees every family that began before the account was locked. */
async function setPassword(
  client: Pick<PoolClient, "query">,
  { userId, hash, isMailRead, keptSession }: PasswordChange,
): Promise<Changed | null> {
  const { rows } = await client.query<UserRow>(
    `UPDATE users SET password_hash = $2,
       email_verified_at = COALESCE(email_verified_at, CASE WHEN $3 THEN now() END)
     WHERE id = $1 RETURNING *`,
    [userId, hash, isMailRead],
  );
  const [row] = rows;
  if (row === undefined) return null;
  if (isMailRead) await acceptInvitations(client, row);
  const ended = await client.query<{ id: string }>(
    "DELETE FROM refresh_families WHERE user_id = $1 AND id IS DISTINCT FROM $2 RETURNING id",
    [userId, keptSession],
  );
  return { user: userOf(row), endedSessions: ended.rows.map(({ id }) => id) };
}
