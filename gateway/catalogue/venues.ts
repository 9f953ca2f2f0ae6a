import { randomBytes } from "node:crypto";
import { type OrganizationId, uuidV7 } from "../../engine/ids.ts";
import { VENUES_PER_ORGANIZATION_MAX } from "../../engine/search-limits.ts";
import type { Identity } from "../identity/tokens.ts";
import type { Database, Scoped } from "../tenancy/database.ts";
import { asker, NOBODY, type Scope } from "../tenancy/scope.ts";
import { addOneOf } from "../tenancy/turn.ts";
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
  readonly #rows: Scoped;

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
    const id = uuidV7(Date.now(), randomBytes(10));
    const limit = VENUES_PER_ORGANIZATION_MAX;
    const added = await addOneOf(
      this.#rows,
      { name: `venues of ${organizationId}`, limit },
      (within) =>
        within.query<VenueRow>(
          `INSERT INTO venues (id, organization_id, name, content)
         SELECT $1, $2, $3, $4
         WHERE (SELECT count(*) FROM venues WHERE organization_id = $2) < $5 RETURNING ${COLUMNS}`,
          [id, organizationId, venue.name, JSON.stringify(venue), limit],
        ),
    );
    return venueOf(added);
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

  /**
   * While nobody else does: `change` sees what its result takes the place of, and refuses by
   * throwing. null: the organisation has no such venue.
   */
  change(
    organizationId: OrganizationId,
    id: string,
    change: (now: KeptVenue) => Venue,
  ): Promise<KeptVenue | null> {
    return this.#rows.transaction(async (within) => {
      const { rows: found } = await within.query<VenueRow>(
        `SELECT ${COLUMNS} FROM venues WHERE organization_id = $1 AND id = $2 FOR UPDATE`,
        [organizationId, id],
      );
      if (found[0] === undefined) return null;
      const venue = change(venueOf(found[0]));
      const { rows } = await within.query<VenueRow>(
        `UPDATE venues SET name = $3, content = $4, updated_at = now()
         WHERE organization_id = $1 AND id = $2 RETURNING ${COLUMNS}`,
        [organizationId, id, venue.name, JSON.stringify(venue)],
      );
      return rows[0] === undefined ? null : venueOf(rows[0]);
    });
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
