import type { UserId } from "../../engine/ids.ts";
import type { Database, Queries } from "../tenancy/database.ts";
import { person } from "../tenancy/scope.ts";
import { MAILED_TOKENS, type MailedTokens } from "./mailed-tokens.ts";
import type { Passwords } from "./passwords.ts";
import type { Tokens } from "./tokens.ts";
import { type User, type UserRow, userOf } from "./users.ts";

export interface CredentialsPorts {
  readonly database: Database;
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
    const { database, mailedTokens } = this.#ports;
    return database.in(MAILED_TOKENS).transaction(async (client) => {
      const userId = await mailedTokens.take(token, "verify_email", client);
      if (userId === null) return null;
      await lockInvitingOrganizations(client, userId);
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
    const { database, passwords, mailedTokens } = this.#ports;
    // Only who has a token is worth a hash.
    if (!(await mailedTokens.isGood(token, "reset_password"))) return null;
    const hash = await passwords.hash(password);
    const changed = await database.in(MAILED_TOKENS).transaction(async (client) => {
      const userId = await mailedTokens.take(token, "reset_password", client);
      if (userId === null) return null;
      await lockInvitingOrganizations(client, userId);
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
    const rows = this.#ports.database.in(person(userId));
    return this.#done(await rows.transaction((client) => setPassword(client, change)));
  }

  #done(changed: Changed | null): User | null {
    if (changed === null) return null;
    this.#ports.tokens.revoke(changed.user.id, changed.endedSessions);
    return changed.user;
  }
}

/** Whoever takes an invitation back locks its organisation first, too. */
async function lockInvitingOrganizations(client: Queries, userId: UserId): Promise<void> {
  await client.query(
    `SELECT FROM organizations WHERE id IN (
       SELECT i.organization_id FROM organization_invitations i
       JOIN users u ON u.email = i.email WHERE u.id = $1)
     ORDER BY id FOR UPDATE`,
    [userId],
  );
}

/** Whoever reads the mail of an address has the roles that it was given. */
async function acceptInvitations(
  client: Queries,
  { id, email }: Pick<UserRow, "id" | "email">,
): Promise<void> {
  await client.query(
    `WITH accepted AS (
       DELETE FROM organization_invitations
       WHERE email = $2 AND expires_at > now() RETURNING organization_id, role
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
  client: Queries,
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
