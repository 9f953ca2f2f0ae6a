import type { Check, Figure } from "../report/report.ts";

/** What one part of the engine's bench found. */
export interface Finding {
  readonly figures: readonly Figure[];
  readonly checks: readonly Check[];
}

/** `share` from 0 to 1 of values in ascending order. */
export const quantile = (sorted: Float64Array, share: number): number =>
  sorted[Math.min(sorted.length - 1, Math.ceil(share * sorted.length) - 1)] ?? 0;
