/** The files of a journal, and what is in each, whether or not a start would accept it. */
import { type Disk, isGone } from "../disk.ts";
import { ENTRY_HEADER_BYTES, entryEnd } from "../entry.ts";
import { type Frame, findFrame, readFrame } from "../frame.ts";
import { contentEnd, SEGMENT_HEADER_BYTES, segmentName, sequenceOf } from "../segment.ts";
import { archivedSegments } from "../segment-archive.ts";

export interface JournalFile {
  readonly name: string;
  readonly sequence: number;
  readonly archived: boolean;
}

/** In the order in which they were written: the archive, then the journal itself. */
export function journalFiles(disk: Disk): JournalFile[] {
  const archived = archivedSegments(disk).map(({ name, sequence }) => ({
    name,
    sequence,
    archived: true,
  }));
  const live = disk
    .list()
    .flatMap((name) => sequenceOf(name) ?? [])
    .sort((a, b) => a - b)
    .map((sequence) => ({ name: segmentName(sequence), sequence, archived: false }));
  return [...archived, ...live];
}

/** The bytes of one file; null: it went away since it was listed, as in a journal in use. */
export function bytesOf(disk: Disk, name: string): Buffer | null {
  try {
    const file = disk.open(name, "update");
    try {
      return file.read(0, file.size());
    } finally {
      file.close();
    }
  } catch (error) {
    if (isGone(error)) return null;
    throw error;
  }
}

export type SegmentPart =
  | { readonly kind: "frame"; readonly frame: Frame }
  /** No valid frame from `offset` up to `end`; `isLast`: nor behind it. */
  | {
      readonly kind: "bad";
      readonly offset: number;
      readonly end: number;
      readonly isLast: boolean;
    };

/** Goes through a segment with a whole header, past bad frames too. */
export function* partsOf(bytes: Buffer, salt: Uint8Array): Generator<SegmentPart> {
  const written = contentEnd(bytes);
  for (let offset = SEGMENT_HEADER_BYTES; ; ) {
    let frame = readFrame(bytes, offset, salt);
    if (frame === null) {
      if (offset >= written) return;
      frame = findFrame(bytes, offset, salt);
      yield { kind: "bad", offset, end: frame?.offset ?? written, isLast: frame === null };
      if (frame === null) return;
    }
    yield { kind: "frame", frame };
    offset = frame.end;
  }
}

/** Where each whole entry of a payload begins and ends. */
export function* entriesIn(payload: Buffer): Generator<readonly [offset: number, end: number]> {
  for (let at = 0; at + ENTRY_HEADER_BYTES <= payload.length; ) {
    const end = entryEnd(payload, at);
    if (end > payload.length) return;
    yield [at, end];
    at = end;
  }
}
