import {
  LANE_WAITING_MAX,
  OUTBOX_BATCH_MAX,
  OUTBOX_ENTRY_TRIES_MAX,
} from "../../engine/lane-limits.ts";
import type { Log } from "../log.ts";
import type { Queries, Scoped } from "../tenancy/database.ts";
import type { JobQueue, Lane, NewJob } from "./job.ts";
import type { NotifierPart } from "./notifier-part.ts";
import type { OutboxEntry } from "./outbox-entry.ts";

interface OutboxRelayOptions {
  readonly rows: Scoped;
  readonly queue: JobQueue;
  readonly parts: readonly Pick<NotifierPart, "follow">[];
  /** Keeps an entry that nobody can follow. */
  readonly bury: (client: Queries, entry: OutboxEntry, reason: string) => Promise<unknown>;
  readonly log: Pick<Log, "warn">;
}

interface OutboxRow {
  readonly id: string;
  readonly kind: OutboxEntry["kind"];
  readonly event_id: string | null;
  readonly seq: string | null;
  readonly change: string | null;
  readonly subject_id: string | null;
  readonly at_ms: string;
  readonly detail: unknown;
}

/**
 * Takes entries out of the outbox and puts what follows from them into the queue, in one
 * transaction: neither is ever without the other.
 *
 * A rush of bookings does not flood the queue, in which every job costs each look at it: while the
 * lane of confirmations is full, bookings wait in the outbox, and all else goes past them.
 */
export class OutboxRelay {
  readonly #options: OutboxRelayOptions;
  /** Entries of one batch: one alone after a failure, to find which it was. */
  #batchMax = OUTBOX_BATCH_MAX;
  #failures = { id: "", count: 0 };

  constructor(options: OutboxRelayOptions) {
    this.#options = options;
  }

  /** Answers whether there is more, or was when it looked. */
  async moveBatch(): Promise<boolean> {
    const { queue } = this.#options;
    const isFull = (lane: Lane): boolean => queue.waiting(lane) >= LANE_WAITING_MAX;
    let count = await this.#move("kind <> 'booked'", this.#batchMax);
    const room = this.#batchMax - count;
    if (room > 0 && !isFull("transactional")) count += await this.#move("kind = 'booked'", room);
    return count >= this.#batchMax;
  }

  async #move(condition: string, max: number): Promise<number> {
    let taken: readonly OutboxRow[] = [];
    try {
      await this.#options.rows.transaction(async (client) => {
        taken = await takeOut(client, condition, max);
        if (taken.length > 0) await this.#follow(client, taken.map(entryOf));
      });
      this.#batchMax = OUTBOX_BATCH_MAX;
      return taken.length;
    } catch (error) {
      await this.#failed(taken, error);
      return taken.length;
    }
  }

  async #follow(client: Queries, entries: readonly OutboxEntry[]): Promise<void> {
    const jobs: NewJob[] = [];
    for (const part of this.#options.parts) {
      if (part.follow !== undefined) jobs.push(...(await part.follow(entries, client)));
    }
    await this.#options.queue.add(jobs, client);
  }

  /** One that fails alone again and again gives way to those behind it. */
  async #failed(taken: readonly OutboxRow[], error: unknown): Promise<void> {
    const [row] = taken;
    if (row === undefined) throw error;
    this.#options.log.warn({ err: error, entries: taken.length }, "the outbox could not move on");
    this.#batchMax = 1;
    if (taken.length > 1) return;
    const count = this.#failures.id === row.id ? this.#failures.count + 1 : 1;
    this.#failures = { id: row.id, count };
    if (count < OUTBOX_ENTRY_TRIES_MAX) throw error;
    const reason = error instanceof Error ? error.message : String(error);
    await this.#options.rows.transaction(async (client) => {
      await client.query("DELETE FROM outbox WHERE id = $1", [row.id]);
      await this.#options.bury(client, entryOf(row), reason);
    });
  }
}

/** `condition` is one of two that this file has. */
async function takeOut(client: Queries, condition: string, max: number): Promise<OutboxRow[]> {
  const { rows } = await client.query<OutboxRow>(
    `DELETE FROM outbox WHERE id = ANY (ARRAY(
       SELECT id FROM outbox WHERE ${condition} ORDER BY id LIMIT $1 FOR UPDATE SKIP LOCKED))
     RETURNING *`,
    [max],
  );
  return rows.sort((a, b) => Number(a.id) - Number(b.id));
}

/** What is written into the table has these forms: outbox-entry.ts. */
function entryOf(row: OutboxRow): OutboxEntry {
  const { kind, event_id: eventId, change, subject_id: subjectId, detail } = row;
  const atMs = Number(row.at_ms);
  switch (kind) {
    case "mail":
      return { kind, atMs, detail } as OutboxEntry;
    case "eventEdited":
      return { kind, eventId, atMs, detail } as OutboxEntry;
    default:
      return { kind, eventId, seq: Number(row.seq), change, subjectId, atMs } as OutboxEntry;
  }
}
