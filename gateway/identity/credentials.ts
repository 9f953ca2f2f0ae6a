import type { UserId } from "../../engine/ids.ts";
import type { Database, Queries } from "../tenancy/database.ts";
import { person } from "../tenancy/scope.ts";
import { MAILED_TOKENS, type MailedTokens } from "./mailed-tokens.ts";
import type { Passwords } from "./passwords.ts";
import type { Tokens } from "./tokens.ts";
import { NO_PASSWORD, type User, type UserRow, userOf } from "./users.ts";

export interface CredentialsPorts {
  readonly database: Database;
  readonly passwords: Passwords;
  readonly mailedTokens: MailedTokens;
  readonly tokens: Pick<Tokens, "revoke">;
}

/** By whom the password is changed. */
export interface PasswordOwner {
  readonly userId: UserId;
  /** Of the password that they know. */
  readonly passwordHash: string;
  /** The sign-in that goes on; null: none does. */
  readonly keptSession: string | null;
}

/**
 * Changes what an account is recognised by.
 *
 * Invariants:
 * - With a new password, or none any more, all families of the account end, in the same
 *   transaction; a sign-in or a change with the old one that is under way finds another password,
 *   and is none (Sessions.begin).
 * - An account owns its address only by who reads its mail and either is signed in to it, or sets
 *   its password with that mail, or has ended all that was set before.
 */
export class Credentials {
  readonly #ports: CredentialsPorts;

  constructor(ports: CredentialsPorts) {
    this.#ports = ports;
  }

  /**
   * The mail is read. Whose account it is, only `signedInAs` can tell: a stranger may have
   * registered it. null: the token is not good, or not any more.
   */
  verifyEmail(token: string, signedInAs: UserId | null): Promise<User | null> {
    const { database, mailedTokens } = this.#ports;
    return database.in(MAILED_TOKENS).transaction(async (client) => {
      const userId = await mailedTokens.take(token, "verify_email", client);
      if (userId === null) return null;
      const isTheirs = userId === signedInAs;
      if (isTheirs) await lockInvitingOrganizations(client, userId);
      const { rows } = await client.query<UserRow>(
        `UPDATE users SET email_verified_at = COALESCE(email_verified_at, now()),
           address_owned_at = COALESCE(address_owned_at, CASE WHEN $2 THEN now() END)
         WHERE id = $1 RETURNING *`,
        [userId, isTheirs],
      );
      const [row] = rows;
      if (row === undefined) return null;
      if (isTheirs) await acceptInvitations(client, row);
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
      return setPassword(client, { userId, hash, knownHash: null, keptSession: null });
    });
    return this.#done(changed);
  }

  /**
   * Sets the password of somebody who is signed in, and ends all other sign-ins. null: the one that
   * they know is not the account's any more.
   */
  async changePassword(owner: PasswordOwner, password: string): Promise<User | null> {
    const hash = await this.#ports.passwords.hash(password);
    const { userId, passwordHash: knownHash, keptSession } = owner;
    const change = { userId, hash, knownHash, keptSession };
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

/** Whoever owns an address has the roles that it was given. */
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

/** What became of an account when who reads its mail showed that. */
export interface Owned {
  readonly user: User;
  /** Nobody knows a password of it: it is set by mail. */
  readonly passwordNeeded: boolean;
  readonly endedSessions: readonly string[];
}

/**
 * Who reads the mail of an address has its account. Where that was not shown before, and they are
 * not signed in to it, whoever registered it may be a stranger: their password and their sign-ins
 * end. null: there is no account. Two statements, as in `setPassword`.
 */
export async function ownByMail(
  client: Queries,
  email: string,
  signedInAs: UserId | null,
): Promise<Owned | null> {
  const { rows } = await client.query<UserRow>(
    `UPDATE users SET email_verified_at = COALESCE(email_verified_at, now()),
       address_owned_at = COALESCE(address_owned_at, now()),
       password_hash = CASE WHEN address_owned_at IS NOT NULL OR id = $2 THEN password_hash
                            ELSE $3 END
     WHERE email = $1 RETURNING *`,
    [email, signedInAs, NO_PASSWORD],
  );
  const [row] = rows;
  if (row === undefined) return null;
  const user = userOf(row);
  if (row.password_hash !== NO_PASSWORD) return { user, passwordNeeded: false, endedSessions: [] };
  const ended = await client.query<{ id: string }>(
    "DELETE FROM refresh_families WHERE user_id = $1 RETURNING id",
    [row.id],
  );
  return { user, passwordNeeded: true, endedSessions: ended.rows.map(({ id }) => id) };
}

interface PasswordChange {
  readonly userId: UserId;
  readonly hash: string;
  /** Of the password that is replaced; null: whichever it is, since a mail was read. */
  readonly knownHash: string | null;
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
  { userId, hash, knownHash, keptSession }: PasswordChange,
): Promise<Changed | null> {
  const { rows } = await client.query<UserRow>(
    `UPDATE users SET password_hash = $2,
       email_verified_at = COALESCE(email_verified_at, CASE WHEN $3::text IS NULL THEN now() END),
       address_owned_at = COALESCE(address_owned_at, CASE WHEN $3::text IS NULL THEN now() END)
     WHERE id = $1 AND ($3::text IS NULL OR password_hash = $3) RETURNING *`,
    [userId, hash, knownHash],
  );
  const [row] = rows;
  if (row === undefined) return null;
  if (knownHash === null) await acceptInvitations(client, row);
  const ended = await client.query<{ id: string }>(
    "DELETE FROM refresh_families WHERE user_id = $1 AND id IS DISTINCT FROM $2 RETURNING id",
    [userId, keptSession],
  );
  return { user: userOf(row), endedSessions: ended.rows.map(({ id }) => id) };
}
