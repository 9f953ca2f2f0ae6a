import {
  TRACKED_TIMES_MAX,
  TRACKING_ROWS_MAX,
  TRACKING_WAITING_MAX,
  TRACKING_WRITE_MS,
} from "../../engine/campaign-limits.ts";
import type { Clock } from "../../workers/clock.ts";
import type { Log } from "../log.ts";
import type { Database, Queries } from "../tenancy/database.ts";
import { platform } from "../tenancy/scope.ts";
import type { TrackedRecipient } from "./tracking-token.ts";

interface Waiting {
  readonly recipient: TrackedRecipient;
  opens: number;
  clicks: number;
}

export interface TrackedCountsPorts {
  readonly database: Pick<Database, "in">;
  readonly clock: Clock;
  readonly log: Pick<Log, "warn">;
}

/**
 * Opens and clicks, from the requests that tell of them to the rows of the recipients.
 *
 * Invariants:
 * - Counting takes no time of the request's, and fails for nobody: what can't be kept is not
 *   counted, and `dropped` says how often.
 * - At most TRACKING_WAITING_MAX recipients wait to be written; a node that is killed loses the
 *   counts of the last TRACKING_WRITE_MS.
 * - Who has objected is not counted, whatever mail they open.
 */
export class TrackedCounts {
  dropped = 0;
  readonly #rows: Queries;
  readonly #ports: TrackedCountsPorts;
  #waiting = new Map<string, Waiting>();
  #writing: Promise<void> | null = null;
  #stopTimer = (): void => undefined;

  constructor(ports: TrackedCountsPorts) {
    this.#ports = ports;
    this.#rows = ports.database.in(platform("campaigns", "who opens a mail has not signed in"));
  }

  get waiting(): number {
    return this.#waiting.size;
  }

  start(): void {
    this.#stopTimer = this.#ports.clock.every(TRACKING_WRITE_MS, () => {
      void this.flush();
    });
  }

  async stop(): Promise<void> {
    this.#stopTimer();
    await this.#writing;
    await this.flush();
  }

  add(recipient: TrackedRecipient, kind: "open" | "click"): void {
    const key = `${recipient.campaignId} ${recipient.position}`;
    let counts = this.#waiting.get(key);
    if (counts === undefined) {
      if (this.#waiting.size >= TRACKING_WAITING_MAX) {
        this.dropped += 1;
        return;
      }
      counts = { recipient, opens: 0, clicks: 0 };
      this.#waiting.set(key, counts);
    }
    if (kind === "open") counts.opens += 1;
    else counts.clicks += 1;
  }

  /** Writes what waits. Never rejects: what could not be written waits on. */
  flush(): Promise<void> {
    this.#writing ??= this.#flush().finally(() => {
      this.#writing = null;
    });
    return this.#writing;
  }

  async #flush(): Promise<void> {
    let left = this.#waiting.size;
    while (left > 0) {
      const some = [...this.#waiting.entries()].slice(0, TRACKING_ROWS_MAX);
      left -= some.length;
      for (const [key] of some) this.#waiting.delete(key);
      try {
        await this.#write(some.map(([, counts]) => counts));
      } catch (error) {
        this.#ports.log.warn({ err: error }, "opens and clicks could not be written");
        for (const [key, counts] of some) this.#putBack(key, counts);
        return;
      }
    }
  }

  #putBack(key: string, { recipient, opens, clicks }: Waiting): void {
    const now = this.#waiting.get(key);
    if (now !== undefined) {
      now.opens += opens;
      now.clicks += clicks;
    } else if (this.#waiting.size < TRACKING_WAITING_MAX) {
      this.#waiting.set(key, { recipient, opens, clicks });
    } else this.dropped += opens + clicks;
  }

  /** Whoever clicks has opened, whether or not the image was shown. */
  async #write(counts: readonly Waiting[]): Promise<void> {
    await this.#rows.query({
      name: "count-opens-and-clicks",
      text: `UPDATE campaign_recipients r SET
          opens = least(r.opens + greatest(g.opens,
            CASE WHEN r.opens = 0 AND g.clicks > 0 THEN 1 ELSE 0 END), ${TRACKED_TIMES_MAX}),
          clicks = least(r.clicks + g.clicks, ${TRACKED_TIMES_MAX})
        FROM unnest($1::uuid[], $2::bigint[], $3::int[], $4::int[])
          AS g (campaign_id, position, opens, clicks)
        WHERE r.campaign_id = g.campaign_id AND r.position = g.position
          AND NOT tracking_objected(r.campaign_id, r.position)`,
      values: [
        counts.map(({ recipient }) => recipient.campaignId),
        counts.map(({ recipient }) => recipient.position),
        counts.map(({ opens }) => Math.min(opens, TRACKED_TIMES_MAX)),
        counts.map(({ clicks }) => Math.min(clicks, TRACKED_TIMES_MAX)),
      ],
    });
  }
}
