import type { Clock } from "../../workers/clock.ts";
import { runAt, type Scheduler, virtualClock } from "./scheduler.ts";

/** Thrown through the code of a process that has ended: it never goes on. */
export class ProcessEnded extends Error {
  constructor(reason: string) {
    super(reason);
    this.name = "ProcessEnded";
  }
}

export interface ProcessListener {
  /** It ended itself: it found that it cannot go on. */
  died(reason: string, cause: unknown): void;
  /** It ended, for whatever reason. */
  ended(): void;
}

/**
 * One life of a node's process.
 *
 * Invariant: once it has ended, none of its code runs: its timers, messages and pending answers are
 * dropped, and whatever it still tries throws ProcessEnded.
 */
export class VirtualProcess {
  readonly clock: Clock;
  readonly scheduler: Scheduler;
  /** What its wall clock shows too much, ms. */
  skewMs: number;
  /** It stands still until then: nothing is delivered, no timer fires. */
  resumesAtMs = 0;
  #isDying = false;
  #hasEnded = false;
  readonly #listener: ProcessListener;

  constructor(scheduler: Scheduler, skewMs: number, listener: ProcessListener) {
    this.scheduler = scheduler;
    this.skewMs = skewMs;
    this.#listener = listener;
    this.clock = this.clockOf(() => true);
  }

  /** Runs at that moment of virtual time, if the process lives, or when it goes on. */
  at(atMs: number, run: () => void): void {
    const vitality = { isAlive: () => this.isAlive, resumesAtMs: () => this.resumesAtMs };
    runAt(this.scheduler, vitality, { atMs, run });
  }

  /** The clock of one of its threads, which may end before it. */
  clockOf(isRunning: () => boolean): Clock {
    return virtualClock(this.scheduler, {
      skewMs: () => this.skewMs,
      isAlive: () => this.isAlive && isRunning(),
      resumesAtMs: () => this.resumesAtMs,
    });
  }

  get isAlive(): boolean {
    return !this.#hasEnded;
  }

  end(): void {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    this.#listener.ended();
  }

  /**
   * One of its threads ends it. The others go on for a moment: what a thread did before, as a write
   * that failed in the end, took its time, and they did not wait for it.
   */
  die(reason: string, cause: unknown, afterMs: number): never {
    if (this.isAlive && !this.#isDying) this.#listener.died(reason, cause);
    this.#isDying = true;
    this.scheduler.after(afterMs, () => this.end());
    throw new ProcessEnded(reason);
  }
}
