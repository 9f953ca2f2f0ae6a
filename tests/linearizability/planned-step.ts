/** A step that has to find its place in the order, and what is known of that place. */
import type { Step } from "./event-spec.ts";

export interface Window {
  readonly invokedMs: number;
  readonly answeredMs: number;
  /** For people. */
  readonly title: string;
}

export interface PlannedStep extends Window {
  readonly step: Step;
}

/** The end of a hold of which nobody was told the seq. */
export interface PlannedEnd extends PlannedStep {
  readonly holdId: string;
  /** When the hold was due. */
  readonly expiresAtMs: number;
  /** When it probably happened: a guess that costs time if it is wrong, and nothing else. */
  readonly likelyMs: number;
  /** Another end that the same hold may have had instead; null: none. */
  other: PlannedEnd | null;
  /** It has one of the seqs in [seqMin, seqMax]. */
  seqMin: number;
  seqMax: number;
}
