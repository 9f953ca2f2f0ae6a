import { randomBytes } from "node:crypto";
import { type OrganizationId, parseOrganizationId, type UserId, uuidV7 } from "../../engine/ids.ts";
import { INVITATION_SECONDS, MEMBERS_PER_ORGANIZATION_MAX } from "../../engine/limits.ts";
import { ProblemError } from "../http/problem.ts";
import type { AttemptLimits } from "../identity/attempt-limits.ts";
import { digestOf, freshOpaqueToken } from "../identity/opaque-token.ts";
import type { Identity } from "../identity/tokens.ts";
import type { MailRequestsPort } from "../notifier/mail-requests.ts";
import type { Database, Queries } from "../tenancy/database.ts";
import { asker } from "../tenancy/scope.ts";
import type { MemberRole } from "./organizations.ts";

/**
 * Somebody who acts for an organisation. Nothing here tells whether there is an account with the
 * address: whoever may add members could otherwise ask for any address.
 */
export interface Member {
  /** By which paths name them: the invitation's until it is accepted, then the account's. */
  readonly id: string;
  /** null: they have not accepted, whether or not they have an account. */
  readonly userId: UserId | null;
  readonly email: string;
  readonly role: MemberRole;
}

interface MemberRow {
  readonly id: string;
  /** Also of who has a role already and has not accepted: nobody is shown it. */
  readonly account_id: UserId | null;
  readonly email: string;
  readonly role: MemberRole;
  readonly is_invited: boolean;
}

export interface MembersPorts {
  readonly database: Database;
  readonly limits: Pick<AttemptLimits, "invitation" | "mayMail">;
  readonly mailRequests: MailRequestsPort;
}

/** Members, and those who were invited and have not shown yet that the address is theirs. */
const EVERYBODY = `
  SELECT coalesce(i.id, m.user_id) AS id, m.user_id AS account_id, m.email, m.role,
         i.id IS NOT NULL AS is_invited
  FROM member_addresses m LEFT JOIN organization_invitations i
    ON i.organization_id = m.organization_id AND i.email = m.email AND i.expires_at > now()
  WHERE m.organization_id = $1
  UNION ALL
  SELECT i.id, NULL, i.email, i.role, true FROM organization_invitations i
  WHERE i.organization_id = $1 AND i.expires_at > now() AND NOT EXISTS (
    SELECT FROM member_addresses m WHERE m.organization_id = $1 AND m.email = i.email)`;

/**
 * Who acts for an organisation, in PostgreSQL.
 *
 * Invariants:
 * - An organisation that has an owner keeps one: every change locks the organisation first.
 * - A role is in force once somebody has shown that they read the mail of its address.
 * - Whoever adds somebody does not learn from what they see here whether there was an account: all
 *   are invited, all are listed, under an id that is the invitation's, for 7 days, and nobody
 *   counts as an owner who has not accepted.
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
    { limit, after }: { readonly limit: number; readonly after: string | null },
  ): Promise<Member[]> {
    const everybody = this.#ports.database.in(asker(identity));
    const organizationId = await requireRole(everybody, identity, id, ["owner", "organizer"]);
    const { rows } = await everybody.query<MemberRow>(
      `SELECT * FROM (${EVERYBODY}) everybody
       WHERE $2::uuid IS NULL OR id > $2 ORDER BY id LIMIT $3`,
      [organizationId, after, limit],
    );
    return rows.map(memberOf);
  }

  /**
   * For owners: invites whoever has, or will have, the address, and mails them. Throws
   * `already_member`, `limit_exceeded` when there are too many, and `rate_limited`.
   */
  async add(
    identity: Identity,
    id: string,
    { email, role }: Pick<Member, "email" | "role">,
  ): Promise<Member> {
    const { database, limits, mailRequests } = this.#ports;
    await requireRole(database.in(asker(identity)), identity, id, ["owner"]);
    await limits.invitation(identity.userId);
    const member = { id: uuidV7(Date.now(), randomBytes(10)), userId: null, email, role };
    const token = freshOpaqueToken();
    const untilMs = Date.now() + INVITATION_SECONDS * 1_000;
    await this.#change(identity, id, async (client, organizationId) => {
      const organization = await invite(client, { organizationId, ...member, token });
      // A count of its own: nobody is kept from a forgotten password's mail by who invites them.
      if (!(await limits.mayMail(`invitation ${email}`))) return;
      const mail = { kind: "invitation", page: "accept-invitation", to: email, token } as const;
      const words = { organization, role };
      await mailRequests.post(client, { ...mail, words, untilMs }, digestOf(token));
    });
    return member;
  }

  /** For owners. Throws `member_not_found` and `last_owner`. */
  setRole(identity: Identity, id: string, memberId: string | null, role: MemberRole) {
    return this.#change(identity, id, async (client, organizationId): Promise<Member> => {
      const row = await find(client, organizationId, { memberId, asker: identity.userId });
      await refuseWithoutOwner(client, organizationId, { ...row, role });
      await client.query(
        "UPDATE organization_members SET role = $3 WHERE organization_id = $1 AND user_id = $2",
        [organizationId, row.account_id, role],
      );
      await client.query(
        "UPDATE organization_invitations SET role = $3 WHERE organization_id = $1 AND email = $2",
        [organizationId, row.email, role],
      );
      return memberOf({ ...row, role });
    });
  }

  /** For owners, and for whoever leaves. Throws `member_not_found` and `last_owner`. */
  async remove(identity: Identity, id: string, memberId: string | null): Promise<void> {
    const isLeaving = memberId === identity.userId;
    const roles: MemberRole[] = isLeaving ? ["owner", "organizer", "staff"] : ["owner"];
    await this.#change(
      identity,
      id,
      (client, organizationId) =>
        removeFrom(client, organizationId, { memberId, asker: identity.userId }),
      roles,
    );
  }

  /** As `remove`, for owners and an open invitation. Throws `invitation_not_found`, too. */
  async revoke(identity: Identity, id: string, invitationId: string | null): Promise<void> {
    await this.#change(identity, id, async (client, organizationId) => {
      const { rowCount } = await client.query(
        `SELECT FROM organization_invitations
         WHERE organization_id = $1 AND id = $2 AND expires_at > now()`,
        [organizationId, invitationId],
      );
      if (rowCount === 0) throw new ProblemError("invitation_not_found");
      const asker = identity.userId;
      await removeFrom(client, organizationId, { memberId: invitationId, asker });
    });
  }

  #change<T>(
    identity: Identity,
    id: string,
    work: (client: Queries, organizationId: OrganizationId) => Promise<T>,
    roles: readonly MemberRole[] = ["owner"],
  ): Promise<T> {
    return this.#ports.database.in(asker(identity)).transaction(async (client) => {
      await client.query("SELECT FROM organizations WHERE id = $1 FOR UPDATE", [
        parseOrganizationId(id),
      ]);
      return work(client, await requireRole(client, identity, id, roles));
    });
  }
}

interface NewInvitation extends Member {
  readonly organizationId: OrganizationId;
  readonly token: string;
}

/** Answers the organisation's name. The same statements whether or not there is an account. */
async function invite(
  client: Queries,
  { organizationId, id, email, role, token }: NewInvitation,
): Promise<string> {
  const { rows } = await client.query<MemberRow>(EVERYBODY, [organizationId]);
  if (rows.some((row) => row.email === email)) throw new ProblemError("already_member");
  if (rows.length >= MEMBERS_PER_ORGANIZATION_MAX) {
    const limit = MEMBERS_PER_ORGANIZATION_MAX;
    throw new ProblemError("limit_exceeded", { limit, current: rows.length });
  }
  // An older one is over.
  await client.query(
    `INSERT INTO organization_invitations AS old
       (organization_id, email, id, role, digest, expires_at)
     VALUES ($1, $2, $3, $4, $5, now() + make_interval(secs => $6))
     ON CONFLICT (organization_id, email) DO UPDATE SET id = excluded.id,
       role = excluded.role, digest = excluded.digest, invited_at = now(),
       expires_at = excluded.expires_at`,
    [organizationId, email, id, role, digestOf(token), INVITATION_SECONDS],
  );
  await client.query("SELECT take_up_invitation($1, $2)", [organizationId, id]);
  const text = "SELECT name FROM organizations WHERE id = $1";
  const found = await client.query<{ name: string }>(text, [organizationId]);
  return found.rows[0]?.name ?? "";
}

async function removeFrom(
  client: Queries,
  organizationId: OrganizationId,
  who: Named,
): Promise<void> {
  const row = await find(client, organizationId, who);
  await refuseWithoutOwner(client, organizationId, { ...row, role: null });
  await client.query(
    "DELETE FROM organization_members WHERE organization_id = $1 AND user_id = $2",
    [organizationId, row.account_id],
  );
  await client.query(
    "DELETE FROM organization_invitations WHERE organization_id = $1 AND email = $2",
    [organizationId, row.email],
  );
}

/** Strangers learn nothing of an organisation: for them there is none. */
export async function requireRole(
  client: Queries,
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

interface Named {
  /** As lists show it; askers name themselves by their account's, too. null: no id. */
  readonly memberId: string | null;
  readonly asker: UserId;
}

async function find(
  client: Queries,
  organizationId: OrganizationId,
  { memberId, asker: self }: Named,
): Promise<MemberRow> {
  const { rows } = await client.query<MemberRow>(
    `SELECT * FROM (${EVERYBODY}) everybody WHERE id = $2 OR ($2 = $3 AND account_id = $3)`,
    [organizationId, memberId, self],
  );
  const [row] = rows;
  if (row === undefined) throw new ProblemError("member_not_found");
  return row;
}

function memberOf({
  id,
  account_id: userId,
  email,
  role,
  is_invited: isInvited,
}: MemberRow): Member {
  return { id, userId: isInvited ? null : userId, email, role };
}

/** Owners who have not accepted don't count: they may never come. */
async function refuseWithoutOwner(
  client: Queries,
  organizationId: OrganizationId,
  { account_id: userId, role }: Pick<MemberRow, "account_id"> & { role: MemberRole | null },
): Promise<void> {
  if (role === "owner") return;
  const { rows } = await client.query<{ user_id: UserId }>(
    `SELECT user_id FROM member_addresses m
     WHERE organization_id = $1 AND role = 'owner' AND NOT EXISTS (
       SELECT FROM organization_invitations i WHERE i.organization_id = $1
         AND i.email = m.email AND i.expires_at > now())`,
    [organizationId],
  );
  if (rows.length === 1 && rows[0]?.user_id === userId) throw new ProblemError("last_owner");
}
