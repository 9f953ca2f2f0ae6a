import type { Job, JobHandler, JobQueue, Lane, NewJob } from "../../gateway/notifier/job.ts";
import type { Queries, Scoped } from "../../gateway/tenancy/database.ts";

const CREATE = `CREATE TABLE IF NOT EXISTS test_jobs (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  kind text NOT NULL,
  key text UNIQUE,
  data json NOT NULL,
  not_before_ms bigint NOT NULL,
  begun integer NOT NULL DEFAULT 0)`;

interface JobRow {
  readonly id: string;
  readonly kind: string;
  readonly data: object;
  readonly begun: number;
}

/** As the notifier's queue is used here: durable, at least once, one of each key; one process. */
export class TableQueue implements JobQueue {
  readonly #rows: Scoped;
  #waiting = 0;

  private constructor(rows: Scoped) {
    this.#rows = rows;
  }

  static async open(rows: Scoped): Promise<TableQueue> {
    await rows.query(CREATE);
    const queue = new TableQueue(rows);
    await queue.count();
    return queue;
  }

  async add(jobs: readonly NewJob[], within: Queries = this.#rows): Promise<void> {
    for (const { kind, key, data, notBeforeMs = 0 } of jobs) {
      await within.query(
        `INSERT INTO test_jobs (kind, key, data, not_before_ms) VALUES ($1, $2, $3, $4)
         ON CONFLICT (key) DO NOTHING`,
        [kind, key, JSON.stringify(data), notBeforeMs],
      );
      this.#waiting += 1;
    }
  }

  waiting(_: Lane): number {
    return this.#waiting;
  }

  async count(): Promise<number> {
    const { rows } = await this.#rows.query<{ count: number }>(
      "SELECT count(*)::int AS count FROM test_jobs",
    );
    this.#waiting = rows[0]?.count ?? 0;
    return this.#waiting;
  }

  /** Does the jobs that are due now, so many at once, each once. False: there was none. */
  async run(
    handlers: readonly JobHandler[],
    { stopping, nowMs = Date.now() }: { readonly stopping: AbortSignal; readonly nowMs?: number },
  ): Promise<boolean> {
    const { rows } = await this.#rows.query<JobRow>(
      `UPDATE test_jobs SET begun = begun + 1 WHERE id IN (
         SELECT id FROM test_jobs WHERE not_before_ms <= $1 ORDER BY id LIMIT 2)
       RETURNING id, kind, data, begun`,
      [nowMs],
    );
    await Promise.all(rows.map((row) => this.#do(row, handlers, { stopping, nowMs })));
    await this.count();
    return rows.length > 0;
  }

  async #do(
    { id, kind, data, begun }: JobRow,
    handlers: readonly JobHandler[],
    { stopping, nowMs }: { readonly stopping: AbortSignal; readonly nowMs: number },
  ): Promise<void> {
    const handler = handlers.find((one) => one.kind === kind);
    if (handler === undefined) throw new Error(`nobody does ${kind}`);
    const job: Job<object> = { id, data, begunBefore: begun - 1 };
    const outcome = await handler.handle(job, stopping);
    if (outcome.end === "done" || outcome.end === "dead") {
      await this.#rows.query("DELETE FROM test_jobs WHERE id = $1", [id]);
      return;
    }
    const afterMs = outcome.end === "later" ? outcome.afterMs : 1_000;
    await this.#rows.query("UPDATE test_jobs SET not_before_ms = $2 WHERE id = $1", [
      id,
      nowMs + afterMs,
    ]);
  }
}
