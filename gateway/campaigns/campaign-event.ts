import type { CampaignEvent } from "./campaign-mail.ts";

/** The event that a campaign is about. */
export const CAMPAIGN_EVENT = `SELECT title, starts_at, timezone, city, venue ->> 'name' AS venue
  FROM events WHERE id = $1`;

export interface CampaignEventRow {
  readonly title: string;
  readonly starts_at: Date;
  readonly timezone: string;
  readonly city: string | null;
  readonly venue: string | null;
}

/** undefined: it is about none. */
export function campaignEventOf(row: CampaignEventRow | undefined): CampaignEvent | null {
  if (row === undefined) return null;
  const { title, starts_at: startsAt, timezone, city, venue } = row;
  return { title, startsAt, timezone, city: city ?? "", venue: venue ?? "" };
}
