import { SEGMENT_BYTES } from "../../engine/limits.ts";
import type { Disk } from "./disk.ts";
import { makeSegment, segmentName } from "./segment.ts";

export type SupplyOutcome = "ready" | "no room";

/**
 * Prepares the next segment and removes retired ones, in the order of the calls. In production a
 * thread does it (thread-segment-supply.ts), in a simulation the caller. Every failure but a want
 * of room is fatal, and never an outcome.
 */
export interface SegmentSupply {
  /** Calls `done` once, at once or later. There is one preparation at a time. */
  prepare(sequence: number, done: (outcome: SupplyOutcome) => void): void;
  discard(sequences: readonly number[]): void;
  close(): void;
}

export class InlineSegmentSupply implements SegmentSupply {
  readonly #disk: Disk;
  readonly #randomSalt: () => Uint8Array;
  readonly #segmentBytes: number;

  /**
   * Raising `segmentBytes` makes roll-overs rarer and retirement coarser. Default: SEGMENT_BYTES.
   */
  constructor(disk: Disk, randomSalt: () => Uint8Array, segmentBytes = SEGMENT_BYTES) {
    this.#disk = disk;
    this.#randomSalt = randomSalt;
    this.#segmentBytes = segmentBytes;
  }

  prepare(sequence: number, done: (outcome: SupplyOutcome) => void): void {
    done(
      makeSegment(this.#disk, { sequence, salt: this.#randomSalt(), bytes: this.#segmentBytes }),
    );
  }

  discard(sequences: readonly number[]): void {
    discardSegments(this.#disk, sequences);
  }

  close(): void {
    // It holds nothing.
  }
}

/**
 * Removes segments, oldest first. Each is gone for good before the next one goes: what a crash
 * leaves is the journal without its beginning, and never one with a hole.
 */
export function discardSegments(disk: Disk, sequences: readonly number[]): void {
  for (const sequence of sequences) {
    disk.unlink(segmentName(sequence));
    disk.syncDirectory();
  }
}
