import {
  CAMPAIGN_AGAIN_MS,
  CAMPAIGN_DOMAIN_LATERS_MAX,
  CAMPAIGN_PAUSE_MS_MAX,
  CAMPAIGN_PAUSE_MS_MIN,
  CAMPAIGN_SENDS_MAX,
} from "../../../engine/campaign-limits.ts";
import { unreachable } from "../../../engine/unreachable.ts";
import type { MailEnd, Mailer, MailLinks } from "../../mail/mail-order.ts";
import { TemplateFault } from "../../mail/templates/template-engine.ts";
import { DONE, type JobEnd } from "../../notifier/job.ts";
import type { NotifierGround } from "../../notifier/notifier-part.ts";
import {
  CAMPAIGN_COLUMNS,
  type Campaign,
  type CampaignRow,
  campaignOf,
  variantOf,
} from "../campaign.ts";
import { CAMPAIGN_EVENT, type CampaignEventRow, campaignEventOf } from "../campaign-event.ts";
import { type CampaignEvent, campaignMail } from "../campaign-mail.ts";
import type { TrackingTokens } from "../tracking-token.ts";
import type { BatchData } from "./campaign-coordinator.ts";
import { StopWatch } from "./stop-watch.ts";
import { WrittenEnds } from "./written-ends.ts";

export interface BatchPorts extends Pick<NotifierGround, "rows" | "clock" | "courtesy" | "apiUrl"> {
  readonly mailer: Mailer;
  readonly links: MailLinks;
  readonly tokens: TrackingTokens;
}

interface Recipient {
  readonly position: number;
  readonly digest: string;
  readonly address: string;
  readonly first_name: string | null;
  readonly last_name: string | null;
  readonly objects: boolean;
}

/** What the mails of a campaign have in common. */
interface Sending {
  readonly campaign: Campaign;
  readonly organization: { readonly id: string; readonly name: string };
  readonly event: CampaignEvent | null;
}

export interface BatchCounts {
  sent: number;
  failed: number;
  suppressed: number;
  inDoubt: number;
}

/**
 * One batch: those of its recipients who have no end yet, CAMPAIGN_SENDS_MAX at a time. Begun
 * again, after a crash or a pause, it goes on with those who are left; for those who were mailed
 * and not written down the mailer answers `already` or `in_doubt`, which is their end then.
 *
 * Invariants:
 * - Before each mail it is asked anew whether the campaign was stopped.
 * - Nobody is lost: whoever was not sent to for a reason that may pass keeps waiting, and so does
 *   the batch.
 */
export async function sendBatch(
  ports: BatchPorts,
  data: BatchData,
  { stopping, counts }: { readonly stopping: AbortSignal; readonly counts: BatchCounts },
): Promise<JobEnd> {
  const sending = await sendingOf(ports, data.campaignId);
  // Stopped, removed, or over: there is nothing to do for this job any more.
  if (sending === null) return DONE;
  const recipients = await recipientsOf(ports, data);
  const ends = new WrittenEnds({ ...ports, campaignId: data.campaignId });
  const run = new BatchRun(ports, { sending, ends, counts });
  const left = recipients.values();
  const send = async (): Promise<void> => {
    for (const recipient of left) {
      if (stopping.aborted || !(await run.send(recipient))) return;
    }
  };
  const sends = Array.from({ length: CAMPAIGN_SENDS_MAX }, send);
  const outcomes = await Promise.allSettled(sends);
  // Even after a failure: what was sent is to be known as sent.
  await ends.flush();
  const failed = outcomes.find((outcome) => outcome.status === "rejected");
  if (failed !== undefined) throw failed.reason;
  if (run.isStopped) return DONE;
  if (stopping.aborted) return { end: "later", afterMs: 0 };
  return run.pauseMs === null ? DONE : { end: "later", afterMs: run.pauseMs };
}

class BatchRun {
  isStopped = false;
  readonly #ports: BatchPorts;
  readonly #sending: Sending;
  readonly #ends: WrittenEnds;
  readonly #counts: BatchCounts;
  readonly #watch: StopWatch;
  /** By domain: how many were told to wait. One may have reasons of their own, many share one. */
  readonly #laters = new Map<string, number>();
  #pauseMs = Number.POSITIVE_INFINITY;

  constructor(
    ports: BatchPorts,
    given: { readonly sending: Sending; readonly ends: WrittenEnds; readonly counts: BatchCounts },
  ) {
    this.#ports = ports;
    this.#sending = given.sending;
    this.#ends = given.ends;
    this.#counts = given.counts;
    this.#watch = new StopWatch(ports.rows, given.sending.campaign.id);
  }

  /** When it is worth to go on with those who wait; null: nobody does. */
  get pauseMs(): number | null {
    if (this.#pauseMs === Number.POSITIVE_INFINITY) return null;
    return Math.min(CAMPAIGN_PAUSE_MS_MAX, Math.max(CAMPAIGN_PAUSE_MS_MIN, this.#pauseMs));
  }

  /** False: the campaign was stopped. */
  async send(recipient: Recipient): Promise<boolean> {
    const domain = recipient.address.slice(recipient.address.lastIndexOf("@") + 1);
    // The others of the batch are not to wait for this domain.
    if ((this.#laters.get(domain) ?? 0) >= CAMPAIGN_DOMAIN_LATERS_MAX) return true;
    await this.#ports.courtesy.patientTurn();
    if (this.isStopped || !(await this.#watch.maySend())) {
      this.isStopped = true;
      return false;
    }
    const { campaign, organization, event } = this.#sending;
    const { position, digest, address, objects } = recipient;
    const variant = variantOf(campaign, position);
    const template = campaign.variants[variant];
    if (template === undefined) throw new Error(`campaign ${campaign.id} has no text ${variant}`);
    const order = {
      key: `campaign:${campaign.id}:${digest}`,
      kind: "campaign",
      to: address,
      organizationId: organization.id,
    } as const;
    const { mailer, links, tokens, apiUrl } = this.#ports;
    const compose = async () =>
      campaignMail({
        template,
        organization,
        event,
        links,
        reader: {
          address,
          firstName: recipient.first_name ?? "",
          lastName: recipient.last_name ?? "",
        },
        tracking:
          campaign.tracking && !objects
            ? { tokens, apiUrl, recipient: { campaignId: campaign.id, position } }
            : null,
      });
    this.#take(await endOf(mailer.send(order, compose)), { position, variant, domain });
    return true;
  }

  #take(
    end: MailEnd,
    { position, variant, domain }: { position: number; variant: number; domain: string },
  ): void {
    const counts = this.#counts;
    switch (end.end) {
      case "sent":
      case "already":
        counts.sent += 1;
        return this.#ends.add({ position, variant, state: "sent", reason: null });
      case "in_doubt":
        counts.inDoubt += 1;
        return this.#ends.add({ position, variant, state: "in_doubt", reason: null });
      case "suppressed":
        counts.suppressed += 1;
        return this.#ends.add({ position, variant, state: "suppressed", reason: end.reason });
      case "dead":
        counts.failed += 1;
        return this.#ends.add({ position, variant, state: "failed", reason: end.reason });
      case "later":
        this.#laters.set(domain, (this.#laters.get(domain) ?? 0) + 1);
        this.#pauseMs = Math.min(this.#pauseMs, end.afterMs);
        return;
      case "again":
        this.#pauseMs = Math.min(this.#pauseMs, CAMPAIGN_AGAIN_MS);
        return;
      default:
        return unreachable(end);
    }
  }
}

/** A text that can't be filled in for somebody, although it could for the example, is no mail. */
async function endOf(sending: Promise<MailEnd>): Promise<MailEnd> {
  try {
    return await sending;
  } catch (error) {
    if (!(error instanceof TemplateFault)) throw error;
    return { end: "dead", reason: `the text: ${error.message}` };
  }
}

/** null: there is nothing to send for it. */
async function sendingOf({ rows }: BatchPorts, id: string): Promise<Sending | null> {
  const { rows: found } = await rows.query<CampaignRow & { readonly organization: string }>(
    `SELECT ${CAMPAIGN_COLUMNS}, (
       SELECT o.name FROM organizations o WHERE o.id = organization_id) AS organization
     FROM campaigns WHERE id = $1 AND state IN ('sending', 'sampling')`,
    [id],
  );
  const [row] = found;
  if (row === undefined) return null;
  const campaign = campaignOf(row);
  const events = await rows.query<CampaignEventRow>(CAMPAIGN_EVENT, [campaign.eventId]);
  const event = campaignEventOf(events.rows[0]);
  return { campaign, event, organization: { id: row.organization_id, name: row.organization } };
}

async function recipientsOf(
  { rows }: BatchPorts,
  { campaignId, from, to }: BatchData,
): Promise<Recipient[]> {
  const { rows: found } = await rows.query<Recipient>(
    `SELECT r.position, encode(r.digest, 'hex') AS digest, r.address, u.first_name, u.last_name,
       EXISTS (SELECT FROM tracking_objections o WHERE o.address = r.address) AS objects
     FROM campaign_recipients r LEFT JOIN users u ON u.id = r.user_id
     WHERE r.campaign_id = $1 AND r.position >= $2 AND r.position < $3
       AND r.state = 'waiting' AND r.address IS NOT NULL
     ORDER BY r.position`,
    [campaignId, from, to],
  );
  return found;
}
