import type { Check, Figure, Table } from "../report/report.ts";

/** What one part of the engine's bench found. */
export interface Finding {
  readonly figures: readonly Figure[];
  readonly checks: readonly Check[];
  /** Absent: none. */
  readonly tables?: readonly Table[];
}

/** `share` from 0 to 1 of values in ascending order. */
export const quantile = (sorted: Float64Array, share: number): number =>
  sorted[Math.min(sorted.length - 1, Math.ceil(share * sorted.length) - 1)] ?? 0;
