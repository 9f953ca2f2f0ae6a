import type { UserId } from "../../engine/ids.ts";
import { ProblemError } from "../http/problem.ts";
import type { Database, Queries } from "../tenancy/database.ts";
import { person } from "../tenancy/scope.ts";
import { type User, type UserRow, userOf } from "./users.ts";

/** Absent: it stays as it is. */
export interface NameChanges {
  readonly firstName?: string | null | undefined;
  readonly lastName?: string | null | undefined;
}

/** An organisation that somebody belongs to. */
export interface Membership {
  readonly organizationId: string;
  readonly organization: string;
  readonly role: string;
}

/** What people do with their own accounts. */
export class Accounts {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  /** null: there is no such account. */
  async rename(userId: UserId, { firstName, lastName }: NameChanges): Promise<User | null> {
    const { rows } = await this.#database.in(person(userId)).query<UserRow>(
      `UPDATE users SET first_name = CASE WHEN $2 THEN $3 ELSE first_name END,
         last_name = CASE WHEN $4 THEN $5 ELSE last_name END
       WHERE id = $1 RETURNING *`,
      [userId, firstName !== undefined, firstName, lastName !== undefined, lastName],
    );
    return rows[0] === undefined ? null : userOf(rows[0]);
  }

  async membershipsOf(userId: UserId): Promise<Membership[]> {
    const { rows } = await this.#database.in(person(userId)).query<Membership>(
      `SELECT o.id AS "organizationId", o.name AS organization, m.role
       FROM organization_members m JOIN organizations o ON o.id = m.organization_id
       WHERE m.user_id = $1 ORDER BY o.id`,
      [userId],
    );
    return rows;
  }

  /** When and until when somebody is signed in. */
  async sessionsOf(userId: UserId): Promise<{ since: Date; until: Date }[]> {
    const { rows } = await this.#database.in(person(userId)).query<{ since: Date; until: Date }>(
      `SELECT created_at AS since, expires_at AS until FROM refresh_families
       WHERE user_id = $1 ORDER BY created_at`,
      [userId],
    );
    return rows;
  }

  /**
   * Throws `last_owner` where others would be left without an owner: they must have another one
   * first. An organisation without other members stays, for administrators.
   */
  async requireNotLastOwner(userId: UserId): Promise<void> {
    await refuseLastOwner(this.#database.in(person(userId)), userId);
  }

  /** The history says to whom a booking was handed over: not by address any more. */
  async forgetInHistory(userId: UserId): Promise<void> {
    await this.#database.in(person(userId)).query("SELECT forget_asker_in_history()");
  }

  /**
   * Removes the account, and, if it owns its address, that wherever else it is; false: there is
   * none. What they booked keeps their id, which leads to nobody. Throws `last_owner`.
   */
  remove(userId: UserId): Promise<boolean> {
    return this.#database.in(person(userId)).transaction(async (client) => {
      // Whoever changes the members of an organisation locks it: nobody becomes the last one now.
      await client.query(
        `SELECT FROM organizations WHERE id IN (
           SELECT organization_id FROM organization_members WHERE user_id = $1)
         ORDER BY id FOR UPDATE`,
        [userId],
      );
      const { rows } = await client.query<UserRow>("SELECT * FROM users WHERE id = $1 FOR UPDATE", [
        userId,
      ]);
      const [row] = rows;
      if (row === undefined) return false;
      await refuseLastOwner(client, userId);
      await client.query("DELETE FROM organization_members WHERE user_id = $1", [userId]);
      // Only an owner's: what waits for whoever owns the address is not a stranger's to remove.
      if (row.address_owned_at !== null) {
        await client.query("DELETE FROM organization_invitations WHERE email = $1", [row.email]);
        await client.query("DELETE FROM heirs WHERE email = $1", [row.email]);
      }
      await client.query("SELECT forget_asker_in_campaigns()");
      await client.query("DELETE FROM users WHERE id = $1", [userId]);
      return true;
    });
  }
}

async function refuseLastOwner(client: Queries, userId: UserId): Promise<void> {
  const { rows } = await client.query<{ id: string }>(
    `SELECT organization_id AS id FROM organization_members me
     WHERE user_id = $1 AND role = 'owner'
       AND EXISTS (SELECT FROM organization_members other
         WHERE other.organization_id = me.organization_id AND other.user_id <> $1)
       AND NOT EXISTS (SELECT FROM organization_members other
         WHERE other.organization_id = me.organization_id AND other.user_id <> $1
           AND other.role = 'owner')
     ORDER BY id`,
    [userId],
  );
  if (rows.length === 0) return;
  throw new ProblemError("last_owner", { organizationIds: rows.map(({ id }) => id) });
}
