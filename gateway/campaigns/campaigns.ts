import { randomBytes } from "node:crypto";
import {
  CAMPAIGN_AHEAD_MS_MAX,
  CAMPAIGN_PAST_MS_MAX,
  CAMPAIGNS_PER_ORGANIZATION_MAX,
} from "../../engine/campaign-limits.ts";
import { type OrganizationId, uuidV7 } from "../../engine/ids.ts";
import { ProblemError } from "../http/problem.ts";
import { isGone } from "../http/store-failure.ts";
import { type FieldError, validationFailed } from "../http/validation.ts";
import type { Identity } from "../identity/tokens.ts";
import type { Database, Queries, Scoped } from "../tenancy/database.ts";
import { asker } from "../tenancy/scope.ts";
import { addOneOf } from "../tenancy/turn.ts";
import {
  CAMPAIGN_COLUMNS,
  type Campaign,
  type CampaignDraft,
  type CampaignRow,
  campaignOf,
  NOT_BEGUN,
  UNDER_WAY,
} from "./campaign.ts";
import { namedIn } from "./segment.ts";

/** One campaign of one organisation. */
interface Named {
  readonly organizationId: OrganizationId;
  readonly id: string;
}

/**
 * The campaigns of organisations, as those see them who sell for them. Who that is is asked before.
 *
 * Invariants:
 * - What has begun is not changed any more, but stopped: each change names the states it is for.
 * - A campaign names no event and no other campaign but its organisation's.
 */
export class Campaigns {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  /** Throws `too_many`, and `validation_failed` for what it names and is not there. */
  async add(
    identity: Identity,
    organizationId: OrganizationId,
    draft: CampaignDraft,
  ): Promise<Campaign> {
    const id = uuidV7(Date.now(), randomBytes(10));
    const limit = CAMPAIGNS_PER_ORGANIZATION_MAX;
    const name = `campaigns of ${organizationId}`;
    const added = addOneOf(this.#rows(identity), { name, limit }, async (rows) => {
      await requireNamed(rows, organizationId, draft);
      return rows.query<CampaignRow>(
        `INSERT INTO campaigns
           (id, organization_id, name, event_id, segment, variants, ab_test, tracking)
         SELECT $1, $2, $3, $4, $5, $6, $7, $8
         WHERE (SELECT count(*) FROM campaigns WHERE organization_id = $2) < $9
         RETURNING ${CAMPAIGN_COLUMNS}`,
        [id, organizationId, ...valuesOf(draft), limit],
      );
    });
    return campaignOf(await added.catch(refuseGoneEvent));
  }

  /** Newest first, before `before`. */
  async list(
    identity: Identity,
    organizationId: OrganizationId,
    { limit, before }: { readonly limit: number; readonly before: string | null },
  ): Promise<Campaign[]> {
    const { rows } = await this.#rows(identity).query<CampaignRow>(
      `SELECT ${CAMPAIGN_COLUMNS} FROM campaigns
       WHERE organization_id = $1 AND ($2::uuid IS NULL OR id < $2) ORDER BY id DESC LIMIT $3`,
      [organizationId, before, limit],
    );
    return rows.map(campaignOf);
  }

  /** Throws `campaign_not_found`. */
  async find(identity: Identity, { organizationId, id }: Named): Promise<Campaign> {
    const { rows } = await this.#rows(identity).query<CampaignRow>(
      `SELECT ${CAMPAIGN_COLUMNS} FROM campaigns WHERE organization_id = $1 AND id = $2`,
      [organizationId, id],
    );
    const [row] = rows;
    if (row === undefined) throw new ProblemError("campaign_not_found");
    return campaignOf(row);
  }

  /**
   * As long as it has not begun: `draftOf` says what becomes of it as it is, and two who change it
   * at once do so one after the other. Throws `campaign_not_found`, `campaign_begun`, `forbidden`,
   * and `validation_failed` for what it names and is not there.
   */
  change(
    identity: Identity,
    { organizationId, id }: Named,
    draftOf: (now: Campaign) => CampaignDraft,
  ): Promise<Campaign> {
    const done = this.#rows(identity).transaction(async (rows) => {
      const { rows: found } = await rows.query<CampaignRow>(
        `SELECT ${CAMPAIGN_COLUMNS} FROM campaigns WHERE organization_id = $1 AND id = $2
         FOR UPDATE`,
        [organizationId, id],
      );
      const [row] = found;
      if (row === undefined) throw new ProblemError("campaign_not_found");
      const now = campaignOf(row);
      if (!NOT_BEGUN.includes(now.state)) throw new ProblemError("campaign_begun");
      const draft = draftOf(now);
      await requireNamed(rows, organizationId, draft);
      const { rows: changed } = await rows.query<CampaignRow>(
        `UPDATE campaigns SET name = $3, event_id = $4, segment = $5, variants = $6, ab_test = $7,
           tracking = $8, updated_at = now()
         WHERE organization_id = $1 AND id = $2
         RETURNING ${CAMPAIGN_COLUMNS}`,
        [organizationId, id, ...valuesOf(draft)],
      );
      const [after] = changed;
      // Whoever asks could change it a moment ago.
      if (after === undefined) throw new ProblemError("forbidden");
      return campaignOf(after);
    });
    return done.catch(refuseGoneEvent);
  }

  /** With all that is known of its recipients. Throws `campaign_under_way`. */
  async remove(identity: Identity, { organizationId, id }: Named): Promise<void> {
    const rows = this.#rows(identity);
    const { rowCount } = await rows.query(
      "DELETE FROM campaigns WHERE organization_id = $1 AND id = $2 AND state <> ALL ($3)",
      [organizationId, id, UNDER_WAY],
    );
    if (rowCount !== 0) return;
    const found = await rows.query("SELECT FROM campaigns WHERE organization_id = $1 AND id = $2", [
      organizationId,
      id,
    ]);
    if (found.rowCount !== 0) throw new ProblemError("campaign_under_way");
  }

  /** `at` null: now. Throws `campaign_not_found`, `campaign_begun`, and `validation_failed`. */
  async schedule(identity: Identity, { organizationId, id }: Named, at: Date | null) {
    const nowMs = Date.now();
    const aheadMs = at === null ? 0 : at.getTime() - nowMs;
    if (aheadMs > CAMPAIGN_AHEAD_MS_MAX) {
      throw validationFailed([{ path: "at", message: "must be within a year" }]);
    }
    if (aheadMs < -CAMPAIGN_PAST_MS_MAX) {
      throw validationFailed([{ path: "at", message: "must not be past; without it, it is now" }]);
    }
    const { rows } = await this.#rows(identity).query<CampaignRow>(
      `UPDATE campaigns SET state = 'scheduled', scheduled_at = $3, updated_at = now()
       WHERE organization_id = $1 AND id = $2 AND state = ANY ($4)
       RETURNING ${CAMPAIGN_COLUMNS}`,
      [organizationId, id, new Date(nowMs + Math.max(0, aheadMs)), NOT_BEGUN],
    );
    return this.#changed(identity, { organizationId, id }, rows[0], "campaign_begun");
  }

  /**
   * From the moment on that this answers, no mail of it is handed to a mail server that was not
   * under way. Repeated, or after its end: as it is. Throws `campaign_not_found`.
   */
  async stop(identity: Identity, { organizationId, id }: Named): Promise<Campaign> {
    const { rows } = await this.#rows(identity).query<CampaignRow>(
      `UPDATE campaigns SET state = 'stopped', stop_reason = 'asked', ended_at = now(),
         updated_at = now()
       WHERE organization_id = $1 AND id = $2 AND state = ANY ($3) RETURNING ${CAMPAIGN_COLUMNS}`,
      [organizationId, id, UNDER_WAY],
    );
    return this.#changed(identity, { organizationId, id }, rows[0], null);
  }

  /** What came of a change: as it is now, or why it was not made. */
  async #changed(
    identity: Identity,
    named: Named,
    row: CampaignRow | undefined,
    refusal: "campaign_begun" | null,
  ): Promise<Campaign> {
    if (row !== undefined) return campaignOf(row);
    const now = await this.find(identity, named);
    if (refusal !== null) throw new ProblemError(refusal);
    return now;
  }

  #rows(identity: Identity): Scoped {
    return this.#database.in(asker(identity));
  }
}

function valuesOf({ name, eventId, segment, variants, abTest, tracking }: CampaignDraft) {
  const json = [segment, variants, abTest].map((value) => JSON.stringify(value));
  return [name, eventId, ...json, tracking];
}

/** Others' events and campaigns are not there. */
async function requireNamed(
  rows: Queries,
  organizationId: OrganizationId,
  { eventId, segment }: CampaignDraft,
): Promise<void> {
  const named = namedIn(segment, "segment");
  const own = eventId === null ? [] : [{ kind: "event" as const, id: eventId, path: "eventId" }];
  const all = [...own, ...named];
  if (all.length === 0) return;
  const idsOf = (kind: string): string[] =>
    all.filter((one) => one.kind === kind).map(({ id }) => id);
  const { rows: found } = await rows.query<{ id: string }>(
    `SELECT id FROM events WHERE organization_id = $1 AND id = ANY ($2::uuid[])
     UNION ALL SELECT id FROM campaigns WHERE organization_id = $1 AND id = ANY ($3::uuid[])`,
    [organizationId, idsOf("event"), idsOf("campaign")],
  );
  const known = new Set(found.map(({ id }) => id));
  const errors: FieldError[] = all
    .filter(({ id }) => !known.has(id))
    .map(({ kind, path }) => notOurs(kind, path));
  if (errors.length > 0) throw validationFailed(errors);
}

/** Its event was removed after it was looked for. */
function refuseGoneEvent(error: unknown): never {
  if (!isGone(error, "campaigns_event_id_fkey")) throw error;
  throw validationFailed([notOurs("event", "eventId")]);
}

const notOurs = (kind: keyof typeof ARTICLES, path: string): FieldError => ({
  path,
  message: `must be ${ARTICLES[kind]} of this organisation`,
});

const ARTICLES = { event: "an event", campaign: "a campaign" } as const;
