/**
 * The virtual disk as one process's journal sees it: syncing takes time, and removals are judged.
 */
import type { Disk, DiskFile, OpenMode } from "../../workers/journal/disk.ts";
import { forEachEntry, readEntryHeader } from "../../workers/journal/entry.ts";
import { ENTRIES } from "../../workers/journal/frame.ts";
import { sequenceOf } from "../../workers/journal/segment.ts";
import { readSegment } from "../../workers/journal/segment-reading.ts";
import { Violation } from "./oracle.ts";
import type { VirtualDisk } from "./virtual-disk.ts";

export interface WatchedDiskParts {
  readonly disk: VirtualDisk;
  /** Whoever syncs waits until it is done. */
  readonly synced: () => void;
  /** What the database has of each shard. */
  readonly watermarks: () => ReadonlyMap<number, number>;
  readonly failed: (violation: Violation) => void;
}

export function watchedDisk({ disk, synced, watermarks, failed }: WatchedDiskParts): Disk {
  const open = (name: string, mode: OpenMode): DiskFile => {
    const file = disk.open(name, mode);
    return {
      read: (offset, length) => file.read(offset, length),
      write: (bytes, offset) => file.write(bytes, offset),
      datasync: () => {
        file.datasync();
        synced();
      },
      truncate: (length) => file.truncate(length),
      size: () => file.size(),
      close: () => file.close(),
    };
  };
  return {
    list: () => disk.list(),
    open,
    rename: (from, to) => disk.rename(from, to),
    unlink: (name) => {
      const lost = sequenceOf(name) === null ? null : firstLost(disk, name, watermarks());
      if (lost !== null) failed(new Violation(`${name} goes, and lsn ${lost} is nowhere else`));
      disk.unlink(name);
    },
    syncDirectory: () => {
      disk.syncDirectory();
      synced();
    },
  };
}

/** An entry of the segment that neither the database nor another segment has, in words. */
function firstLost(
  disk: VirtualDisk,
  name: string,
  watermarks: ReadonlyMap<number, number>,
): string | null {
  const needed = entriesIn(disk, name, watermarks);
  if (needed.size === 0) return null;
  for (const other of disk.files().keys()) {
    if (other === name || sequenceOf(other) === null) continue;
    for (const entry of entriesIn(disk, other, watermarks)) needed.delete(entry);
  }
  const [lost = null] = needed;
  return lost;
}

/** Those that the database lacks. */
function entriesIn(
  disk: VirtualDisk,
  name: string,
  watermarks: ReadonlyMap<number, number>,
): Set<string> {
  const found = new Set<string>();
  const reading = readSegment(disk.contentOf(name));
  if (!("frames" in reading)) return found;
  for (const { kind, payload } of reading.frames) {
    if (kind !== ENTRIES) continue;
    forEachEntry(payload, (offset) => {
      const { shard, lsn } = readEntryHeader(payload, offset);
      if (lsn > (watermarks.get(shard) ?? 0)) found.add(`${lsn} of shard ${shard}`);
    });
  }
  return found;
}
