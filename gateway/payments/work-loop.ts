import { PAYMENT_BATCH_ROWS_MAX, PAYMENT_LOOK_MS } from "../../engine/limits.ts";
import type { Clock } from "../../workers/clock.ts";
import { ProblemError } from "../http/problem.ts";
import type { Log } from "../log.ts";

export interface WorkLoopOptions {
  /** For the log. */
  readonly name: string;
  /** One bounded step; answers how many rows it found. */
  readonly runBatch: () => Promise<number>;
  readonly clock: Clock;
  readonly log: Pick<Log, "warn">;
}

/**
 * Runs a step again and again: at once while there is more, otherwise every PAYMENT_LOOK_MS.
 *
 * Invariants: one step at a time; none begins after `stop`, which waits for the one that runs; a
 * step that throws ends nothing.
 */
export class WorkLoop {
  readonly #options: WorkLoopOptions;
  #step: Promise<void> = Promise.resolve();
  #cancel: (() => void) | null = null;
  #isStopped = true;

  constructor(options: WorkLoopOptions) {
    this.#options = options;
  }

  start(): void {
    this.#isStopped = false;
    this.#schedule(0);
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#cancel?.();
    await this.#step;
  }

  #schedule(ms: number): void {
    this.#cancel = this.#options.clock.after(ms, () => {
      this.#step = this.#run();
    });
  }

  async #run(): Promise<void> {
    const { name, runBatch, log } = this.#options;
    let found = 0;
    try {
      found = await runBatch();
    } catch (error) {
      // That the database is away was said once, and is no news of a runner's.
      const isKnown = error instanceof ProblemError && error.code === "busy";
      if (!isKnown) log.warn({ err: error, runner: name }, "a payment runner's step failed");
    }
    if (!this.#isStopped) this.#schedule(found >= PAYMENT_BATCH_ROWS_MAX ? 0 : PAYMENT_LOOK_MS);
  }
}
