import type { OrganizationId, UserId } from "../../engine/ids.ts";
import { ProblemError } from "../http/problem.ts";
import { ownByMail } from "../identity/credentials.ts";
import { digestOf } from "../identity/opaque-token.ts";
import type { Identity, Tokens } from "../identity/tokens.ts";
import type { User } from "../identity/users.ts";
import type { Database } from "../tenancy/database.ts";
import { asker, platform } from "../tenancy/scope.ts";
import { type Members, requireRole } from "./members.ts";
import type { MemberRole } from "./organizations.ts";

/** An invitation of the last 7 days, whether or not it has given its role yet. */
export interface OpenInvitation {
  readonly id: string;
  readonly email: string;
  readonly role: MemberRole;
  /** RFC 3339 */
  readonly invitedAt: string;
  readonly expiresAt: string;
}

/** What somebody has accepted. */
export interface Accepted {
  readonly organizationId: OrganizationId;
  readonly userId: UserId;
  readonly role: MemberRole;
  /** Nobody knows a password of the account: it is set by a forgotten password's mail. */
  readonly passwordNeeded?: true;
}

interface InvitationRow {
  readonly id: string;
  readonly email: string;
  readonly role: MemberRole;
  readonly invited_at: Date;
  readonly expires_at: Date;
}

const SHOWN = platform("identity", "the token of an invitation is all that says whose it is");

export interface InvitationsPorts {
  readonly database: Database;
  readonly members: Members;
  readonly tokens: Pick<Tokens, "revoke">;
  /** Hands over what waits for who owns the address, as far as it can be done now. */
  readonly inherit: (user: User) => Promise<void>;
}

/**
 * Invitations after they were sent (Members.add sends them), in PostgreSQL.
 *
 * Invariants:
 * - Accepting and taking back lock the organisation first, so one of them comes too late.
 * - Who reads the mail of the address decides: no stranger who registered with it keeps a way in.
 */
export class Invitations {
  readonly #ports: InvitationsPorts;

  constructor(ports: InvitationsPorts) {
    this.#ports = ports;
  }

  /** For owners. Ordered by id, after `after`. */
  async list(
    identity: Identity,
    id: string,
    { limit, after }: { readonly limit: number; readonly after: string | null },
  ): Promise<OpenInvitation[]> {
    const rows = this.#ports.database.in(asker(identity));
    const organizationId = await requireRole(rows, identity, id, ["owner"]);
    const found = await rows.query<InvitationRow>(
      `SELECT id, email, role, invited_at, expires_at FROM organization_invitations
       WHERE organization_id = $1 AND expires_at > now() AND ($2::uuid IS NULL OR id > $2)
       ORDER BY id LIMIT $3`,
      [organizationId, after, limit],
    );
    return found.rows.map((row) => ({
      id: row.id,
      email: row.email,
      role: row.role,
      invitedAt: row.invited_at.toISOString(),
      expiresAt: row.expires_at.toISOString(),
    }));
  }

  /**
   * For owners: takes back the invitation and what it gave. Throws `invitation_not_found` and
   * `last_owner`.
   */
  revoke(identity: Identity, id: string, invitationId: string | null): Promise<void> {
    return this.#ports.members.revoke(identity, id, invitationId);
  }

  /**
   * Who shows the token reads the mail of the address: its account is theirs (ownByMail), and has
   * the role from now on. `signedInAs` null: nobody is. Throws `token_invalid`, and
   * `account_needed` where nobody has registered with the address yet; the token stays good.
   */
  async accept(token: string, signedInAs: UserId | null): Promise<Accepted> {
    const digest = digestOf(token);
    const { database, tokens, inherit } = this.#ports;
    const { organizationId, role, owned } = await database.in(SHOWN).transaction(async (client) => {
      await client.query(
        `SELECT FROM organizations WHERE id = (
           SELECT organization_id FROM organization_invitations WHERE digest = $1) FOR UPDATE`,
        [digest],
      );
      const { rows: invited } = await client.query<Omit<Accepted, "userId"> & { email: string }>(
        `DELETE FROM organization_invitations WHERE digest = $1 AND expires_at > now()
         RETURNING organization_id AS "organizationId", role, email`,
        [digest],
      );
      const [invitation] = invited;
      if (invitation === undefined) throw new ProblemError("token_invalid");
      const { email, ...accepted } = invitation;
      const owned = await ownByMail(client, email, signedInAs);
      if (owned === null) throw new ProblemError("account_needed");
      await client.query(
        `INSERT INTO organization_members (organization_id, user_id, role)
         VALUES ($1, $2, $3) ON CONFLICT DO NOTHING`,
        [accepted.organizationId, owned.user.id, accepted.role],
      );
      return { ...accepted, owned };
    });
    const { user, endedSessions, passwordNeeded } = owned;
    tokens.revoke(user.id, endedSessions);
    await inherit(user);
    const accepted = { organizationId, userId: user.id, role };
    return passwordNeeded ? { ...accepted, passwordNeeded } : accepted;
  }
}
