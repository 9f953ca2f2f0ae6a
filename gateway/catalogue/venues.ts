import { randomBytes } from "node:crypto";
import { type OrganizationId, uuidV7 } from "../../engine/ids.ts";
import { VENUES_PER_ORGANIZATION_MAX } from "../../engine/search-limits.ts";
import { ProblemError } from "../http/problem.ts";
import type { Identity } from "../identity/tokens.ts";
import type { Database, Queries } from "../tenancy/database.ts";
import { asker, NOBODY, type Scope } from "../tenancy/scope.ts";
import type { Venue } from "./event-fields.ts";

export interface KeptVenue extends Venue {
  readonly id: string;
  readonly createdAt: string;
  readonly updatedAt: string;
}

interface VenueRow {
  readonly id: string;
  readonly content: Venue;
  readonly created_at: Date;
  readonly updated_at: Date;
}

const COLUMNS = "id, content, created_at, updated_at";

/** The venues that organisations keep, in PostgreSQL. Who may see them is asked before. */
export class Venues {
  readonly #database: Database;
  /** Statements of one scope. */
  readonly #rows: Queries;

  /** What is seen and changed in this scope. Default: nothing. */
  constructor(database: Database, scope: Scope = NOBODY) {
    this.#database = database;
    this.#rows = database.in(scope);
  }

  /** As somebody sees them: who sells for the organisation. */
  as(identity: Identity): Venues {
    return new Venues(this.#database, asker(identity));
  }

  /** Throws `too_many` past VENUES_PER_ORGANIZATION_MAX. */
  async add(organizationId: OrganizationId, venue: Venue): Promise<KeptVenue> {
    const { rows } = await this.#rows.query<VenueRow>(
      `INSERT INTO venues (id, organization_id, name, content)
       SELECT $1, $2, $3, $4
       WHERE (SELECT count(*) FROM venues WHERE organization_id = $2) < $5 RETURNING ${COLUMNS}`,
      [
        uuidV7(Date.now(), randomBytes(10)),
        organizationId,
        venue.name,
        JSON.stringify(venue),
        VENUES_PER_ORGANIZATION_MAX,
      ],
    );
    const [row] = rows;
    if (row !== undefined) return venueOf(row);
    throw new ProblemError("too_many", { limit: VENUES_PER_ORGANIZATION_MAX });
  }

  /** Oldest first, after `after`. */
  async list(
    organizationId: OrganizationId,
    { limit, after }: { readonly limit: number; readonly after: string | null },
  ): Promise<KeptVenue[]> {
    const { rows } = await this.#rows.query<VenueRow>(
      `SELECT ${COLUMNS} FROM venues WHERE organization_id = $1 AND ($2::uuid IS NULL OR id > $2)
       ORDER BY id LIMIT $3`,
      [organizationId, after, limit],
    );
    return rows.map(venueOf);
  }

  /** null: the organisation has no such venue. */
  async find(organizationId: OrganizationId, id: string): Promise<KeptVenue | null> {
    const { rows } = await this.#rows.query<VenueRow>(
      `SELECT ${COLUMNS} FROM venues WHERE organization_id = $1 AND id = $2`,
      [organizationId, id],
    );
    return rows[0] === undefined ? null : venueOf(rows[0]);
  }

  /** All of it. null: the organisation has no such venue. */
  async replace(
    organizationId: OrganizationId,
    id: string,
    venue: Venue,
  ): Promise<KeptVenue | null> {
    const { rows } = await this.#rows.query<VenueRow>(
      `UPDATE venues SET name = $3, content = $4, updated_at = now()
       WHERE organization_id = $1 AND id = $2 RETURNING ${COLUMNS}`,
      [organizationId, id, venue.name, JSON.stringify(venue)],
    );
    return rows[0] === undefined ? null : venueOf(rows[0]);
  }

  async remove(organizationId: OrganizationId, id: string): Promise<void> {
    const text = "DELETE FROM venues WHERE organization_id = $1 AND id = $2";
    await this.#rows.query(text, [organizationId, id]);
  }
}

function venueOf({ id, content, created_at, updated_at }: VenueRow): KeptVenue {
  return {
    ...content,
    id,
    createdAt: created_at.toISOString(),
    updatedAt: updated_at.toISOString(),
  };
}
