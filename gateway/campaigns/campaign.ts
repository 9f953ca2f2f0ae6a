import type { OrganizationId } from "../../engine/ids.ts";
import type { MailTemplate } from "../mail/templates/mail-template.ts";
import type { Segment } from "./segment.ts";

/**
 * What a campaign is at:
 *
 *   draft ─► scheduled ─► sending ─┬──────────────────────────────► sent
 *                            ▲     └─► sampling (the sample is out, ─┐
 *                            └─────────  and its readers have time) ◄┘
 *   from scheduled, sending and sampling: stopped
 */
export type CampaignState = "draft" | "scheduled" | "sending" | "sampling" | "sent" | "stopped";

/** States from which mails may still leave. */
export const UNDER_WAY: readonly CampaignState[] = ["scheduled", "sending", "sampling"];

/** States in which it may still become another. */
export const NOT_BEGUN: readonly CampaignState[] = ["draft", "scheduled"];

/** How one of several texts is chosen. */
export interface AbTest {
  /** Part of the recipients that the texts are tried on, shared out evenly. */
  readonly samplePercent: number;
  /** How long these have time to open and click, from the last mail of the sample on. */
  readonly waitMinutes: number;
  readonly winnerBy: "opens" | "clicks";
}

/** What the readers of the sample did with one text. */
export interface SampleCount {
  /** Mails that were handed over, those in doubt included. */
  readonly delivered: number;
  /** People. */
  readonly opens: number;
  readonly clicks: number;
}

/** What came of the sample. */
export interface AbResult {
  /** Index of the text that goes to the rest. */
  readonly winner: number;
  /** `rate`: it had the best one; `tie`: the other rate, or the order, decided. */
  readonly because: "rate" | "tie" | "too_few";
  readonly sample: readonly SampleCount[];
}

/** What an organiser says of a campaign. */
export interface CampaignDraft {
  readonly name: string;
  readonly eventId: string | null;
  readonly segment: Segment;
  /** One, or as many as are tried. */
  readonly variants: readonly MailTemplate[];
  /** null: there is one text. */
  readonly abTest: AbTest | null;
  readonly tracking: boolean;
}

export interface Campaign extends CampaignDraft {
  readonly id: string;
  readonly organizationId: OrganizationId;
  readonly state: CampaignState;
  readonly stopReason: "asked" | "too_many_recipients" | null;
  readonly scheduledAt: Date | null;
  readonly startedAt: Date | null;
  readonly endedAt: Date | null;
  readonly recipients: number;
  /** null: the list of recipients is not complete. */
  readonly listedAt: Date | null;
  readonly sampleEndsAt: Date | null;
  readonly result: AbResult | null;
  readonly createdAt: Date;
  readonly updatedAt: Date;
}

export interface CampaignRow {
  readonly id: string;
  readonly organization_id: OrganizationId;
  readonly name: string;
  readonly event_id: string | null;
  readonly segment: Segment;
  readonly variants: readonly MailTemplate[];
  readonly ab_test: AbTest | null;
  readonly tracking: boolean;
  readonly state: CampaignState;
  readonly stop_reason: Campaign["stopReason"];
  readonly scheduled_at: Date | null;
  readonly started_at: Date | null;
  readonly ended_at: Date | null;
  readonly recipients: number;
  readonly listed_at: Date | null;
  readonly sample_ends_at: Date | null;
  readonly result: AbResult | null;
  readonly created_at: Date;
  readonly updated_at: Date;
}

/** The columns that campaignOf reads. */
export const CAMPAIGN_COLUMNS = `id, organization_id, name, event_id, segment, variants, ab_test,
  tracking, state, stop_reason, scheduled_at, started_at, ended_at, recipients, listed_at,
  sample_ends_at, result, created_at, updated_at`;

export function campaignOf(row: CampaignRow): Campaign {
  return {
    id: row.id,
    organizationId: row.organization_id,
    name: row.name,
    eventId: row.event_id,
    segment: row.segment,
    variants: row.variants,
    abTest: row.ab_test,
    tracking: row.tracking,
    state: row.state,
    stopReason: row.stop_reason,
    scheduledAt: row.scheduled_at,
    startedAt: row.started_at,
    endedAt: row.ended_at,
    recipients: row.recipients,
    listedAt: row.listed_at,
    sampleEndsAt: row.sample_ends_at,
    result: row.result,
    createdAt: row.created_at,
    updatedAt: row.updated_at,
  };
}

/** Recipients, from the first on, that the texts are tried on; all of them where there is one. */
export function sampleSizeOf({ abTest, recipients }: Pick<Campaign, "abTest" | "recipients">) {
  return abTest === null ? recipients : Math.ceil((recipients * abTest.samplePercent) / 100);
}

/** Which text a recipient gets. Those of the sample get all of them in turn. */
export function variantOf(
  campaign: Pick<Campaign, "abTest" | "recipients" | "result" | "variants">,
  position: number,
): number {
  if (campaign.abTest === null) return 0;
  const isTried = position < sampleSizeOf(campaign);
  return isTried ? position % campaign.variants.length : (campaign.result?.winner ?? 0);
}
