/** A clock that a test moves. For tests only. */
import type { Clock } from "../clock.ts";

interface Timer {
  atMs: number;
  readonly run: () => void;
}

export class ManualClock implements Clock {
  nowMs = 0;
  #timers: Timer[] = [];

  wallMs(): number {
    return this.nowMs;
  }

  monotonicMs(): number {
    return this.nowMs;
  }

  after(ms: number, run: () => void): () => void {
    const timer = { atMs: this.nowMs + ms, run };
    this.#timers.push(timer);
    return () => {
      this.#timers = this.#timers.filter((other) => other !== timer);
    };
  }

  every(ms: number, run: () => void): () => void {
    let cancel: () => void = () => undefined;
    const again = (): void => {
      cancel = this.after(ms, () => {
        again();
        run();
      });
    };
    again();
    return () => cancel();
  }

  soon(run: () => void): void {
    this.after(0, run);
  }

  /** Timers that are set. */
  get pending(): number {
    return this.#timers.length;
  }

  /** Lets this much time pass, and everything happen that follows from it. */
  async pass(ms: number): Promise<void> {
    const endMs = this.nowMs + ms;
    await promisesSettled();
    for (;;) {
      const [next] = this.#timers
        .filter(({ atMs }) => atMs <= endMs)
        .sort((a, b) => a.atMs - b.atMs);
      if (next === undefined) break;
      this.#timers = this.#timers.filter((timer) => timer !== next);
      this.nowMs = next.atMs;
      next.run();
      await promisesSettled();
    }
    this.nowMs = endMs;
  }
}

/** Every promise that waits for nothing but promises has gone on. */
function promisesSettled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
