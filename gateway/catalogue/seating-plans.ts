import { randomBytes } from "node:crypto";
import { type OrganizationId, uuidV7 } from "../../engine/ids.ts";
import { PLANS_PER_ORGANIZATION_MAX } from "../../engine/search-limits.ts";
import { ProblemError } from "../http/problem.ts";
import type { Identity } from "../identity/tokens.ts";
import type { Database, Queries } from "../tenancy/database.ts";
import { asker, NOBODY, type Scope } from "../tenancy/scope.ts";

export interface PlanDraft {
  readonly name: string;
  /** Of which a list says how many seats there are, and in which categories. */
  readonly summary: { readonly seatCount: number; readonly categories: readonly string[] };
  /** In the pretix format, and read without a fault. */
  readonly plan: unknown;
}

export interface PlanEntry {
  readonly id: string;
  readonly name: string;
  readonly seatCount: number;
  readonly categories: readonly string[];
  readonly createdAt: string;
  readonly updatedAt: string;
}

interface PlanRow {
  readonly id: string;
  readonly name: string;
  readonly summary: PlanDraft["summary"];
  readonly created_at: Date;
  readonly updated_at: Date;
}

const COLUMNS = "id, name, summary, created_at, updated_at";

/** The seating plans that organisations keep, in PostgreSQL. Who may see them is asked before. */
export class SeatingPlans {
  readonly #database: Database;
  /** Statements of one scope. */
  readonly #rows: Queries;

  /** What is seen and changed in this scope. Default: nothing. */
  constructor(database: Database, scope: Scope = NOBODY) {
    this.#database = database;
    this.#rows = database.in(scope);
  }

  /** As somebody sees them: who sells for the organisation. */
  as(identity: Identity): SeatingPlans {
    return new SeatingPlans(this.#database, asker(identity));
  }

  /** Throws `too_many` past PLANS_PER_ORGANIZATION_MAX. */
  async add(organizationId: OrganizationId, draft: PlanDraft): Promise<PlanEntry> {
    const { rows } = await this.#rows.query<PlanRow>(
      `INSERT INTO seating_plans (id, organization_id, name, summary, content)
       SELECT $1, $2, $3, $4, $5
       WHERE (SELECT count(*) FROM seating_plans WHERE organization_id = $2) < $6
       RETURNING ${COLUMNS}`,
      [
        uuidV7(Date.now(), randomBytes(10)),
        organizationId,
        draft.name,
        JSON.stringify(draft.summary),
        JSON.stringify(draft.plan),
        PLANS_PER_ORGANIZATION_MAX,
      ],
    );
    const [row] = rows;
    if (row !== undefined) return entryOf(row);
    throw new ProblemError("too_many", { limit: PLANS_PER_ORGANIZATION_MAX });
  }

  /** Oldest first, after `after`; without the plans themselves. */
  async list(
    organizationId: OrganizationId,
    { limit, after }: { readonly limit: number; readonly after: string | null },
  ): Promise<PlanEntry[]> {
    const { rows } = await this.#rows.query<PlanRow>(
      `SELECT ${COLUMNS} FROM seating_plans
       WHERE organization_id = $1 AND ($2::uuid IS NULL OR id > $2) ORDER BY id LIMIT $3`,
      [organizationId, after, limit],
    );
    return rows.map(entryOf);
  }

  /** null: the organisation has no such plan. */
  async find(
    organizationId: OrganizationId,
    id: string,
  ): Promise<(PlanEntry & { readonly plan: unknown }) | null> {
    const { rows } = await this.#rows.query<PlanRow & { content: unknown }>(
      `SELECT ${COLUMNS}, content FROM seating_plans WHERE organization_id = $1 AND id = $2`,
      [organizationId, id],
    );
    const [row] = rows;
    return row === undefined ? null : { ...entryOf(row), plan: row.content };
  }

  /** All of it. null: the organisation has no such plan. */
  async replace(
    organizationId: OrganizationId,
    id: string,
    draft: PlanDraft,
  ): Promise<PlanEntry | null> {
    const { rows } = await this.#rows.query<PlanRow>(
      `UPDATE seating_plans SET name = $3, summary = $4, content = $5, updated_at = now()
       WHERE organization_id = $1 AND id = $2 RETURNING ${COLUMNS}`,
      [organizationId, id, draft.name, JSON.stringify(draft.summary), JSON.stringify(draft.plan)],
    );
    return rows[0] === undefined ? null : entryOf(rows[0]);
  }

  async remove(organizationId: OrganizationId, id: string): Promise<void> {
    const text = "DELETE FROM seating_plans WHERE organization_id = $1 AND id = $2";
    await this.#rows.query(text, [organizationId, id]);
  }
}

function entryOf({ id, name, summary, created_at, updated_at }: PlanRow): PlanEntry {
  return {
    id,
    name,
    ...summary,
    createdAt: created_at.toISOString(),
    updatedAt: updated_at.toISOString(),
  };
}
