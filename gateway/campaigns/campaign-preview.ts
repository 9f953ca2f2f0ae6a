import { PREVIEW_PEOPLE_MAX } from "../../engine/campaign-limits.ts";
import type { Identity } from "../identity/tokens.ts";
import type { RenderedMail } from "../mail/templates/mail-template.ts";
import type { Database } from "../tenancy/database.ts";
import { asker } from "../tenancy/scope.ts";
import type { Campaign } from "./campaign.ts";
import { requireTexts } from "./campaign-body.ts";
import { CAMPAIGN_EVENT, type CampaignEventRow, campaignEventOf } from "./campaign-event.ts";
import { campaignMail, EXAMPLE_LINKS, EXAMPLE_READER } from "./campaign-mail.ts";
import { segmentQuery } from "./segment-query.ts";

export interface CampaignPreview {
  /** People who fit now. Who wants no such mails, or can't be reached, is among them. */
  readonly size: number;
  /** Some of them, addresses masked. */
  readonly sample: readonly string[];
  /** What somebody called Ada Lovelace would get. */
  readonly variants: readonly RenderedMail[];
}

/** Shows what a campaign would be, if it went out now. */
export class CampaignPreviews {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  /** Throws `validation_failed`: its event is gone, and its texts speak of it. */
  async of(
    identity: Identity,
    campaign: Campaign,
    organization: { readonly id: string; readonly name: string },
  ): Promise<CampaignPreview> {
    const rows = this.#database.in(asker(identity));
    const { organizationId, segment } = campaign;
    const query = segmentQuery(segment, { organizationId, nowMs: Date.now() });
    const seed = query.parameters.add(campaign.id, "uuid");
    const { rows: found } = await rows.query<{ size: number; sample: string[] }>(
      `WITH ${query.ctes}
       SELECT (SELECT count(*)::int FROM people) AS size, ARRAY(
         SELECT address FROM people ORDER BY campaign_digest(${seed}, address)
         LIMIT ${PREVIEW_PEOPLE_MAX}) AS sample`,
      query.parameters.values,
    );
    const events = await rows.query<CampaignEventRow>(CAMPAIGN_EVENT, [campaign.eventId]);
    const event = campaignEventOf(events.rows[0]);
    requireTexts(campaign.variants, { hasEvent: event !== null });
    const common = { organization, event, links: EXAMPLE_LINKS, reader: EXAMPLE_READER };
    return {
      size: found[0]?.size ?? 0,
      sample: (found[0]?.sample ?? []).map(masked),
      variants: campaign.variants.map((template) => {
        const mail = campaignMail({ ...common, template, tracking: null });
        return { subject: mail.subject, html: mail.html ?? "", text: mail.text };
      }),
    };
  }
}

/** `ada@example.org` → `a…@example.org`: enough to see whether these are the right ones. */
function masked(address: string): string {
  const at = address.lastIndexOf("@");
  const [first = ""] = Array.from(address);
  return at < 1 ? "…" : `${first}…${address.slice(at)}`;
}
