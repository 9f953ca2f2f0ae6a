import { ProcessorWaits } from "./processor-waits.ts";

/** µs, ascending: by the clock, and without what the thread waited for a processor meanwhile. */
export interface TimesUs {
  readonly clock: Float64Array;
  readonly own: Float64Array;
}

/** Times one piece of work after another. */
export class TryTimes {
  readonly #waits: Pick<ProcessorWaits, "us" | "close">;
  readonly #clock: Float64Array;
  readonly #own: Float64Array;

  constructor(count: number, waits: Pick<ProcessorWaits, "us" | "close"> = new ProcessorWaits()) {
    this.#waits = waits;
    this.#clock = new Float64Array(count);
    this.#own = new Float64Array(count);
  }

  /** Those below 0 warm up, and do not count. */
  take<T>(n: number, work: () => T): T {
    const waitedUs = this.#waits.us;
    const startMs = performance.now();
    const done = work();
    const tookUs = (performance.now() - startMs) * 1_000;
    if (n >= 0) {
      this.#clock[n] = tookUs;
      this.#own[n] = Math.max(0, tookUs - (this.#waits.us - waitedUs));
    }
    return done;
  }

  end(): TimesUs {
    this.#waits.close();
    return { clock: this.#clock.sort(), own: this.#own.sort() };
  }
}
