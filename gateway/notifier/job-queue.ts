import { createHash, randomUUID } from "node:crypto";
import PgBoss from "pg-boss";
import {
  JOB_BEGINNINGS_MAX,
  JOB_LEASE_MS,
  JOB_REASON_CHARS_MAX,
  JOB_RETRY_SECONDS,
} from "../../engine/lane-limits.ts";
import type { Log } from "../log.ts";
import type { Queries, Scoped } from "../tenancy/database.ts";
import { bury } from "./dead-letters.ts";
import { type Job, type JobQueue, LANES, type Lane, type NewJob } from "./job.ts";

/** What of a job is in its row: everything that its dead letter needs. */
interface Stored {
  readonly kind: string;
  readonly key: string | null;
  readonly data: object;
}

/** A job that was taken out to be done. */
export interface TakenJob extends Job<object>, Stored {}

export interface LaneLoad {
  /** Jobs whose time has come. */
  readonly due: number;
  /** These, and those whose time has not come. */
  readonly waiting: number;
  readonly active: number;
  /** Since the oldest of those that are due was added. */
  readonly oldestDueMs: number;
}

export interface JobQueueOptions {
  readonly rows: Scoped;
  readonly laneOf: (kind: string) => Lane;
  readonly log: Pick<Log, "warn">;
}

const SCHEMA = "jobs";
/** Where pg-boss itself puts a job whose processes died on it too often. */
const ABANDONED = "abandoned";
const DIED_ON_IT = "every process that began it ended before it did";
const NO_LOAD: LaneLoad = { due: 0, waiting: 0, active: 0, oldestDueMs: 0 };
/** A job that waits for years, as for an event that is far away, is kept. */
const KEPT_DAYS = 3_650;

/**
 * The queue: pg-boss in the schema `jobs`, a queue of it for each lane.
 *
 * Jobs that are done are deleted, not kept as completed: what was done by them has its own rows.
 * A job's id is the digest of its kind and key, so that a second one with the same key is the same
 * row. Dead letters are kept in a table of ours, which can be listed and has reasons.
 */
export class PgJobQueue implements JobQueue {
  #boss: PgBoss;
  readonly #rows: Scoped;
  readonly #laneOf: (kind: string) => Lane;
  readonly #log: Pick<Log, "warn">;
  #loads: ReadonlyMap<string, LaneLoad> = new Map();

  constructor({ rows, laneOf, log }: JobQueueOptions) {
    this.#rows = rows;
    this.#laneOf = laneOf;
    this.#log = log;
    this.#boss = this.#newBoss();
  }

  /**
   * Makes the queues, and gives back what dead processes had begun. A database has one node (its
   * shards' epochs see to that), so what is active before this node has begun anything is theirs.
   */
  async start(): Promise<void> {
    // One whose start has failed takes itself for starting, for ever after.
    this.#boss = this.#newBoss();
    await this.#boss.start();
    await this.#boss.createQueue(ABANDONED);
    for (const lane of LANES) {
      await this.#boss.createQueue(lane, {
        name: lane,
        policy: "standard",
        retryLimit: JOB_BEGINNINGS_MAX,
        retryDelay: JOB_RETRY_SECONDS,
        retryBackoff: true,
        expireInSeconds: JOB_LEASE_MS / 1_000,
        deadLetter: ABANDONED,
      });
      await this.#takeOver(lane);
    }
    await this.look();
  }

  async stop(): Promise<void> {
    await this.#boss.stop({ graceful: false, close: false });
  }

  async add(jobs: readonly NewJob[], client: Queries = this.#rows): Promise<void> {
    if (jobs.length === 0) return;
    const inserted = jobs.map((job) => this.#insertOf(job));
    await this.#boss.insert(inserted, { db: within(client) });
  }

  waiting(lane: Lane): number {
    return this.load(lane).waiting;
  }

  /** As of the last `look`. */
  load(lane: Lane): LaneLoad {
    return this.#loads.get(lane) ?? NO_LOAD;
  }

  async look(): Promise<void> {
    const { rows } = await this.#rows.query<LoadRow>(LOADS);
    this.#loads = new Map(rows.map(({ lane, ...load }) => [lane, load]));
  }

  async take(lane: Lane, count: number): Promise<TakenJob[]> {
    const options = { batchSize: count, includeMetadata: true } as const;
    const jobs = await this.#boss.fetch<Stored>(lane, options);
    return jobs.map(({ id, retryCount, data }) => ({ ...data, id, begunBefore: retryCount }));
  }

  async done(lane: Lane, ids: readonly string[]): Promise<void> {
    await this.#boss.deleteJob(lane, [...ids]);
  }

  /** It comes back after that long as if it were new. */
  async putBack(lane: Lane, job: TakenJob, afterMs: number): Promise<void> {
    const { id, kind, key, data } = job;
    const startAfter = new Date(Date.now() + afterMs).toISOString();
    await this.#rows.transaction(async (client) => {
      const db = within(client);
      await this.#boss.deleteJob(lane, id, { db });
      await this.#boss.insert([{ id, name: lane, data: { kind, key, data }, startAfter }], { db });
    });
  }

  /** It comes back after a pause that grows. */
  async fail(lane: Lane, job: TakenJob, reason: string): Promise<void> {
    if (job.begunBefore + 1 >= JOB_BEGINNINGS_MAX) return this.bury(lane, job, reason);
    await this.#boss.fail(lane, job.id, { message: shortened(reason) });
  }

  async bury(lane: Lane, job: TakenJob, reason: string): Promise<void> {
    await this.#rows.transaction(async (client) => {
      await this.#boss.deleteJob(lane, job.id, { db: within(client) });
      await bury(client, { ...job, lane, reason });
    });
  }

  /** What pg-boss gave up, because the processes that had begun it died every time. */
  async buryAbandoned(): Promise<number> {
    const jobs = await this.#boss.fetch<Stored>(ABANDONED, { batchSize: 100 });
    for (const { id, data } of jobs) {
      await this.#rows.transaction(async (client) => {
        await this.#boss.deleteJob(ABANDONED, id, { db: within(client) });
        await bury(client, { ...data, lane: this.#laneOf(data.kind), reason: DIED_ON_IT });
      });
    }
    return jobs.length;
  }

  /**
   * Gives back what was begun, but what was begun too often. The two steps in which pg-boss lets a
   * job begin again are one: between them it is cancelled, and nobody else would look for it.
   */
  async #takeOver(lane: Lane): Promise<void> {
    await this.#rows.transaction(async (client) => {
      const db = within(client);
      const { rows } = await client.query<BegunRow>(BEGUN, [lane]);
      const ids: string[] = [];
      for (const { id, data, begunBefore } of rows) {
        if (begunBefore + 1 < JOB_BEGINNINGS_MAX) {
          ids.push(id);
        } else {
          await this.#boss.deleteJob(lane, id, { db });
          await bury(client, { ...data, lane, reason: DIED_ON_IT });
        }
      }
      if (ids.length === 0) return;
      await this.#boss.cancel(lane, ids, { db });
      await this.#boss.resume(lane, ids, { db });
    });
  }

  #newBoss(): PgBoss {
    const boss = new PgBoss({
      db: within(this.#rows),
      schema: SCHEMA,
      schedule: false,
      maintenanceIntervalSeconds: 15,
      archiveFailedAfterSeconds: 3_600,
      deleteAfterDays: 1,
      retentionDays: KEPT_DAYS,
    });
    boss.on("error", ({ message }) => {
      this.#log.warn({ reason: message }, "the queue has trouble");
    });
    return boss;
  }

  #insertOf(job: NewJob): PgBoss.JobInsert<Stored> {
    const { kind, key, data, notBeforeMs } = job;
    const startAfter = notBeforeMs === undefined ? undefined : new Date(notBeforeMs).toISOString();
    return {
      id: key === null ? randomUUID() : idOf(kind, key),
      name: this.#laneOf(kind),
      data: { kind, key, data },
      ...(startAfter === undefined ? {} : { startAfter }),
    };
  }
}

interface LoadRow extends LaneLoad {
  readonly lane: string;
}

const LOADS = `
  SELECT name AS lane,
    count(*) FILTER (WHERE state < 'active' AND start_after <= now())::integer AS due,
    count(*) FILTER (WHERE state < 'active')::integer AS waiting,
    count(*) FILTER (WHERE state = 'active')::integer AS active,
    coalesce(extract(epoch FROM now() - min(greatest(created_on, start_after))
      FILTER (WHERE state < 'active' AND start_after <= now())) * 1000, 0)::float AS "oldestDueMs"
  FROM ${SCHEMA}.job WHERE state <= 'active' GROUP BY name`;

interface BegunRow {
  readonly id: string;
  readonly data: Stored;
  readonly begunBefore: number;
}

/** Cancelled is what a process that was giving it back has left so: nobody else cancels. */
const BEGUN = `
  SELECT id, data, retry_count AS "begunBefore" FROM ${SCHEMA}.job
  WHERE name = $1 AND state IN ('active', 'cancelled') FOR UPDATE`;

/** A digest in the form of a UUID (version 8: made by the application's own rule). */
function idOf(kind: string, key: string): string {
  const hex = createHash("sha256").update(`${kind}\n${key}`).digest("hex");
  const parts = [hex.slice(0, 8), hex.slice(8, 12), `8${hex.slice(13, 16)}`];
  return [...parts, `a${hex.slice(17, 20)}`, hex.slice(20, 32)].join("-");
}

/** pg-boss's way to PostgreSQL, by ours. */
function within(client: Queries): PgBoss.Db {
  return { executeSql: (text, values) => client.query<object>(text, values) };
}

const shortened = (reason: string): string =>
  reason.replaceAll("\0", "\uFFFD").slice(0, JOB_REASON_CHARS_MAX);
