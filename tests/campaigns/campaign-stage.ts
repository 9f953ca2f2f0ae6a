/** Campaigns on a real database, without a node around them. */
import { pino } from "pino";
import type { AbTest, CampaignState } from "../../gateway/campaigns/campaign.ts";
import type { Segment } from "../../gateway/campaigns/segment.ts";
import { campaignsPart } from "../../gateway/campaigns/sending/campaigns-part.ts";
import { readConfig } from "../../gateway/config.ts";
import type { Mailer, MailLinks } from "../../gateway/mail/mail-order.ts";
import type { MailTemplate } from "../../gateway/mail/templates/mail-template.ts";
import type { NotifierGround, NotifierPart } from "../../gateway/notifier/notifier-part.ts";
import { systemClock } from "../../workers/clock.ts";
import { type OwnerRows, openOwnerRows } from "../support/owner-rows.ts";
import { freshId } from "./customers.ts";
import { TableQueue } from "./table-queue.ts";

export const JWT_SECRET = "the secret of the tests of campaigns";
export const API_URL = "https://tickets.example.org";

const LINKS: MailLinks = {
  unsubscribe: (to) => `${API_URL}/unsubscribe?to=${encodeURIComponent(to)}`,
  preferences: (to) => `${API_URL}/preferences?to=${encodeURIComponent(to)}`,
};

export const TEXT: MailTemplate = {
  subject: "Hello {{ firstName | default: 'you' }}",
  blocks: {
    main: '<p>{{ organisation }} plays. <a href="https://example.org/?a=1&amp;b=2">Tickets</a></p>',
  },
};

export interface NewCampaign {
  readonly organizationId: string;
  readonly segment?: Segment;
  readonly variants?: readonly MailTemplate[];
  readonly abTest?: AbTest | null;
  readonly tracking?: boolean;
}

/** One process's notifier, as far as campaigns need it: it has its own clock. */
export class CampaignStage {
  readonly rows: OwnerRows;
  readonly queue: TableQueue;
  readonly part: NotifierPart;
  /** How far this clock is ahead. */
  aheadMs = 0;
  /** Set by tests: as if a node were being stopped. */
  stopping = new AbortController();

  private constructor(rows: OwnerRows, queue: TableQueue, mailer: Mailer) {
    this.rows = rows;
    this.queue = queue;
    const ground: NotifierGround = {
      config: readConfig({}),
      jwtSecret: JWT_SECRET,
      apiUrl: API_URL,
      rows,
      queue,
      whenTold: () => Promise.resolve(true),
      courtesy: { patientTurn: () => Promise.resolve(), charge: () => undefined, isQuiet: false },
      clock: { ...systemClock, wallMs: () => this.nowMs },
      log: pino({ level: "error" }),
    };
    this.part = campaignsPart(ground, { mailer, links: LINKS });
  }

  static async open(databaseUrl: string, mailer: Mailer): Promise<CampaignStage> {
    const rows = openOwnerRows(databaseUrl);
    return new CampaignStage(rows, await TableQueue.open(rows), mailer);
  }

  get nowMs(): number {
    return Date.now() + this.aheadMs;
  }

  /** A campaign that is due; its id. */
  async schedule(campaign: NewCampaign): Promise<string> {
    const { organizationId, variants = [TEXT], abTest = null, tracking = true } = campaign;
    const id = freshId();
    const json = [campaign.segment ?? { kind: "attended" }, variants, abTest];
    await this.rows.query(
      `INSERT INTO campaigns (id, organization_id, name, segment, variants, ab_test, tracking,
         state, scheduled_at)
       VALUES ($1, $2, 'Test', $3, $4, $5, $6, 'scheduled', now() - interval '1 second')`,
      [id, organizationId, ...json.map((value) => JSON.stringify(value)), tracking],
    );
    return id;
  }

  /** One look of the coordinator. */
  async tick(): Promise<void> {
    await this.part.tick?.run();
  }

  /** Looks and sends, until the campaign is in one of these states. */
  async runUntil(id: string, ...states: readonly CampaignState[]): Promise<void> {
    for (let turn = 0; turn < 10_000; turn++) {
      await this.tick();
      if (states.includes(await this.stateOf(id))) return;
      await this.runJobs();
    }
    throw new Error(`the campaign is ${await this.stateOf(id)} for ever`);
  }

  runJobs(): Promise<boolean> {
    const { signal } = this.stopping;
    return this.queue.run(this.part.handlers, { stopping: signal, nowMs: this.nowMs });
  }

  async stateOf(id: string): Promise<CampaignState> {
    const { rows } = await this.rows.query<{ state: CampaignState }>(
      "SELECT state FROM campaigns WHERE id = $1",
      [id],
    );
    return rows[0]?.state ?? "draft";
  }

  /** How many recipients are in each state. */
  async ends(id: string): Promise<Record<string, number>> {
    const { rows } = await this.rows.query<{ state: string; count: number }>(
      `SELECT state, count(*)::int AS count FROM campaign_recipients WHERE campaign_id = $1
       GROUP BY state ORDER BY state`,
      [id],
    );
    return Object.fromEntries(rows.map(({ state, count }) => [state, count]));
  }

  /** The keys that its mails have, as the database would make them. */
  async keys(id: string): Promise<string[]> {
    const { rows } = await this.rows.query<{ key: string }>(
      `SELECT 'campaign:' || campaign_id || ':' || encode(digest, 'hex') AS key
       FROM campaign_recipients WHERE campaign_id = $1`,
      [id],
    );
    return rows.map(({ key }) => key).sort();
  }

  close(): Promise<void> {
    return this.rows.end();
  }
}
