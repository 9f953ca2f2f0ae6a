import type { Clock } from "../../workers/clock.ts";
import { runAt, type Scheduler, type Vitality, virtualClock } from "./scheduler.ts";

/** Thrown through the code of a process that has ended: it never goes on. */
export class ProcessEnded extends Error {
  constructor(reason: string) {
    super(reason);
    this.name = "ProcessEnded";
  }
}

/** A thread of a process; it may end before the process does. */
export interface VirtualThread {
  hasEnded: boolean;
  /** Until then it waits for the disk: nothing is delivered to it, and nothing leaves it. */
  busyUntilMs: number;
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
  /** Of the main thread. */
  readonly clock: Clock;
  /** Whose code runs at the moment. */
  thread: VirtualThread = { hasEnded: false, busyUntilMs: 0 };
  readonly scheduler: Scheduler;
  /** What its wall clock shows too much, ms. */
  skewMs: number;
  #resumesAtMs = 0;
  #isDying = false;
  #hasEnded = false;
  readonly #listener: ProcessListener;
  readonly #vitality: Vitality = {
    isAlive: () => this.isAlive,
    resumesAtMs: () => this.#resumesAtMs,
  };

  constructor(scheduler: Scheduler, skewMs: number, listener: ProcessListener) {
    this.scheduler = scheduler;
    this.skewMs = skewMs;
    this.#listener = listener;
    this.clock = this.clockOf(this.thread);
  }

  /**
   * It stands still for so long, or as long as it does already: nothing is delivered, no timer
   * fires. What waits for the end of it keeps its order, so the end never comes sooner.
   */
  stall(ms: number): void {
    this.#resumesAtMs = Math.max(this.#resumesAtMs, this.scheduler.nowMs + ms);
  }

  /** The thread waits for so long, without giving way to anything else of it. */
  wait(thread: VirtualThread, ms: number): void {
    thread.busyUntilMs = Math.max(thread.busyUntilMs, this.scheduler.nowMs) + ms;
  }

  /** Runs as the thread, unless it has ended: what it listens to from in here is its own. */
  enter(thread: VirtualThread, run: () => void): void {
    if (thread.hasEnded || !this.isAlive) return;
    const before = this.thread;
    this.thread = thread;
    try {
      run();
    } finally {
      this.thread = before;
    }
  }

  /** Runs at that moment of virtual time, if the process lives, or when it goes on. */
  at(atMs: number, run: () => void): void {
    runAt(this.scheduler, this.#vitality, { atMs, run });
  }

  /** The clock of one of its threads. */
  clockOf(thread: VirtualThread): Clock {
    const clock = virtualClock(this.scheduler, {
      ...this.#vitality,
      skewMs: () => this.skewMs,
    });
    const entered = (run: () => void) => {
      const attempt = (): void => {
        if (thread.busyUntilMs <= this.scheduler.nowMs) return this.enter(thread, run);
        this.at(thread.busyUntilMs, attempt);
      };
      return attempt;
    };
    return {
      ...clock,
      after: (ms, run) => clock.after(ms, entered(run)),
      every: (ms, run) => clock.every(ms, entered(run)),
      soon: (run) => clock.soon(entered(run)),
    };
  }

  get isAlive(): boolean {
    return !this.#hasEnded;
  }

  /** It has found that it cannot go on; what its threads still say is of no account. */
  get isDying(): boolean {
    return this.#isDying;
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
