import { randomBytes } from "node:crypto";
import { uuidV7 } from "../../engine/ids.ts";
import { DEAD_LETTERS_RESENT_MAX, JOB_REASON_CHARS_MAX } from "../../engine/lane-limits.ts";
import type { Queries, Scoped } from "../tenancy/database.ts";
import { type JobQueue, LANES, type Lane } from "./job.ts";
import { type OutboxEntry, putBackIntoOutbox } from "./outbox-entry.ts";

/** A job that failed for good, as operators see it. */
export interface DeadLetter {
  readonly id: string;
  readonly lane: Lane;
  /** OUTBOX_KIND: an entry of the outbox that nobody could follow. */
  readonly kind: string;
  readonly key: string | null;
  readonly data: object;
  readonly reason: string;
  /** RFC 3339. */
  readonly diedAt: string;
}

/** What is kept of one that dies. */
export type DyingLetter = Omit<DeadLetter, "id" | "diedAt">;

export const OUTBOX_KIND = "outbox";

/** In which order they died. */
export interface LetterPage {
  readonly lane: Lane | null;
  /** The last one that was seen; null: from the beginning. */
  readonly after: string | null;
  readonly limit: number;
}

/** Jobs that failed for good, until somebody sends them again or drops them. */
export class DeadLetters {
  readonly #rows: Scoped;
  readonly #queue: JobQueue;

  constructor(rows: Scoped, queue: JobQueue) {
    this.#rows = rows;
    this.#queue = queue;
  }

  async list({ lane, after, limit }: LetterPage): Promise<DeadLetter[]> {
    const { rows } = await this.#rows.query<LetterRow>(
      `SELECT * FROM dead_letters
       WHERE lane = ANY ($1) AND id > $2 ORDER BY id LIMIT $3`,
      [lane === null ? LANES : [lane], after ?? "00000000-0000-0000-0000-000000000000", limit],
    );
    return rows.map(letterOf);
  }

  async find(id: string): Promise<DeadLetter | null> {
    const { rows } = await this.#rows.query<LetterRow>("SELECT * FROM dead_letters WHERE id = $1", [
      id,
    ]);
    const [row] = rows;
    return row === undefined ? null : letterOf(row);
  }

  async drop(id: string): Promise<boolean> {
    const { rowCount } = await this.#rows.query("DELETE FROM dead_letters WHERE id = $1", [id]);
    return rowCount === 1;
  }

  /** Puts it back into the queue as if it were new; false: there is none. */
  async resend(id: string): Promise<boolean> {
    return (await this.#resend("id = $1", [id])) === 1;
  }

  /** The oldest DEAD_LETTERS_RESENT_MAX of a lane; answers how many that were. */
  resendLane(lane: Lane): Promise<number> {
    return this.#resend(
      "id IN (SELECT id FROM dead_letters WHERE lane = $1 ORDER BY id LIMIT $2)",
      [lane, DEAD_LETTERS_RESENT_MAX],
    );
  }

  #resend(condition: string, values: readonly unknown[]): Promise<number> {
    return this.#rows.transaction(async (client) => {
      const { rows } = await client.query<LetterRow>(
        `DELETE FROM dead_letters WHERE ${condition} RETURNING *`,
        values,
      );
      const jobs = rows.filter(({ kind }) => kind !== OUTBOX_KIND);
      await this.#queue.add(jobs, client);
      for (const { kind, data } of rows) {
        if (kind === OUTBOX_KIND) await putBackIntoOutbox(client, data as OutboxEntry);
      }
      return rows.length;
    });
  }
}

/** In the transaction that takes it from where it was. */
export async function bury(client: Queries, letter: DyingLetter): Promise<void> {
  const { lane, kind, key, data, reason } = letter;
  const kept = reason.replaceAll("\0", "\uFFFD").slice(0, JOB_REASON_CHARS_MAX);
  await client.query(
    `INSERT INTO dead_letters (id, lane, kind, key, data, reason)
     VALUES ($1, $2, $3, $4, $5, $6)`,
    [uuidV7(Date.now(), randomBytes(10)), lane, kind, key, JSON.stringify(data), kept],
  );
}

interface LetterRow extends DyingLetter {
  readonly id: string;
  readonly died_at: Date;
}

function letterOf({ died_at: diedAt, ...letter }: LetterRow): DeadLetter {
  return { ...letter, diedAt: diedAt.toISOString() };
}
