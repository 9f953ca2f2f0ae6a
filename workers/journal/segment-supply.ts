import { SEGMENT_BYTES } from "../../engine/limits.ts";
import type { Disk } from "./disk.ts";
import {
  type ArchiveOptions,
  makeSegmentBeforeArchive,
  NO_ARCHIVE,
  retireSegment,
} from "./segment-archive.ts";

export type SupplyOutcome = "ready" | "no room";

/**
 * Prepares the next segment and removes or archives retired ones, in the order of the calls. In
 * production a thread does it (thread-segment-supply.ts), in a simulation the caller. Every failure
 * but a want of room is fatal, and never an outcome.
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
  readonly #archive: ArchiveOptions;

  /**
   * Raising `segmentBytes` makes roll-overs rarer and retirement coarser. Default: SEGMENT_BYTES.
   */
  constructor(
    disk: Disk,
    randomSalt: () => Uint8Array,
    segmentBytes = SEGMENT_BYTES,
    archive = NO_ARCHIVE,
  ) {
    this.#disk = disk;
    this.#randomSalt = randomSalt;
    this.#segmentBytes = segmentBytes;
    this.#archive = archive;
  }

  prepare(sequence: number, done: (outcome: SupplyOutcome) => void): void {
    const segment = { sequence, salt: this.#randomSalt(), bytes: this.#segmentBytes };
    done(makeSegmentBeforeArchive(this.#disk, segment, this.#archive.warn));
  }

  discard(sequences: readonly number[]): void {
    discardSegments(this.#disk, sequences, this.#archive);
  }

  close(): void {
    // It holds nothing.
  }
}

/**
 * Takes segments out of the journal, in the order given (oldest first, or those never used, last
 * first). Each is gone for good before the next one goes: what a crash leaves is the journal
 * without its beginning, and never one with a hole.
 */
export function discardSegments(
  disk: Disk,
  sequences: readonly number[],
  archive: ArchiveOptions = NO_ARCHIVE,
): void {
  for (const sequence of sequences) retireSegment(disk, sequence, archive);
}
