import type { Identity } from "../identity/tokens.ts";
import type { Database } from "../tenancy/database.ts";
import { asker } from "../tenancy/scope.ts";
import type { Campaign } from "./campaign.ts";

/** People, and how often they did it. */
export interface Reaction {
  readonly unique: number;
  readonly total: number;
}

export interface Counts {
  /** Recipients that it came to; of a variant, those that have had their turn. */
  readonly recipients: number;
  readonly sent: number;
  readonly inDoubt: number;
  readonly failed: number;
  readonly suppressed: number;
  readonly opens: Reaction;
  readonly clicks: Reaction;
  readonly unsubscribes: number;
  /** Unique ones of what was sent or is in doubt; null: there is none. */
  readonly openRate: number | null;
  readonly clickRate: number | null;
}

export interface CampaignStatistics extends Counts {
  readonly state: Campaign["state"];
  /** False: the list of recipients is still being written. */
  readonly isListed: boolean;
  /** Recipients without an end; once it is stopped, those who get nothing. */
  readonly waiting: number;
  /** From 0 to 1. */
  readonly progress: number;
  readonly variants: readonly Counts[];
  readonly abResult: Campaign["result"];
}

interface CountRow {
  readonly state: string;
  readonly variant: number | null;
  readonly people: number;
  readonly opens: number;
  readonly openers: number;
  readonly clicks: number;
  readonly clickers: number;
  readonly unsubscribes: number;
}

/** Counts anew whenever it is asked, so that no figure can drift from what happened. */
export class StatisticsReader {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  async of(identity: Identity, campaign: Campaign): Promise<CampaignStatistics> {
    const { id, organizationId, state, variants, listedAt, result } = campaign;
    const { rows } = await this.#database.in(asker(identity)).query<CountRow>(
      `SELECT state, variant, count(*)::int AS people, sum(opens)::float8 AS opens,
         count(*) FILTER (WHERE opens > 0)::int AS openers, sum(clicks)::float8 AS clicks,
         count(*) FILTER (WHERE clicks > 0)::int AS clickers,
         count(unsubscribed_at)::int AS unsubscribes
       FROM campaign_recipients WHERE campaign_id = $1 AND organization_id = $2
       GROUP BY state, variant`,
      [id, organizationId],
    );
    const waiting = peopleIn(rows, "waiting");
    const counts = countsOf(rows);
    const done = counts.recipients - waiting;
    const isOver = state === "sent" && counts.recipients === 0;
    return {
      ...counts,
      state,
      isListed: listedAt !== null,
      waiting,
      progress: isOver ? 1 : counts.recipients === 0 ? 0 : done / counts.recipients,
      variants: variants.map((_, index) => countsOf(rows.filter((row) => row.variant === index))),
      abResult: result,
    };
  }
}

const sum = (rows: readonly CountRow[], of: (row: CountRow) => number): number =>
  rows.reduce((total, row) => total + of(row), 0);

const peopleIn = (rows: readonly CountRow[], state: string): number =>
  sum(rows, (row) => (row.state === state ? row.people : 0));

function countsOf(rows: readonly CountRow[]): Counts {
  const sent = peopleIn(rows, "sent");
  const inDoubt = peopleIn(rows, "in_doubt");
  const opens = { unique: sum(rows, (row) => row.openers), total: sum(rows, (row) => row.opens) };
  const clicks = {
    unique: sum(rows, (row) => row.clickers),
    total: sum(rows, (row) => row.clicks),
  };
  const delivered = sent + inDoubt;
  const rateOf = ({ unique }: Reaction): number | null =>
    delivered === 0 ? null : Math.min(1, unique / delivered);
  return {
    recipients: sum(rows, (row) => row.people),
    sent,
    inDoubt,
    failed: peopleIn(rows, "failed"),
    suppressed: peopleIn(rows, "suppressed"),
    opens,
    clicks,
    unsubscribes: sum(rows, (row) => row.unsubscribes),
    openRate: rateOf(opens),
    clickRate: rateOf(clicks),
  };
}
