import { createHistogram, type RecordableHistogram } from "node:perf_hooks";
import type { LatencyFigures, Stream } from "../report/report.ts";

/** Longest time that is told apart from longer ones: an hour, in µs. */
const LATENCY_US_MAX = 3_600_000_000;

/** Times of a stream, with three digits each (an HdrHistogram), and exact at the top. */
export class LatencyRecord {
  readonly #histogram: RecordableHistogram = createHistogram({
    lowest: 1,
    highest: LATENCY_US_MAX,
    figures: 3,
  });
  #maxMs = 0;

  get count(): number {
    return this.#histogram.count;
  }

  add(ms: number): void {
    this.#histogram.record(Math.min(LATENCY_US_MAX, Math.max(1, Math.round(ms * 1_000))));
    if (ms > this.#maxMs) this.#maxMs = ms;
  }

  /** From 0 to 100; 0 when nothing was added. */
  percentileMs(percent: number): number {
    if (this.count === 0) return 0;
    return Math.min(this.#histogram.percentile(percent) / 1_000, this.#maxMs);
  }

  figures(): LatencyFigures {
    const [p50 = 0, p90 = 0, p99 = 0, p999 = 0] = [50, 90, 99, 99.9].map((percent) =>
      this.percentileMs(percent),
    );
    return { p50, p90, p99, p999, max: this.#maxMs };
  }
}

export const isSuccess = (status: number): boolean =>
  (status >= 200 && status < 300) || status === 304;

/**
 * What came of one kind of request. Times of refusals are kept apart: an answer that says no is
 * quick, and would flatter those that say yes.
 */
export class StreamRecord {
  readonly #name: string;
  readonly #isCorrected: boolean;
  readonly #statuses = new Map<number, number>();
  readonly #succeeded = new Outcomes();
  readonly #refused = new Outcomes();

  constructor(name: string, isCorrected: boolean) {
    this.#name = name;
    this.#isCorrected = isCorrected;
  }

  get succeeded(): number {
    return this.#succeeded.latency.count;
  }

  get wasAsked(): boolean {
    return this.#statuses.size > 0;
  }

  /** `atMs`: since the load began. */
  add({ status, ms, atMs }: { status: number; ms: number; atMs: number }): void {
    this.#statuses.set(status, (this.#statuses.get(status) ?? 0) + 1);
    if (status === 0) return;
    (isSuccess(status) ? this.#succeeded : this.#refused).add(ms, atMs);
  }

  /** Refusals are a stream of their own, where there were any. */
  streams(seconds: number): Stream[] {
    const statuses = (isWanted: (status: number) => boolean) =>
      Object.fromEntries([...this.#statuses].filter(([status]) => isWanted(status)));
    const base = { seconds, isCorrected: this.#isCorrected };
    const succeeded = {
      ...base,
      name: this.#name,
      ...this.#succeeded.figures(),
      statuses: statuses(() => true),
    };
    if (this.#refused.latency.count === 0) return [succeeded];
    const refused = {
      ...base,
      name: `refused ${this.#name}`,
      ...this.#refused.figures(),
      statuses: statuses((status) => status !== 0 && !isSuccess(status)),
    };
    return [succeeded, refused];
  }
}

class Outcomes {
  readonly latency = new LatencyRecord();
  readonly #perSecond: number[] = [];

  add(ms: number, atMs: number): void {
    this.latency.add(ms);
    const second = Math.floor(atMs / 1_000);
    while (this.#perSecond.length <= second) this.#perSecond.push(0);
    this.#perSecond[second] = (this.#perSecond[second] ?? 0) + 1;
  }

  figures(): Pick<Stream, "count" | "latencyMs" | "perSecond"> {
    const { count } = this.latency;
    return { count, latencyMs: this.latency.figures(), perSecond: [...this.#perSecond] };
  }
}
