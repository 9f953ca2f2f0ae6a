/**
 * The archive: retired segments that are kept, so that a sale can be replayed from its first fact
 * (tool/). They stay in the journal's directory, under names that recovery does not look at. So one
 * rename takes a segment out of the journal and keeps it, as atomically as an unlink would remove
 * it:
 *
 *   journal-0000000007.seg.1700000000000.<salt>.archived
 *           └ sequence     └ Unix ms     └ 32 hex digits: sequence numbers may come again
 *
 * The time is that of its last frame: the archive's order. Only then is the file cut down to what
 * was written of it. A crash in between costs room, not facts.
 *
 * The archive is for whoever wants to look: nothing depends on it, and whatever needs its room gets
 * it. Files of it are removed by hand, too, at any moment.
 */
import { type Disk, isGone, isOutOfRoom } from "./disk.ts";
import { ENTRY_HEADER_BYTES, readEntryHeader } from "./entry.ts";
import { ENTRIES } from "./frame.ts";
import { contentEnd, makeSegment, type NewSegment, segmentName, sequenceOf } from "./segment.ts";
import { readSegment } from "./segment-reading.ts";

export interface ArchiveOptions {
  /**
   * What archived segments may take up together; 0: retired segments are removed, and what is
   * archived already stays as it is. Raising it reaches further back.
   */
  readonly bytesMax: number;
  readonly warn: Warn;
}

/** Told what was given up for want of room. */
export type Warn = (message: string, file: string) => void;

export const NO_ARCHIVE: ArchiveOptions = { bytesMax: 0, warn: () => undefined };

export interface ArchivedSegment {
  readonly name: string;
  readonly sequence: number;
  readonly lastMs: number;
}

const NAME = /^(journal-\d{10,}\.seg)\.(\d+)\.[0-9a-f]{32}\.archived$/;

/** The archived segments, oldest first. */
export function archivedSegments(disk: Disk): ArchivedSegment[] {
  const found = disk.list().flatMap((name): ArchivedSegment[] => {
    const [, segment = "", ms] = NAME.exec(name) ?? [];
    const sequence = sequenceOf(segment);
    return sequence === null ? [] : [{ name, sequence, lastMs: Number(ms) }];
  });
  return found.sort((a, b) => a.lastMs - b.lastMs || a.sequence - b.sequence);
}

/**
 * Takes a segment out of the journal, for good when it returns: archives it if it holds entries and
 * there is room, removes it otherwise. Throws on every failure but a want of room.
 */
export function retireSegment(disk: Disk, sequence: number, archive: ArchiveOptions): void {
  const name = segmentName(sequence);
  const kept = archive.bytesMax > 0 ? whatToKeep(disk, name) : null;
  const isRenamed = kept !== null && isRoomFor(archive, name, () => disk.rename(name, kept.name));
  if (!isRenamed) disk.unlink(name);
  disk.syncDirectory();
  if (!isRenamed) return;
  const isCut = isRoomFor(archive, kept.name, () =>
    unlessGone(() => cut(disk, kept.name, kept.bytes)),
  );
  if (!isCut) removeArchived(disk, [kept]);
  keepWithin(disk, archive.bytesMax);
}

/**
 * Makes a segment as makeSegment does. While there is no room for it archived ones go, the oldest
 * first: selling is worth more than its history.
 */
export function makeSegmentBeforeArchive(
  disk: Disk,
  segment: NewSegment,
  warn: Warn,
): "ready" | "no room" {
  for (;;) {
    if (makeSegment(disk, segment) === "ready") return "ready";
    const [oldest] = archivedSegments(disk);
    if (oldest === undefined) return "no room";
    removeArchived(disk, [oldest]);
    warn("an archived segment was removed to make room for the journal", oldest.name);
  }
}

/** The archived name and size of a segment; null: there are no entries in it. */
function whatToKeep(disk: Disk, name: string): { name: string; bytes: number } | null {
  const file = disk.open(name, "read");
  try {
    const bytes = file.read(0, file.size());
    const reading = readSegment(bytes);
    if (!("frames" in reading)) return null;
    const last = reading.frames.findLast(({ kind }) => kind === ENTRIES);
    if (last === undefined || last.payload.length < ENTRY_HEADER_BYTES) return null;
    const { atMs } = readEntryHeader(last.payload, 0);
    const salt = reading.header.salt.toString("hex");
    // The last frame may itself end in zeros.
    const end = Math.max(contentEnd(bytes), reading.frames.at(-1)?.end ?? 0);
    return { name: `${name}.${Math.trunc(atMs)}.${salt}.archived`, bytes: end };
  } finally {
    file.close();
  }
}

function isRoomFor({ warn }: ArchiveOptions, file: string, action: () => void): boolean {
  try {
    action();
    return true;
  } catch (error) {
    if (!isOutOfRoom(error)) throw error;
    warn("a retired segment could not be archived for want of room, and was removed", file);
    return false;
  }
}

function cut(disk: Disk, name: string, bytes: number): void {
  const file = disk.open(name, "update");
  try {
    file.truncate(bytes);
    file.datasync();
  } finally {
    file.close();
  }
}

function keepWithin(disk: Disk, bytesMax: number): void {
  let room = bytesMax;
  const tooMuch = archivedSegments(disk)
    .reverse()
    .filter(({ name }) => {
      unlessGone(() => {
        room -= sizeOf(disk, name);
      });
      return room < 0;
    });
  removeArchived(disk, tooMuch.reverse());
}

function sizeOf(disk: Disk, name: string): number {
  const file = disk.open(name, "read");
  try {
    return file.size();
  } finally {
    file.close();
  }
}

function removeArchived(disk: Disk, segments: readonly { readonly name: string }[]): void {
  if (segments.length === 0) return;
  for (const { name } of segments) unlessGone(() => disk.unlink(name));
  disk.syncDirectory();
}

/** Whatever is done to an archived file is done where somebody has removed it. */
function unlessGone(action: () => void): void {
  try {
    action();
  } catch (error) {
    if (!isGone(error)) throw error;
  }
}
