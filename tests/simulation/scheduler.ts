/**
 * Virtual time: what is to happen, in order. Nothing in a simulation happens but from here, so the
 * order of everything follows from the seed.
 */
import type { Clock } from "../../workers/clock.ts";

interface Planned {
  readonly atMs: number;
  /** Breaks ties: first planned, first run. */
  readonly order: number;
  run: (() => void) | null;
}

export class Scheduler {
  /** Unix ms; fractions are finer than any clock shows. */
  nowMs: number;
  /** Steps taken so far. */
  steps = 0;
  readonly #heap: Planned[] = [];
  #planned = 0;

  constructor(startMs: number) {
    this.nowMs = startMs;
  }

  /** Runs once after `ms`, unless the returned function is called before. */
  after(ms: number, run: () => void): () => void {
    return this.at(this.nowMs + ms, run);
  }

  /** Runs once at that moment, or at once; what is planned for one moment keeps its order. */
  at(ms: number, run: () => void): () => void {
    const planned: Planned = { atMs: Math.max(this.nowMs, ms), order: this.#planned, run };
    this.#planned += 1;
    this.#push(planned);
    return () => {
      planned.run = null;
    };
  }

  /** Takes the next step; false: there is none before `untilMs`. */
  step(untilMs: number): boolean {
    for (;;) {
      const next = this.#heap[0];
      if (next === undefined || next.atMs > untilMs) {
        this.nowMs = Math.max(this.nowMs, untilMs);
        return false;
      }
      this.#pop();
      if (next.run === null) continue;
      this.nowMs = Math.max(this.nowMs, next.atMs);
      this.steps += 1;
      next.run();
      return true;
    }
  }

  #push(planned: Planned): void {
    const heap = this.#heap;
    let at = heap.push(planned) - 1;
    while (at > 0) {
      const parent = (at - 1) >>> 1;
      const above = heap[parent];
      if (above === undefined || !isBefore(planned, above)) break;
      heap[at] = above;
      at = parent;
    }
    heap[at] = planned;
  }

  #pop(): void {
    const heap = this.#heap;
    const last = heap.pop();
    if (last === undefined || heap.length === 0) return;
    let at = 0;
    for (;;) {
      const left = 2 * at + 1;
      const [a, b] = [heap[left], heap[left + 1]];
      if (a === undefined) break;
      const isRight = b !== undefined && isBefore(b, a);
      const least = isRight ? b : a;
      if (!isBefore(least, last)) break;
      heap[at] = least;
      at = isRight ? left + 1 : left;
    }
    heap[at] = last;
  }
}

function isBefore(a: Planned, b: Planned): boolean {
  return a.atMs < b.atMs || (a.atMs === b.atMs && a.order < b.order);
}

/** Resolves when every promise that could settle has done so: time stands still meanwhile. */
export function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** Whether and when somebody runs at all. */
export interface Vitality {
  /** Nothing runs for whoever is dead. */
  readonly isAlive: () => boolean;
  /** Whoever stands still goes on then, in the same order. */
  readonly resumesAtMs: () => number;
}

/** How a thread sees time. */
export interface VirtualClockOptions extends Vitality {
  /** What the wall clock shows too much, ms. */
  readonly skewMs: () => number;
}

/** Runs at that moment, or when whoever it is goes on; the returned function prevents it. */
export function runAt(
  scheduler: Scheduler,
  { isAlive, resumesAtMs }: Vitality,
  { atMs, run }: { readonly atMs: number; readonly run: () => void },
): () => void {
  const attempt = (): void => {
    if (!isAlive()) return;
    if (resumesAtMs() > scheduler.nowMs) cancel = scheduler.at(resumesAtMs(), attempt);
    else run();
  };
  let cancel = scheduler.at(atMs, attempt);
  return () => cancel();
}

export function virtualClock(scheduler: Scheduler, options: VirtualClockOptions): Clock {
  const { skewMs } = options;
  const after = (ms: number, run: () => void): (() => void) =>
    runAt(scheduler, options, { atMs: scheduler.nowMs + ms, run });
  return {
    wallMs: () => Math.floor(scheduler.nowMs + skewMs()),
    monotonicMs: () => scheduler.nowMs,
    after,
    every: (ms, run) => {
      let cancel: () => void = () => undefined;
      const plan = (): void => {
        cancel = after(ms, () => {
          plan();
          run();
        });
      };
      plan();
      return () => cancel();
    },
    soon: (run) => {
      after(0, run);
    },
  };
}
