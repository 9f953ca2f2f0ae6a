import { CAMPAIGN_LIST_ROWS, CAMPAIGN_RECIPIENTS_MAX } from "../../../engine/campaign-limits.ts";
import type { Queries } from "../../tenancy/database.ts";
import type { Campaign } from "../campaign.ts";
import { segmentQuery } from "../segment-query.ts";

export interface ListProgress {
  readonly isComplete: boolean;
  readonly isTooLong: boolean;
}

/**
 * Writes the next page of a campaign's recipients, in the transaction in which the campaign is
 * locked: the rows and how far they go are stored together, so that whoever goes on after a crash
 * begins with the next one.
 *
 * The order is that of campaign_digest, which has nothing to do with who somebody is: the first n
 * recipients are a fair sample, and the domains of a batch are mixed.
 */
export async function writeNextPage(
  within: Queries,
  campaign: Campaign,
  { nowMs, pageRows = CAMPAIGN_LIST_ROWS }: { readonly nowMs: number; readonly pageRows?: number },
): Promise<ListProgress> {
  const { id, organizationId, segment } = campaign;
  // The view of customers asks who asks.
  await within.query("SELECT set_config('evently.role', 'campaigns', true)");
  const { ctes, parameters } = segmentQuery(segment, { organizationId, nowMs });
  const campaignId = parameters.add(id, "uuid");
  const { rows } = await within.query<{ count: number; recipients: number }>(
    `WITH ${ctes}, at AS (
       SELECT listed_digest AS digest, recipients FROM campaigns WHERE id = ${campaignId}
     ), page AS (
       SELECT campaign_digest(${campaignId}, address) AS digest, address, user_id FROM people
       WHERE campaign_digest(${campaignId}, address) > (SELECT digest FROM at)
       ORDER BY 1 LIMIT ${pageRows}
     ), written AS (
       INSERT INTO campaign_recipients
         (campaign_id, position, organization_id, digest, address, user_id)
       SELECT ${campaignId}, (SELECT recipients FROM at) - 1 + row_number() OVER (ORDER BY digest),
         ${parameters.add(organizationId, "uuid")}, digest, address, user_id
       FROM page
       RETURNING digest
     ), counted AS (
       SELECT count(*)::int AS count, max(encode(digest, 'hex')) AS last FROM written
     )
     UPDATE campaigns c SET recipients = recipients + count,
       listed_digest = COALESCE(decode(last, 'hex'), listed_digest),
       listed_at = CASE WHEN count < ${pageRows} THEN now() END
     FROM counted WHERE c.id = ${campaignId} RETURNING count, recipients`,
    parameters.values,
  );
  const { count = 0, recipients = 0 } = rows[0] ?? {};
  return {
    isComplete: count < pageRows,
    isTooLong: recipients > CAMPAIGN_RECIPIENTS_MAX,
  };
}
