import {
  CAMPAIGN_BATCH_RECIPIENTS,
  CAMPAIGN_BATCHES_WAITING_MAX,
  CAMPAIGN_REQUEUED_MAX,
  CAMPAIGN_STALL_MS,
} from "../../../engine/campaign-limits.ts";
import type { NewJob } from "../../notifier/job.ts";
import type { NotifierGround } from "../../notifier/notifier-part.ts";
import type { Queries } from "../../tenancy/database.ts";
import {
  CAMPAIGN_COLUMNS,
  type Campaign,
  type CampaignRow,
  campaignOf,
  type SampleCount,
  sampleSizeOf,
} from "../campaign.ts";
import { writeNextPage } from "./campaign-list.ts";
import { winnerOf } from "./winner.ts";

/** A job: recipients from and to (exclusive) these positions. */
export interface BatchData {
  readonly campaignId: string;
  readonly from: number;
  readonly to: number;
}
export const BATCH_KIND = "campaign.batch";

export type CoordinatorPorts = Pick<
  NotifierGround,
  "rows" | "queue" | "courtesy" | "clock" | "log"
>;

/** What the coordinator knows of a campaign beyond what others see. */
type Locked = Campaign & { readonly queued: number; readonly queuedAt: Date | null };
type LockedRow = CampaignRow & { readonly queued: number; readonly queued_at: Date | null };

/**
 * Takes campaigns from one state to the next, one step at a time:
 *
 *   due ─► list of recipients, page by page ─► batches, as the lane has room ─► sent
 *                                               │ after those of the sample: wait, decide ─┘
 *
 * Invariants:
 * - A step is one transaction that has locked the campaign: of several notifiers one takes it, and
 *   a crash leaves the step before it. Nothing is remembered here from one look to the next.
 * - A batch is in the queue together with the row that says so, or not at all.
 * - The queue never has more than CAMPAIGN_BATCHES_WAITING_MAX batches that wait, however many
 *   campaigns there are and however long: what comes next finds its turn.
 */
export class CampaignCoordinator {
  readonly #ports: CoordinatorPorts;
  /** Batches that were added since the queue was last asked. */
  #room = 0;
  #begun = 0;
  #ended = 0;

  constructor(ports: CoordinatorPorts) {
    this.#ports = ports;
  }

  get figures(): { readonly begun: number; readonly ended: number } {
    return { begun: this.#begun, ended: this.#ended };
  }

  async look(): Promise<void> {
    const { rows, queue, courtesy, clock, log } = this.#ports;
    this.#room = Math.max(0, CAMPAIGN_BATCHES_WAITING_MAX - queue.waiting("marketing"));
    const { rows: due } = await rows.query<{ id: string }>(
      `SELECT id FROM campaigns WHERE state IN ('sending', 'sampling')
         OR (state = 'scheduled' AND scheduled_at <= $1) ORDER BY scheduled_at, id`,
      [new Date(clock.wallMs())],
    );
    for (const { id } of due) {
      await courtesy.patientTurn();
      try {
        await this.#step(id);
      } catch (error) {
        // The others' turn must come, too.
        log.error({ err: error, campaignId: id }, "a campaign could not go on");
      }
    }
  }

  #step(id: string): Promise<void> {
    return this.#ports.rows.transaction(async (within) => {
      const { rows } = await within.query<LockedRow>(
        `SELECT ${CAMPAIGN_COLUMNS}, queued, queued_at FROM campaigns
         WHERE id = $1 FOR NO KEY UPDATE SKIP LOCKED`,
        [id],
      );
      const [row] = rows;
      // Another notifier has it, or it was just removed.
      if (row === undefined) return;
      const campaign = { ...campaignOf(row), queued: row.queued, queuedAt: row.queued_at };
      switch (campaign.state) {
        case "scheduled":
          return this.#begin(within, campaign);
        case "sending":
          if (campaign.listedAt === null) return this.#list(within, campaign);
          return this.#send(within, campaign);
        case "sampling":
          return this.#decide(within, campaign);
        default:
          return;
      }
    });
  }

  async #begin(within: Queries, { id, scheduledAt }: Locked): Promise<void> {
    // It may have been put off since it was found.
    if (scheduledAt !== null && scheduledAt.getTime() > this.#ports.clock.wallMs()) return;
    await within.query("UPDATE campaigns SET state = 'sending', started_at = now() WHERE id = $1", [
      id,
    ]);
    this.#begun += 1;
  }

  async #list(within: Queries, campaign: Locked): Promise<void> {
    const { clock, courtesy } = this.#ports;
    const begunMs = clock.monotonicMs();
    const { isTooLong } = await writeNextPage(within, campaign, { nowMs: clock.wallMs() });
    // PostgreSQL looks through all bookings for it, on the same machine perhaps.
    courtesy.charge(clock.monotonicMs() - begunMs);
    if (!isTooLong) return;
    await within.query(
      `UPDATE campaigns SET state = 'stopped', stop_reason = 'too_many_recipients',
         ended_at = now() WHERE id = $1`,
      [campaign.id],
    );
    this.#ended += 1;
  }

  async #send(within: Queries, campaign: Locked): Promise<void> {
    const { id, recipients, abTest, result } = campaign;
    const isTrying = abTest !== null && result === null;
    const end = isTrying ? sampleSizeOf(campaign) : recipients;
    if (campaign.queued < end) return this.#add(within, campaign, end);
    if (await isAnyWaiting(within, id, end)) return this.#addLost(within, campaign, end);
    if (isTrying && end < recipients) {
      await within.query(
        `UPDATE campaigns SET state = 'sampling', sample_ends_at = $2 WHERE id = $1`,
        [id, new Date(this.#ports.clock.wallMs() + abTest.waitMinutes * 60_000)],
      );
      return;
    }
    await within.query("UPDATE campaigns SET state = 'sent', ended_at = now() WHERE id = $1", [id]);
    this.#ended += 1;
  }

  /** As many as there is room for. */
  async #add(within: Queries, { id, queued }: Locked, end: number): Promise<void> {
    const jobs: NewJob[] = [];
    let from = queued;
    while (from < end && jobs.length < this.#room) {
      const to = Math.min(end, blockEnd(from));
      jobs.push(jobOf({ campaignId: id, from, to }));
      from = to;
    }
    if (jobs.length === 0) return;
    this.#room -= jobs.length;
    await this.#ports.queue.add(jobs, within);
    await within.query("UPDATE campaigns SET queued = $2, queued_at = $3 WHERE id = $1", [
      id,
      from,
      new Date(this.#ports.clock.wallMs()),
    ]);
  }

  /**
   * A job that became a dead letter, or was dropped, leaves recipients behind. While the job that
   * has them waits or runs, the queue keeps the one.
   */
  async #addLost(within: Queries, campaign: Locked, end: number): Promise<void> {
    const { id, queuedAt, result } = campaign;
    const nowMs = this.#ports.clock.wallMs();
    if (nowMs - (queuedAt?.getTime() ?? 0) < CAMPAIGN_STALL_MS) return;
    const { rows } = await within.query<{ block: number }>(
      `SELECT DISTINCT position / ${CAMPAIGN_BATCH_RECIPIENTS} AS block FROM campaign_recipients
       WHERE campaign_id = $1 AND position < $2 AND state = 'waiting' ORDER BY 1
       LIMIT ${CAMPAIGN_REQUEUED_MAX}`,
      [id, end],
    );
    const first = result === null ? 0 : sampleSizeOf(campaign);
    const jobs = rows.map(({ block }) => {
      const from = Math.max(first, block * CAMPAIGN_BATCH_RECIPIENTS);
      return jobOf({ campaignId: id, from, to: Math.min(end, blockEnd(from)) });
    });
    await this.#ports.queue.add(jobs, within);
    await within.query("UPDATE campaigns SET queued_at = $2 WHERE id = $1", [id, new Date(nowMs)]);
  }

  async #decide(within: Queries, campaign: Locked): Promise<void> {
    const { id, abTest, sampleEndsAt, variants } = campaign;
    if (abTest === null) return;
    if ((sampleEndsAt?.getTime() ?? 0) > this.#ports.clock.wallMs()) return;
    const { rows } = await within.query<SampleCount & { readonly variant: number }>(
      `SELECT variant, count(*) FILTER (WHERE state IN ('sent', 'in_doubt'))::int AS delivered,
         count(*) FILTER (WHERE opens > 0)::int AS opens,
         count(*) FILTER (WHERE clicks > 0)::int AS clicks
       FROM campaign_recipients WHERE campaign_id = $1 AND position < $2 AND variant IS NOT NULL
       GROUP BY variant`,
      [id, sampleSizeOf(campaign)],
    );
    const sample = variants.map((_, index) => {
      const {
        delivered = 0,
        opens = 0,
        clicks = 0,
      } = rows.find(({ variant }) => variant === index) ?? {};
      return { delivered, opens, clicks };
    });
    await within.query("UPDATE campaigns SET state = 'sending', result = $2 WHERE id = $1", [
      id,
      JSON.stringify(winnerOf(sample, abTest)),
    ]);
  }
}

/** Jobs end at multiples, so that one that is made anew has the recipients of the one it is for. */
const blockEnd = (from: number): number =>
  (Math.floor(from / CAMPAIGN_BATCH_RECIPIENTS) + 1) * CAMPAIGN_BATCH_RECIPIENTS;

/** The last ones wait longest: they are found first. */
async function isAnyWaiting(within: Queries, id: string, end: number): Promise<boolean> {
  const { rowCount } = await within.query(
    `SELECT FROM campaign_recipients WHERE campaign_id = $1 AND position < $2
       AND state = 'waiting' ORDER BY position DESC LIMIT 1`,
    [id, end],
  );
  return rowCount !== 0;
}

const jobOf = (data: BatchData): NewJob => ({
  kind: BATCH_KIND,
  key: `campaign:${data.campaignId}:${data.from}`,
  data,
});
