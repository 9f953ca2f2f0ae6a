import type { SupplyOutcome } from "./segment-supply.ts";

/** Journal thread → segment allocator. Done in this order, one at a time. */
export type ToAllocator =
  | { readonly kind: "prepare"; readonly sequence: number }
  | { readonly kind: "discard"; readonly sequences: readonly number[] }
  | { readonly kind: "close" };

/** Segment allocator → journal thread: what became of the last `prepare`. */
export interface PreparedMessage {
  readonly kind: "prepared";
  readonly outcome: SupplyOutcome;
}
