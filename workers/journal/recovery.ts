/**
 * What a journal found at start means. Reads only: not a byte changes before the verdict.
 *
 *   found                                                     verdict
 *   no segment that was ever used                             empty
 *   every frame valid, up to zeros or the end of each file    clean
 *   the last used segment ends in a bad frame,                torn tail: never acknowledged;
 *     and nothing valid is behind it                            copied, cut off (torn-tail.ts)
 *   a leftover .tmp; trailing segments never used             normal, whatever else is found
 *   segments before the origin of the last completed start    normal: written again, half removed
 *   entries at or below what their shard already showed       normal: a start was cut short while
 *                                                               it rewrote them (file-journal.ts)
 *
 *   refused, as JournalCorrupt with the code journal_…
 *   bad_header              a header that is neither whole nor all zero, or of another segment
 *   missing_segment         sequence numbers with a gap
 *   unused_segment_between  a segment that was never used, before one that was
 *   frame_after_bad         a valid frame behind a bad one, in any segment
 *   bad_older_frame         a bad frame in a segment that is not the last used
 *   broken_chain            a valid frame that does not follow the one before it
 *   bad_payload             a valid frame whose payload is not what its header says
 *   lsn_gap                 entries of a shard that do not follow each other
 *   lost_tail               PostgreSQL has more of a shard than the journal ever had: what was torn
 *                             or vanished had been acknowledged
 *   ahead_of_database       PostgreSQL lacks entries that were retired because it had them: it is
 *                             not this journal's database, or an old state of it
 *
 * Damage to the very last frame, acknowledged but not projected, looks like a torn tail. What would
 * tell them apart is a durable note that the frame was synced, and any such note is made after the
 * frame: synced, it doubles the price of every acknowledgement and has a last one of its own; not
 * synced, it is lost by the power failure that it was for (when only the process dies, the frame is
 * still what was written). The note that costs nothing is PostgreSQL's watermark, which follows the
 * frame within PROJECTION_INTERVAL_MS_MAX or so: from then on the damage is a lost_tail. To take a
 * frame without a whole sector of zeros for a damaged one would be a guess about the device, and a
 * wrong one would refuse a start that has lost nothing.
 */
import type { Disk } from "./disk.ts";
import { ENTRY_HEADER_BYTES, entryEnd, lsnOf, shardOfEntry } from "./entry.ts";
import {
  BASE,
  CHAIN_START,
  type ChainEnd,
  decodeBase,
  decodeStart,
  ENTRIES,
  type Frame,
  START,
} from "./frame.ts";
import type { FileRecoveryReport } from "./journal-port.ts";
import { type CorruptionCode, JournalCorrupt } from "./recovery-errors.ts";
import { segmentName, sequenceOf } from "./segment.ts";
import { readSegment, type SegmentReading } from "./segment-reading.ts";

export type LastLsns = ReadonlyMap<number, number>;

export interface Recovery {
  /** Sequence numbers of the segments with frames (or a torn one) in them, oldest first. */
  readonly used: readonly number[];
  readonly unused: readonly number[];
  readonly frames: number;
  readonly entries: number;
  readonly entriesRecovered: number;
  /** Entries that PostgreSQL lacks, in order; each chunk fits into a frame. */
  readonly recovered: readonly Uint8Array<ArrayBuffer>[];
  /** The last lsn of every shard that the journal or the watermarks know. */
  readonly last: Map<number, number>;
  readonly chain: ChainEnd;
  /** null: no frame. */
  readonly lastFrame: LastFrame | null;
  readonly tornTail: TailPlace | null;
}

export interface FramePlace {
  readonly sequence: number;
  readonly offset: number;
  readonly end: number;
}

export interface LastFrame extends FramePlace {
  /** What recovery saw there. Who looks again may see something else: see `findEnds`. */
  readonly bytes: Uint8Array;
}

export interface TailPlace extends FramePlace {
  readonly salt: Uint8Array;
}

/**
 * Reads the whole journal. Throws JournalCorrupt; a disk that cannot be read throws its own error.
 * `watermarks` null: nobody knows them; then lost_tail and ahead_of_database are never found, and
 * all entries count as recovered.
 */
export function readJournal(disk: Disk, watermarks: LastLsns | null): Recovery {
  const sequences = disk.list().flatMap((name) => sequenceOf(name) ?? []);
  sequences.sort((a, b) => a - b);
  checkNoneMissing(sequences);
  const { lastUsed, lastReading, origin } = findEnds(disk, sequences);
  const walk = new Walk(watermarks);
  const used = sequences.filter((sequence) => sequence <= lastUsed);
  for (const sequence of used.filter((counts) => counts >= origin)) {
    const isLast = sequence === lastUsed;
    const reading = isLast ? lastReading : null;
    walk.segment(sequence, reading ?? read(disk, sequence), isLast);
  }
  const unused = sequences.filter((sequence) => sequence > lastUsed);
  return walk.finish(used, unused);
}

interface Ends {
  readonly lastUsed: number;
  readonly lastReading: SegmentReading | null;
  readonly origin: number;
}

/** What a start that found this says of it. */
export function verdictOf({ frames, tornTail }: Recovery): FileRecoveryReport["verdict"] {
  if (tornTail !== null) return "torn tail";
  return frames === 0 ? "empty" : "clean";
}

/**
 * Goes from the newest segment backwards to the last completed start. What is before its origin has
 * been written again, and may be half removed: only entries at or above the origin count.
 *
 * The last used segment is read once, and what was read is what counts: after an fdatasync that
 * failed, the kernel may drop the pages that the disk never got between one look and the next.
 */
function findEnds(disk: Disk, sequences: readonly number[]): Ends {
  let lastUsed = 0;
  let lastReading: SegmentReading | null = null;
  for (const sequence of sequences.toReversed()) {
    const reading = read(disk, sequence);
    // Only what is behind the last used segment may be unused.
    if (reading.kind !== "unused" && lastReading === null) {
      lastUsed = sequence;
      lastReading = reading;
    }
    if (!("frames" in reading)) continue;
    const start = reading.frames.findLast((frame) => frame.kind === START);
    if (start !== undefined) return { lastUsed, lastReading, origin: decodeStart(start.payload) };
  }
  return { lastUsed, lastReading, origin: 0 };
}

function read(disk: Disk, sequence: number): SegmentReading {
  const file = disk.open(segmentName(sequence), "update");
  try {
    return readSegment(file.read(0, file.size()));
  } finally {
    file.close();
  }
}

function checkNoneMissing(sequences: readonly number[]): void {
  sequences.forEach((sequence, index) => {
    const expected = (sequences[index - 1] ?? sequence - 1) + 1;
    if (sequence === expected) return;
    refuse("journal_missing_segment", sequence, 0, `${segmentName(expected)} is missing before it`);
  });
}

function refuse(code: CorruptionCode, sequence: number, offset: number, reason: string): never {
  throw new JournalCorrupt({ code, file: segmentName(sequence), offset, reason });
}

/**
 * Goes through the frames of all segments in order.
 *
 * Invariant: `last` is, for every shard, the last lsn shown by the frames so far, and `recovered`
 * holds every entry between the shard's watermark and there exactly once.
 */
class Walk {
  readonly #watermarks: LastLsns | null;
  readonly #last = new Map<number, number>();
  readonly #recovered: Uint8Array<ArrayBuffer>[] = [];
  #chain: ChainEnd = CHAIN_START;
  #frames = 0;
  #entries = 0;
  #entriesRecovered = 0;
  #lastFrame: LastFrame | null = null;
  #tornTail: TailPlace | null = null;
  /** Where a finding about the journal as a whole is reported. */
  #end = { sequence: 0, offset: 0 };

  constructor(watermarks: LastLsns | null) {
    this.#watermarks = watermarks;
  }

  segment(sequence: number, reading: SegmentReading, isLast: boolean): void {
    if (reading.kind === "unused") {
      refuse("journal_unused_segment_between", sequence, 0, "a later segment has frames");
    }
    if (reading.kind === "badHeader") refuse("journal_bad_header", sequence, 0, reading.reason);
    if (reading.header.sequence !== sequence) {
      const reason = `the header belongs to ${segmentName(reading.header.sequence)}`;
      refuse("journal_bad_header", sequence, 0, reason);
    }
    if (reading.kind === "frameAfterBad") {
      const reason = `a bad frame, but the one at offset ${reading.validAt} is valid`;
      refuse("journal_frame_after_bad", sequence, reading.badAt, reason);
    }
    if (reading.kind === "torn" && !isLast) {
      refuse("journal_bad_older_frame", sequence, reading.badAt, "a later segment has frames");
    }
    for (const frame of reading.frames) this.#frame(sequence, frame);
    if (reading.kind !== "torn") return;
    const { badAt, contentEnd, header } = reading;
    this.#tornTail = { sequence, offset: badAt, end: contentEnd, salt: header.salt };
    this.#end = { sequence, offset: badAt };
  }

  finish(used: readonly number[], unused: readonly number[]): Recovery {
    if (this.#frames > 0) this.#checkNothingLost();
    const last = new Map(this.#watermarks ?? []);
    for (const [shard, lsn] of this.#last) last.set(shard, lsn);
    return {
      used,
      unused,
      last,
      frames: this.#frames,
      entries: this.#entries,
      entriesRecovered: this.#entriesRecovered,
      recovered: this.#recovered,
      chain: this.#chain,
      lastFrame: this.#lastFrame,
      tornTail: this.#tornTail,
    };
  }

  #frame(sequence: number, frame: Frame): void {
    const { number, crc } = this.#chain;
    const isFirst = this.#frames === 0;
    if (!isFirst && (frame.number !== number + 1 || frame.previousCrc !== crc)) {
      const reason = `frame ${frame.number} does not follow frame ${number}`;
      refuse("journal_broken_chain", sequence, frame.offset, reason);
    }
    if (isFirst && frame.kind !== BASE) {
      refuse("journal_bad_payload", sequence, frame.offset, "the segment has no base");
    }
    if (frame.kind === BASE) this.#base(sequence, frame, isFirst);
    if (frame.kind === ENTRIES) this.#entriesOf(sequence, frame);
    this.#chain = { number: frame.number, crc: frame.crc };
    this.#frames += 1;
    const { offset, end, bytes } = frame;
    this.#lastFrame = { sequence, offset, end, bytes };
    this.#end = { sequence, offset: frame.end };
  }

  #base(sequence: number, { payload, offset }: Frame, isFirst: boolean): void {
    for (const [shard, lsn] of decodeBase(payload)) {
      if (isFirst) {
        this.#checkStillThere(sequence, offset, { shard, lsn });
        this.#last.set(shard, lsn);
        continue;
      }
      const known = this.#last.get(shard) ?? 0;
      if (lsn > known) this.#gap(sequence, offset, { shard, known, lsn: lsn + 1 });
    }
  }

  /** Older segments went because PostgreSQL had all of them: it must still have it. */
  #checkStillThere(sequence: number, offset: number, base: { shard: number; lsn: number }): void {
    if (this.#watermarks === null) return;
    const known = this.#watermark(base.shard);
    if (base.lsn <= known) return;
    const had = `but it had up to ${base.lsn}`;
    const reason = `shard ${base.shard}: the database ends at lsn ${known}, ${had}`;
    refuse("journal_ahead_of_database", sequence, offset, reason);
  }

  #entriesOf(sequence: number, frame: Frame): void {
    const { payload } = frame;
    /** What follows without a gap is copied as one. */
    const missing: Buffer[] = [];
    let missingFrom = 0;
    let missingTo = 0;
    let recovered = 0;
    let count = 0;
    for (let at = 0; at < payload.length; count += 1) {
      const isWhole = at + ENTRY_HEADER_BYTES <= payload.length;
      const end = isWhole ? entryEnd(payload, at) : Number.POSITIVE_INFINITY;
      if (end > payload.length) {
        refuse("journal_bad_payload", sequence, frame.offset, `entry ${count} is cut off`);
      }
      const [shard, lsn] = [shardOfEntry(payload, at), lsnOf(payload, at)];
      const known = this.#last.get(shard) ?? 0;
      if (lsn > known + 1) this.#gap(sequence, frame.offset, { shard, known, lsn });
      if (lsn === known + 1) {
        this.#last.set(shard, lsn);
        if (lsn > this.#watermark(shard)) {
          recovered += 1;
          if (at !== missingTo) {
            missing.push(payload.subarray(missingFrom, missingTo));
            missingFrom = at;
          }
          missingTo = end;
        }
      }
      at = end;
    }
    if (count !== frame.entryCount) {
      const reason = `${count} entries where the header says ${frame.entryCount}`;
      refuse("journal_bad_payload", sequence, frame.offset, reason);
    }
    this.#entries += count;
    if (recovered === 0) return;
    this.#entriesRecovered += recovered;
    missing.push(payload.subarray(missingFrom, missingTo));
    // A copy: the window would keep a whole segment in memory.
    this.#recovered.push(concatenated(missing));
  }

  #gap(sequence: number, offset: number, gap: { shard: number; known: number; lsn: number }): void {
    const reason = `shard ${gap.shard}: lsn ${gap.lsn} comes after ${gap.known}`;
    refuse("journal_lsn_gap", sequence, offset, reason);
  }

  #checkNothingLost(): void {
    for (const [shard, watermark] of this.#watermarks ?? []) {
      const known = this.#last.get(shard) ?? 0;
      if (watermark <= known) continue;
      const what = this.#tornTail === null ? "the journal ends here" : "the torn frame begins here";
      const ends = `shard ${shard} at lsn ${known}`;
      const reason = `${what} with ${ends}, but the database has ${watermark}`;
      refuse("journal_lost_tail", this.#end.sequence, this.#end.offset, reason);
    }
  }

  #watermark(shard: number): number {
    return this.#watermarks?.get(shard) ?? 0;
  }
}

/** The chunks one after another, in memory of their own. */
export function concatenated(chunks: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(chunks.reduce((sum, chunk) => sum + chunk.length, 0));
  let offset = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, offset);
    offset += chunk.length;
  }
  return bytes;
}
