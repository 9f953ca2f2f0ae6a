import { JOB_TURN_MS_MAX } from "../../engine/lane-limits.ts";
import type { Log } from "../log.ts";
import type { Courtesy } from "./courtesy.ts";
import type { JobEnd, JobHandler, Lane as LaneName } from "./job.ts";
import type { PgJobQueue, TakenJob } from "./job-queue.ts";

export interface LaneOptions {
  readonly name: LaneName;
  /** Jobs that run at once. */
  readonly concurrency: number;
  readonly handlers: ReadonlyMap<string, JobHandler>;
  readonly queue: PgJobQueue;
  readonly courtesy: Courtesy;
  readonly log: Pick<Log, "warn">;
}

export interface LaneFigures {
  readonly name: LaneName;
  readonly isPaused: boolean;
  readonly concurrency: number;
  readonly running: number;
  /** Since the start of this process, by how they ended. */
  readonly ended: Readonly<Record<JobEnd["end"], number>>;
}

/**
 * Takes jobs of one lane out of the queue and runs them.
 *
 * Invariants: at most `concurrency` run at once; a job that was taken ends in the queue as its
 * handler said, or, if that could not be written, comes back when its lease is over; a paused lane
 * takes none, and what runs in it is finished.
 */
export class Lane {
  readonly name: LaneName;
  readonly #options: LaneOptions;
  readonly #running = new Set<Promise<void>>();
  readonly #stopping = new AbortController();
  readonly #ended = { done: 0, later: 0, again: 0, dead: 0 };
  readonly #doneIds: string[] = [];
  #isWritingDone: Promise<void> | null = null;
  #isTaking = false;
  /** Something came up while the lane was looking. */
  #isPoked = false;
  #isPaused = true;

  constructor(options: LaneOptions) {
    this.name = options.name;
    this.#options = options;
  }

  get figures(): LaneFigures {
    return {
      name: this.name,
      isPaused: this.#isPaused,
      concurrency: this.#options.concurrency,
      running: this.#running.size,
      ended: { ...this.#ended },
    };
  }

  setPaused(isPaused: boolean): void {
    this.#isPaused = isPaused;
    if (!isPaused) this.poke();
  }

  /** Something may be due. */
  poke(): void {
    this.#isPoked = true;
    if (!this.#isTaking) void this.#look();
  }

  /** Takes nothing more, and waits for what runs, which is asked to come to an end. */
  async stop(): Promise<void> {
    this.#isPaused = true;
    this.#stopping.abort();
    await Promise.all(this.#running);
    await this.#isWritingDone;
  }

  async #look(): Promise<void> {
    this.#isTaking = true;
    while (this.#isPoked) {
      this.#isPoked = false;
      await this.#takeAll();
    }
    this.#isTaking = false;
  }

  async #takeAll(): Promise<void> {
    const { concurrency, queue, courtesy, log } = this.#options;
    try {
      for (;;) {
        await (this.name === "marketing" ? courtesy.patientTurn() : courtesy.turn());
        // A few at once: each time costs the database the same.
        const room = concurrency - this.#running.size;
        if (this.#isPaused || room < Math.ceil(concurrency / 4)) return;
        const wanted = courtesy.isHoldingBack ? 1 : room;
        const jobs = await queue.take(this.name, wanted);
        for (const job of jobs) this.#run(job);
        if (jobs.length < wanted) return;
      }
    } catch (error) {
      log.warn({ err: error, lane: this.name }, "no jobs could be taken");
    }
  }

  #run(job: TakenJob): void {
    const run = this.#toItsEnd(job).finally(() => {
      this.#running.delete(run);
      this.poke();
    });
    this.#running.add(run);
  }

  async #toItsEnd(job: TakenJob): Promise<void> {
    const end = await this.#handle(job);
    this.#ended[end.end] += 1;
    try {
      await this.#settle(job, end);
    } catch (error) {
      const { log } = this.#options;
      log.warn({ err: error, kind: job.kind }, "a job's end could not be written: it comes again");
    }
  }

  async #handle(job: TakenJob): Promise<JobEnd> {
    const handler = this.#options.handlers.get(job.kind);
    if (handler === undefined) return { end: "dead", reason: `nobody handles ${job.kind}` };
    const turn = AbortSignal.any([this.#stopping.signal, AbortSignal.timeout(JOB_TURN_MS_MAX)]);
    try {
      return await handler.handle(job, turn);
    } catch (error) {
      this.#options.log.warn({ err: error, kind: job.kind }, "a job failed");
      return { end: "again", reason: error instanceof Error ? error.message : String(error) };
    }
  }

  #settle(job: TakenJob, end: JobEnd): Promise<void> {
    const { queue } = this.#options;
    switch (end.end) {
      case "done":
        return this.#finish(job.id);
      case "later":
        return queue.putBack(this.name, job, end.afterMs);
      case "again":
        if (end.afterMs !== undefined) return queue.putBack(this.name, job, end.afterMs);
        return queue.fail(this.name, job, end.reason);
      case "dead":
        return queue.bury(this.name, job, end.reason);
    }
  }

  /** Together with all that are done while the last ones are written. */
  async #finish(id: string): Promise<void> {
    this.#doneIds.push(id);
    this.#isWritingDone ??= this.#writeDone();
    await this.#isWritingDone;
  }

  async #writeDone(): Promise<void> {
    try {
      while (this.#doneIds.length > 0) {
        await this.#options.queue.done(this.name, this.#doneIds.splice(0));
      }
    } finally {
      this.#isWritingDone = null;
    }
  }
}
