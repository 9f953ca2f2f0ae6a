import { PerformanceObserver, performance } from "node:perf_hooks";
import { getHeapStatistics } from "node:v8";
import { Histogram, type HistogramSnapshot, LATENCY_SECONDS } from "./histogram.ts";

/** How a thread itself does, since its start. */
export interface ThreadVitals {
  /** Together they are the time that it has lived. */
  readonly busySeconds: number;
  readonly idleSeconds: number;
  /** How late its loop came to a timer: what anything else in it waits, too. */
  readonly delaySeconds: HistogramSnapshot;
  readonly heapUsedBytes: number;
  readonly heapTotalBytes: number;
  /** Pauses of the garbage collector. */
  readonly gcCount: number;
  readonly gcSeconds: number;
}

/** How often the delay is looked at: a standstill that is longer is seen for what it was. */
const DELAY_LOOK_MS = 100;

/** Begins to watch the thread that asks; the function tells how it did so far. */
export function watchThisThread(): () => ThreadVitals {
  const delays = new Histogram(LATENCY_SECONDS);
  let lookedMs = performance.now();
  const look = (): void => {
    const nowMs = performance.now();
    delays.observe(Math.max(0, nowMs - lookedMs - DELAY_LOOK_MS) / 1e3);
    lookedMs = nowMs;
  };
  setInterval(look, DELAY_LOOK_MS).unref();
  let gcCount = 0;
  let gcMs = 0;
  const collected = new PerformanceObserver((list) => {
    for (const { duration } of list.getEntries()) {
      gcCount += 1;
      gcMs += duration;
    }
  });
  collected.observe({ entryTypes: ["gc"] });
  return () => {
    const { active, idle } = performance.eventLoopUtilization();
    const heap = getHeapStatistics();
    return {
      busySeconds: active / 1e3,
      idleSeconds: idle / 1e3,
      delaySeconds: delays.snapshot(),
      heapUsedBytes: heap.used_heap_size,
      heapTotalBytes: heap.total_heap_size,
      gcCount,
      gcSeconds: gcMs / 1e3,
    };
  };
}

/** Of a thread that nobody watches. */
export const UNWATCHED: ThreadVitals = {
  busySeconds: 0,
  idleSeconds: 0,
  delaySeconds: new Histogram([]).snapshot(),
  heapUsedBytes: 0,
  heapTotalBytes: 0,
  gcCount: 0,
  gcSeconds: 0,
};
