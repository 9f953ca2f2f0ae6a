import { BATCH_SIZES, Histogram, type HistogramSnapshot, WRITE_SECONDS } from "../histogram.ts";

/** What a journal has written since its start. */
export interface FrameFigures {
  readonly frames: number;
  readonly entries: number;
  readonly entriesPerFrame: number;
  readonly bytesWritten: number;
  /** The one fdatasync, or commit, of each frame. */
  readonly commitSeconds: HistogramSnapshot;
  /** Entries of each frame that has any. */
  readonly entriesOfFrames: HistogramSnapshot;
}

/** Counts the frames of a journal. */
export class FrameMeter {
  /** Of the last frame's fdatasync or commit. */
  lastMs = 0;
  #frames = 0;
  #entries = 0;
  #bytes = 0;
  readonly #seconds = new Histogram(WRITE_SECONDS);
  readonly #entriesOfFrames = new Histogram(BATCH_SIZES);

  wrote({ entries, bytes, ms }: { entries: number; bytes: number; ms: number }): void {
    this.lastMs = ms;
    this.#frames += 1;
    this.#entries += entries;
    this.#bytes += bytes;
    this.#seconds.observe(ms / 1_000);
    if (entries > 0) this.#entriesOfFrames.observe(entries);
  }

  figures(): FrameFigures {
    return {
      frames: this.#frames,
      entries: this.#entries,
      entriesPerFrame: this.#frames === 0 ? 0 : this.#entries / this.#frames,
      bytesWritten: this.#bytes,
      commitSeconds: this.#seconds.snapshot(),
      entriesOfFrames: this.#entriesOfFrames.snapshot(),
    };
  }
}
