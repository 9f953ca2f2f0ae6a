import type { Clock } from "../../workers/clock.ts";
import type { Log } from "../log.ts";

export interface TickerOptions {
  /** For the log. */
  readonly name: string;
  readonly everyMs: number;
  readonly run: () => Promise<unknown>;
  readonly clock: Clock;
  readonly log: Pick<Log, "warn">;
}

/**
 * Runs something every `everyMs`, and sooner when poked.
 *
 * Invariants: one run at a time; a poke during a run is followed by another run; none begins after
 * `stop`, which waits for the one that runs; a run that throws ends nothing.
 */
export class Ticker {
  readonly #options: TickerOptions;
  #running: Promise<void> | null = null;
  #isPoked = false;
  #isStopped = false;
  #cancel: () => void = () => undefined;

  constructor(options: TickerOptions) {
    this.#options = options;
  }

  start(): void {
    const { clock, everyMs } = this.#options;
    this.#cancel = clock.every(everyMs, () => this.poke());
    this.poke();
  }

  poke(): void {
    this.#isPoked = true;
    this.#running ??= this.#run();
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#cancel();
    await this.#running;
  }

  async #run(): Promise<void> {
    const { name, run, log } = this.#options;
    while (this.#isPoked && !this.#isStopped) {
      this.#isPoked = false;
      try {
        await run();
      } catch (error) {
        log.warn({ err: error, ticker: name }, "the notifier could not do what was due");
      }
    }
    this.#running = null;
  }
}
