import {
  CAMPAIGN_ENDS_WAIT_MS,
  CAMPAIGN_ENDS_WAITING_MAX,
} from "../../../engine/campaign-limits.ts";
import type { Clock } from "../../../workers/clock.ts";
import type { Queries } from "../../tenancy/database.ts";

export interface RecipientEnd {
  readonly position: number;
  readonly variant: number;
  readonly state: "sent" | "in_doubt" | "suppressed" | "failed";
  /** Not of what was sent. */
  readonly reason: string | null;
}

export interface WrittenEndsOptions {
  readonly rows: Queries;
  readonly clock: Clock;
  readonly campaignId: string;
}

/**
 * Writes what became of recipients, many at a time.
 *
 * Invariant: an end is written once, over `waiting` alone. What a crash leaves unwritten is asked
 * of the mailer again, which knows it by its key.
 */
export class WrittenEnds {
  readonly #options: WrittenEndsOptions;
  #waiting: RecipientEnd[] = [];
  #writing: Promise<void> = Promise.resolve();
  #cancelTimer: (() => void) | null = null;
  #failure: { readonly cause: unknown } | null = null;

  constructor(options: WrittenEndsOptions) {
    this.#options = options;
  }

  /** Throws what a write before it has failed with: what can't be written need not be sent. */
  add(end: RecipientEnd): void {
    if (this.#failure !== null) throw this.#failure.cause;
    this.#waiting.push(end);
    if (this.#waiting.length >= CAMPAIGN_ENDS_WAITING_MAX) this.#begin();
    else
      this.#cancelTimer ??= this.#options.clock.after(CAMPAIGN_ENDS_WAIT_MS, () => this.#begin());
  }

  /** All of them. Rejects if any could not be written. */
  async flush(): Promise<void> {
    this.#begin();
    await this.#writing;
    if (this.#failure !== null) throw this.#failure.cause;
  }

  #begin(): void {
    this.#cancelTimer?.();
    this.#cancelTimer = null;
    const ends = this.#waiting;
    if (ends.length === 0) return;
    this.#waiting = [];
    this.#writing = this.#writing
      .then(() => this.#write(ends))
      .catch((cause: unknown) => {
        this.#failure ??= { cause };
      });
  }

  async #write(ends: readonly RecipientEnd[]): Promise<void> {
    await this.#options.rows.query({
      name: "write-campaign-ends",
      text: `UPDATE campaign_recipients r
        SET state = e.state, variant = e.variant, reason = e.reason, ended_at = now()
        FROM unnest($2::int[], $3::text[], $4::smallint[], $5::text[])
          AS e (position, state, variant, reason)
        WHERE r.campaign_id = $1 AND r.position = e.position AND r.state = 'waiting'`,
      values: [
        this.#options.campaignId,
        ends.map(({ position }) => position),
        ends.map(({ state }) => state),
        ends.map(({ variant }) => variant),
        ends.map(({ reason }) => reason),
      ],
    });
  }
}
