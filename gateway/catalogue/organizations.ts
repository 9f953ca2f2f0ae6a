import { randomBytes } from "node:crypto";
import type { ChargeRules, FeeRule, TaxRule } from "../../engine/charges.ts";
import { type OrganizationId, parseOrganizationId, uuidV7 } from "../../engine/ids.ts";
import { ProblemError } from "../http/problem.ts";
import type { Identity } from "../identity/tokens.ts";
import type { Database } from "../tenancy/database.ts";
import { asker, platform } from "../tenancy/scope.ts";

export type MemberRole = "owner" | "organizer" | "staff";

export interface Organization {
  readonly id: OrganizationId;
  readonly name: string;
  readonly allowInvoices: boolean;
  readonly currency: string;
  readonly country: string;
  /** Of each ticket of the events that are published from now on. */
  readonly charges: ChargeRules;
  /** RFC 3339 */
  readonly createdAt: string;
  /** The asker's own; null for an administrator who is no member. */
  readonly role: MemberRole | null;
}

export type NewOrganization = Pick<
  Organization,
  "name" | "allowInvoices" | "currency" | "country" | "charges"
>;

/** Absent: it stays as it is. */
export interface OrganizationChanges {
  readonly name?: string | undefined;
  readonly allowInvoices?: boolean | undefined;
  readonly fees?: readonly FeeRule[] | undefined;
  readonly tax?: TaxRule | null | undefined;
}

interface OrganizationRow {
  readonly id: OrganizationId;
  readonly name: string;
  readonly allow_invoices: boolean;
  readonly currency: string;
  readonly country: string;
  readonly fees: FeeRule[];
  readonly tax: TaxRule | null;
  readonly created_at: Date;
  readonly role: MemberRole | null;
}

const DEMO = platform("admin", "the demo organisation is made when there is nobody yet");

/** The organisations in PostgreSQL, and who may act for them. */
export class Organizations {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  /** `owner` null: nobody but administrators acts for it. */
  async create(given: NewOrganization, owner: Identity | null): Promise<Organization> {
    const id = uuidV7(Date.now(), randomBytes(10)) as OrganizationId;
    const { name, allowInvoices, currency, country, charges } = given;
    const { rows } = await this.#database
      .in(owner === null ? DEMO : asker(owner))
      .query<{ created_at: Date }>(
        `WITH organization AS (
         INSERT INTO organizations (id, name, allow_invoices, currency, country, fees, tax)
         VALUES ($1, $2, $3, $4, $5, $7, $8)
       ), member AS (
         INSERT INTO organization_members (organization_id, user_id, role)
         SELECT $1, $6, 'owner' WHERE $6::uuid IS NOT NULL
       )
       SELECT now() AS created_at`,
        [
          id,
          name,
          allowInvoices,
          currency,
          country,
          owner?.userId ?? null,
          JSON.stringify(charges.fees),
          JSON.stringify(charges.tax),
        ],
      );
    const createdAt = (rows[0]?.created_at ?? new Date()).toISOString();
    return { id, ...given, createdAt, role: owner === null ? null : "owner" };
  }

  /** Newest first, older than `before`: an administrator sees all, everyone else their own. */
  async list(
    identity: Identity,
    page: { readonly limit: number; readonly before: OrganizationId | null },
  ): Promise<Organization[]> {
    const { rows } = await this.#database.in(asker(identity)).query<OrganizationRow>(
      `SELECT o.*, m.role FROM organizations o
       LEFT JOIN organization_members m ON m.organization_id = o.id AND m.user_id = $1
       WHERE ($2 OR m.role IS NOT NULL) AND ($3::uuid IS NULL OR o.id < $3)
       ORDER BY o.id DESC LIMIT $4`,
      [identity.userId, identity.role === "admin", page.before, page.limit],
    );
    return rows.map(organizationOf);
  }

  /** With the asker's role; null: there is no such organisation. */
  async find(id: OrganizationId, identity: Identity): Promise<Organization | null> {
    const { rows } = await this.#database.in(asker(identity)).query<OrganizationRow>(
      `SELECT o.*, m.role FROM organizations o
       LEFT JOIN organization_members m ON m.organization_id = o.id AND m.user_id = $2
       WHERE o.id = $1`,
      [id, identity.userId],
    );
    const [row] = rows;
    return row === undefined ? null : organizationOf(row);
  }

  /**
   * For its owners and administrators. Throws `organization_not_found` or `forbidden`. What was
   * published keeps the fees and the tax that it was published with.
   */
  async change(
    identity: Identity,
    id: string,
    { name, allowInvoices, fees, tax }: OrganizationChanges,
  ): Promise<Organization> {
    const { id: organizationId } = await this.#requireRole(identity, id, ["owner"]);
    await this.#database.in(asker(identity)).query(
      `UPDATE organizations SET name = COALESCE($2, name),
         allow_invoices = COALESCE($3, allow_invoices), fees = COALESCE($4, fees),
         tax = COALESCE($5, tax)
       WHERE id = $1`,
      [
        organizationId,
        name ?? null,
        allowInvoices ?? null,
        fees === undefined ? null : JSON.stringify(fees),
        // No tax is null in JSON, which is not NULL.
        tax === undefined ? null : JSON.stringify(tax),
      ],
    );
    return this.#requireRole(identity, id, ["owner"]);
  }

  async isEmpty(): Promise<boolean> {
    const text = "SELECT 1 FROM organizations LIMIT 1";
    const { rows } = await this.#database.in(DEMO).query(text);
    return rows.length === 0;
  }

  /** Removes an organisation that has nothing yet. */
  async removeEmpty(id: OrganizationId): Promise<void> {
    const rows = this.#database.in(DEMO);
    await rows.query("DELETE FROM organization_members WHERE organization_id = $1", [id]);
    await rows.query("DELETE FROM organizations WHERE id = $1", [id]);
  }

  /** Whether the asker may sell for the organisation: an administrator, an owner, an organiser. */
  async isOrganizer(identity: Identity, organizationId: string): Promise<boolean> {
    if (identity.role === "admin") return true;
    const role = await this.#roleOf(identity, organizationId);
    return role === "owner" || role === "organizer";
  }

  /** Whether the asker may see what the organisation has not published. */
  async isMember(identity: Identity, organizationId: string): Promise<boolean> {
    return identity.role === "admin" || (await this.#roleOf(identity, organizationId)) !== null;
  }

  /** Whether the asker may let people in: whoever belongs to the organisation. */
  isStaff(identity: Identity, organizationId: string): Promise<boolean> {
    return this.isMember(identity, organizationId);
  }

  /** Throws `organization_not_found` or `forbidden`. */
  async requireOrganizer(identity: Identity, id: string): Promise<Organization> {
    return this.#requireRole(identity, id, ["owner", "organizer"]);
  }

  /** For administrators and members with one of the roles; for others there is none. */
  async #requireRole(
    identity: Identity,
    id: string,
    roles: readonly MemberRole[],
  ): Promise<Organization> {
    const organizationId = parseOrganizationId(id);
    const found = organizationId === null ? null : await this.find(organizationId, identity);
    if (found !== null && identity.role === "admin") return found;
    if (found === null || found.role === null) throw new ProblemError("organization_not_found");
    if (!roles.includes(found.role)) throw new ProblemError("forbidden");
    return found;
  }

  async #roleOf(identity: Identity, organizationId: string): Promise<MemberRole | null> {
    if (identity.role === "guest") return null;
    const { rows } = await this.#database.in(asker(identity)).query<{ role: MemberRole }>({
      name: "member-role",
      text: "SELECT role FROM organization_members WHERE organization_id = $1 AND user_id = $2",
      values: [organizationId, identity.userId],
    });
    return rows[0]?.role ?? null;
  }
}

function organizationOf(row: OrganizationRow): Organization {
  return {
    id: row.id,
    name: row.name,
    allowInvoices: row.allow_invoices,
    currency: row.currency,
    country: row.country,
    charges: { fees: row.fees, tax: row.tax },
    createdAt: row.created_at.toISOString(),
    role: row.role,
  };
}
