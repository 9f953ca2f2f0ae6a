import { randomBytes } from "node:crypto";
import { type OrganizationId, uuidV7 } from "../../engine/ids.ts";
import { PLANS_PER_ORGANIZATION_MAX } from "../../engine/search-limits.ts";
import type { Identity } from "../identity/tokens.ts";
import type { Database, Scoped } from "../tenancy/database.ts";
import { asker, NOBODY, type Scope } from "../tenancy/scope.ts";
import { addOneOf } from "../tenancy/turn.ts";

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

export interface WholePlan extends PlanEntry {
  readonly plan: unknown;
}

interface WholePlanRow extends PlanRow {
  readonly content: unknown;
}

const COLUMNS = "id, name, summary, created_at, updated_at";
const WHOLE_PLAN = `SELECT ${COLUMNS}, content FROM seating_plans
  WHERE organization_id = $1 AND id = $2`;

/** The seating plans that organisations keep, in PostgreSQL. Who may see them is asked before. */
export class SeatingPlans {
  readonly #database: Database;
  /** Statements of one scope. */
  readonly #rows: Scoped;

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
    const id = uuidV7(Date.now(), randomBytes(10));
    const limit = PLANS_PER_ORGANIZATION_MAX;
    const name = `seating plans of ${organizationId}`;
    const added = await addOneOf(this.#rows, { name, limit }, (within) =>
      within.query<PlanRow>(
        `INSERT INTO seating_plans (id, organization_id, name, summary, content)
         SELECT $1, $2, $3, $4, $5
         WHERE (SELECT count(*) FROM seating_plans WHERE organization_id = $2) < $6
         RETURNING ${COLUMNS}`,
        [id, organizationId, ...valuesOf(draft), limit],
      ),
    );
    return entryOf(added);
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
  async find(organizationId: OrganizationId, id: string): Promise<WholePlan | null> {
    const { rows } = await this.#rows.query<WholePlanRow>(WHOLE_PLAN, [organizationId, id]);
    return rows[0] === undefined ? null : wholePlanOf(rows[0]);
  }

  /**
   * While nobody else does: `change` sees what its result takes the place of, and refuses by
   * throwing. null: the organisation has no such plan.
   */
  change(
    organizationId: OrganizationId,
    id: string,
    change: (now: WholePlan) => PlanDraft,
  ): Promise<PlanEntry | null> {
    return this.#rows.transaction(async (within) => {
      const { rows: found } = await within.query<WholePlanRow>(`${WHOLE_PLAN} FOR UPDATE`, [
        organizationId,
        id,
      ]);
      if (found[0] === undefined) return null;
      const { rows } = await within.query<PlanRow>(
        `UPDATE seating_plans SET name = $3, summary = $4, content = $5, updated_at = now()
         WHERE organization_id = $1 AND id = $2 RETURNING ${COLUMNS}`,
        [organizationId, id, ...valuesOf(change(wholePlanOf(found[0])))],
      );
      return rows[0] === undefined ? null : entryOf(rows[0]);
    });
  }

  async remove(organizationId: OrganizationId, id: string): Promise<void> {
    const text = "DELETE FROM seating_plans WHERE organization_id = $1 AND id = $2";
    await this.#rows.query(text, [organizationId, id]);
  }
}

const valuesOf = ({ name, summary, plan }: PlanDraft): string[] => [
  name,
  JSON.stringify(summary),
  JSON.stringify(plan),
];

const wholePlanOf = (row: WholePlanRow): WholePlan => ({ ...entryOf(row), plan: row.content });

function entryOf({ id, name, summary, created_at, updated_at }: PlanRow): PlanEntry {
  return {
    id,
    name,
    ...summary,
    createdAt: created_at.toISOString(),
    updatedAt: updated_at.toISOString(),
  };
}
