import type { Pool, PoolClient } from "pg";
import { type OrganizationId, parseOrganizationId, type UserId } from "../../engine/ids.ts";
import { MEMBERS_PER_ORGANIZATION_MAX } from "../../engine/limits.ts";
import { ProblemError } from "../http/problem.ts";
import type { Identity } from "../identity/tokens.ts";
import { inTransaction } from "../payments/transaction.ts";
import type { MemberRole } from "./organizations.ts";

/**
 * Somebody who acts for an organisation. Nothing here tells whether there is an account with the
 * address: whoever may add members could otherwise ask for any address.
 */
export interface Member {
  readonly userId: UserId;
  readonly email: string;
  readonly role: MemberRole;
}

export interface MembersPorts {
  readonly pool: Pool;
  /** The id that the account of an address has, or will have. */
  readonly userIdOf: (email: string) => Promise<UserId>;
}

type Client = Pick<PoolClient, "query">;

/** Members, and those who were invited under an address that no account has yet. */
const EVERYBODY = `
  SELECT m.user_id, u.email, m.role FROM organization_members m
  JOIN users u ON u.id = m.user_id WHERE m.organization_id = $1
  UNION ALL
  SELECT i.user_id, i.email, i.role FROM organization_invitations i WHERE i.organization_id = $1`;

/**
 * Who acts for an organisation, in PostgreSQL.
 *
 * Invariants:
 * - An organisation that has an owner keeps one: every change locks the organisation first.
 * - Who has no account yet has the role once they have shown that the address is theirs.
 */
export class Members {
  readonly #ports: MembersPorts;

  constructor(ports: MembersPorts) {
    this.#ports = ports;
  }

  /** For those who sell for it. Ordered by id, after `after`. */
  async list(
    identity: Identity,
    id: string,
    { limit, after }: { readonly limit: number; readonly after: UserId | null },
  ): Promise<Member[]> {
    const { pool } = this.#ports;
    const organizationId = await requireRole(pool, identity, id, ["owner", "organizer"]);
    const { rows } = await pool.query<{ user_id: UserId; email: string; role: MemberRole }>(
      `SELECT * FROM (${EVERYBODY}) everybody
       WHERE $2::uuid IS NULL OR user_id > $2 ORDER BY user_id LIMIT $3`,
      [organizationId, after, limit],
    );
    return rows.map(({ user_id: userId, email, role }) => ({ userId, email, role }));
  }

  /** For owners. Throws `already_member`, and `limit_exceeded` when there are too many. */
  async add(
    identity: Identity,
    id: string,
    { email, role }: Pick<Member, "email" | "role">,
  ): Promise<Member> {
    const userId = await this.#ports.userIdOf(email);
    return this.#change(identity, id, async (client, organizationId) => {
      const { rows } = await client.query<{ user_id: UserId }>(EVERYBODY, [organizationId]);
      if (rows.some(({ user_id }) => user_id === userId)) throw new ProblemError("already_member");
      if (rows.length >= MEMBERS_PER_ORGANIZATION_MAX) {
        const limit = MEMBERS_PER_ORGANIZATION_MAX;
        throw new ProblemError("limit_exceeded", { limit, current: rows.length });
      }
      // Locked, the account can't go meanwhile.
      const account = await client.query("SELECT FROM users WHERE id = $1 FOR KEY SHARE", [userId]);
      if (account.rowCount === 0) {
        await client.query(
          `INSERT INTO organization_invitations (organization_id, email, user_id, role)
           VALUES ($1, $2, $3, $4)`,
          [organizationId, email, userId, role],
        );
      } else {
        await client.query("INSERT INTO organization_members VALUES ($1, $2, $3)", [
          organizationId,
          userId,
          role,
        ]);
      }
      return { userId, email, role };
    });
  }

  /** For owners. Throws `member_not_found` and `last_owner`. */
  setRole(identity: Identity, id: string, userId: UserId | null, role: MemberRole) {
    return this.#change(identity, id, async (client, organizationId): Promise<Member> => {
      const member = await find(client, organizationId, userId);
      await refuseWithoutOwner(client, organizationId, { ...member, role });
      for (const table of ["organization_members", "organization_invitations"]) {
        await client.query(
          `UPDATE ${table} SET role = $3 WHERE organization_id = $1 AND user_id = $2`,
          [organizationId, member.userId, role],
        );
      }
      return { ...member, role };
    });
  }

  /** For owners, and for whoever leaves. Throws `member_not_found` and `last_owner`. */
  async remove(identity: Identity, id: string, userId: UserId | null): Promise<void> {
    const isLeaving = userId === identity.userId;
    const roles: MemberRole[] = isLeaving ? ["owner", "organizer", "staff"] : ["owner"];
    await this.#change(
      identity,
      id,
      async (client, organizationId) => {
        const member = await find(client, organizationId, userId);
        await refuseWithoutOwner(client, organizationId, { ...member, role: null });
        for (const table of ["organization_members", "organization_invitations"]) {
          await client.query(`DELETE FROM ${table} WHERE organization_id = $1 AND user_id = $2`, [
            organizationId,
            member.userId,
          ]);
        }
      },
      roles,
    );
  }

  #change<T>(
    identity: Identity,
    id: string,
    work: (client: Client, organizationId: OrganizationId) => Promise<T>,
    roles: readonly MemberRole[] = ["owner"],
  ): Promise<T> {
    return inTransaction(this.#ports.pool, async (client) => {
      await client.query("SELECT FROM organizations WHERE id = $1 FOR UPDATE", [
        parseOrganizationId(id),
      ]);
      return work(client, await requireRole(client, identity, id, roles));
    });
  }
}

/** Strangers learn nothing of an organisation: for them there is none. */
async function requireRole(
  client: Client,
  { userId, role }: Identity,
  id: string,
  roles: readonly MemberRole[],
): Promise<OrganizationId> {
  const organizationId = parseOrganizationId(id);
  const { rows } = await client.query<{ role: MemberRole | null }>(
    `SELECT m.role FROM organizations o
     LEFT JOIN organization_members m ON m.organization_id = o.id AND m.user_id = $2
     WHERE o.id = $1`,
    [organizationId, userId],
  );
  const [found] = rows;
  if (organizationId === null || found === undefined) {
    throw new ProblemError("organization_not_found");
  }
  if (role === "admin") return organizationId;
  if (found.role === null) throw new ProblemError("organization_not_found");
  if (!roles.includes(found.role)) throw new ProblemError("forbidden");
  return organizationId;
}

async function find(
  client: Client,
  organizationId: OrganizationId,
  userId: UserId | null,
): Promise<Member> {
  const { rows } = await client.query<{ user_id: UserId; email: string; role: MemberRole }>(
    `SELECT * FROM (${EVERYBODY}) everybody WHERE user_id = $2`,
    [organizationId, userId],
  );
  const [row] = rows;
  if (row === undefined) throw new ProblemError("member_not_found");
  return { userId: row.user_id, email: row.email, role: row.role };
}

/** Invited owners don't count: they may never come. */
async function refuseWithoutOwner(
  client: Client,
  organizationId: OrganizationId,
  { userId, role }: { readonly userId: UserId; readonly role: MemberRole | null },
): Promise<void> {
  if (role === "owner") return;
  const { rows } = await client.query<{ user_id: UserId }>(
    "SELECT user_id FROM organization_members WHERE organization_id = $1 AND role = 'owner'",
    [organizationId],
  );
  if (rows.length === 1 && rows[0]?.user_id === userId) throw new ProblemError("last_owner");
}
