import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";
import type { Disk, DiskFile, OpenMode } from "../../workers/journal/disk.ts";
import { ENTRY_HEADER_BYTES, forEachEntry, readEntryHeader } from "../../workers/journal/entry.ts";
import { FileJournal, type OpenedFileJournal } from "../../workers/journal/file-journal.ts";
import {
  BASE,
  CHAIN_START,
  type ChainEnd,
  ENTRIES,
  encodeBase,
  encodeStart,
  FRAME_HEADER_BYTES,
  START,
  sealFrame,
} from "../../workers/journal/frame.ts";
import type { FrameJournal } from "../../workers/journal/frame-journal.ts";
import { FsDisk } from "../../workers/journal/fs-disk.ts";
import {
  encodeSegmentHeader,
  SALT_BYTES,
  SEGMENT_HEADER_BYTES,
  segmentName,
} from "../../workers/journal/segment.ts";
import type { ArchiveOptions } from "../../workers/journal/segment-archive.ts";
import { InlineSegmentSupply } from "../../workers/journal/segment-supply.ts";

export const SMALL_SEGMENT_BYTES = 16 * 1024;

export function temporaryDirectory(test: TestContext): string {
  const directory = mkdtempSync(join(tmpdir(), "evently-journal-"));
  test.after(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

/** An entry whose body is `bodyBytes` of a letter; the journal never looks into it. */
export function entry(shard: number, lsn: number, bodyBytes = 8): Buffer {
  const bytes = Buffer.alloc(ENTRY_HEADER_BYTES + bodyBytes, "e");
  bytes.writeUInt32LE(bodyBytes, 0);
  bytes.writeUInt16LE(shard, 4);
  bytes.writeUInt16LE(1, 6);
  bytes.writeDoubleLE(lsn, 8);
  bytes.writeDoubleLE(1, 16);
  bytes.writeDoubleLE(1_700_000_000_000, 24);
  return bytes;
}

/** `[shard, lsn]` of every entry in the chunks. */
export function placesOf(chunks: readonly Uint8Array[]): [number, number][] {
  return chunks.flatMap((chunk) => {
    const bytes = Buffer.from(chunk);
    const places: [number, number][] = [];
    forEachEntry(bytes, (offset) => {
      const { shard, lsn } = readEntryHeader(bytes, offset);
      places.push([shard, lsn]);
    });
    return places;
  });
}

export interface FrameSpec {
  readonly base?: ReadonlyMap<number, number>;
  /** Origin of a completed start. */
  readonly start?: number;
  readonly entries?: readonly Buffer[];
  /** Default: what `entries` says. */
  readonly entryCount?: number;
}

/** Builds the files of a journal by hand, frame after frame, for tests to damage. */
export class JournalBuilder {
  readonly salt: Buffer;
  chain: ChainEnd = CHAIN_START;
  /** Offset of every frame of the segment built last, and the offset behind them. */
  offsets: number[] = [];

  constructor(salt = Buffer.alloc(SALT_BYTES, 7)) {
    this.salt = salt;
  }

  segment(sequence: number, frames: readonly FrameSpec[], size = SMALL_SEGMENT_BYTES): Buffer {
    const bytes = Buffer.alloc(size);
    encodeSegmentHeader({ sequence, salt: this.salt }).copy(bytes);
    let offset = SEGMENT_HEADER_BYTES;
    this.offsets = [offset];
    for (const spec of frames) {
      offset += this.frame(spec).copy(bytes, offset);
      this.offsets.push(offset);
    }
    return bytes;
  }

  frame({ base, start, entries = [], entryCount = entries.length }: FrameSpec): Buffer {
    const kind = base !== undefined ? BASE : start !== undefined ? START : ENTRIES;
    const marker = base !== undefined ? encodeBase(base) : encodeStart(start ?? 0);
    const payload = kind === ENTRIES ? Buffer.concat(entries) : marker;
    const frame = Buffer.concat([Buffer.alloc(FRAME_HEADER_BYTES), payload]);
    this.chain = sealFrame(frame, { kind, entryCount }, this.salt, this.chain);
    return frame;
  }
}

export const NO_BASE: FrameSpec = { base: new Map() };

export function writeSegment(directory: string, sequence: number, bytes: Uint8Array): void {
  writeFileSync(join(directory, segmentName(sequence)), bytes);
}

export function readSegmentFile(directory: string, sequence: number): Buffer {
  return readFileSync(join(directory, segmentName(sequence)));
}

/** Names and bytes of everything in the directory. */
export function contentOf(directory: string): Map<string, string> {
  const names = readdirSync(directory).sort();
  return new Map(names.map((name) => [name, readFileSync(join(directory, name), "latin1")]));
}

export class Died extends Error {
  readonly code = "died";
}

export interface OpenOptions {
  readonly disk?: Disk;
  readonly segmentBytes?: number;
  readonly watermarks?: ReadonlyMap<number, number>;
  readonly archive?: ArchiveOptions;
}

/**
 * A journal of small segments on the real disk, which throws Died instead of ending the process.
 */
export function openJournal(directory: string, options: OpenOptions = {}): OpenedFileJournal {
  const { disk = new FsDisk(directory), segmentBytes = SMALL_SEGMENT_BYTES } = options;
  let salts = 0;
  const randomSalt = (): Buffer => {
    salts += 1;
    return Buffer.alloc(SALT_BYTES, `${directory}${salts}`);
  };
  const supply = new InlineSegmentSupply(disk, randomSalt, segmentBytes, options.archive);
  const die = (reason: string, cause: unknown): never => {
    throw new Died(reason, { cause });
  };
  const ports = { disk, supply, randomSalt, die, nowMs: () => 0, starterBytes: segmentBytes };
  return FileJournal.open(ports, options.watermarks ?? new Map());
}

/** Whether the entries found room; then they are durable. */
export function appended(journal: FrameJournal, chunks: readonly Uint8Array[]): boolean {
  let isDone = false;
  const isBegun = journal.append(chunks, () => {
    isDone = true;
  });
  assert.equal(isDone, isBegun, "a journal of files is done before it returns");
  return isDone;
}

export type DiskCall =
  | "open"
  | "rename"
  | "unlink"
  | "syncDirectory"
  | "write"
  | "truncate"
  | "datasync";

/** Passes every call that changes something to `before` first, which may throw in its place. */
export class InterceptedDisk implements Disk {
  readonly #disk: Disk;
  readonly #before: (call: DiskCall, name: string) => void;

  constructor(disk: Disk, before: (call: DiskCall, name: string) => void) {
    this.#disk = disk;
    this.#before = before;
  }

  list(): string[] {
    return this.#disk.list();
  }

  open(name: string, mode: OpenMode): DiskFile {
    if (mode === "create") this.#before("open", name);
    const file = this.#disk.open(name, mode);
    const before = this.#before;
    return {
      size: () => file.size(),
      read: (offset, length) => file.read(offset, length),
      close: () => file.close(),
      write: (bytes, offset) => {
        before("write", name);
        file.write(bytes, offset);
      },
      truncate: (length) => {
        before("truncate", name);
        file.truncate(length);
      },
      datasync: () => {
        before("datasync", name);
        file.datasync();
      },
    };
  }

  rename(from: string, to: string): void {
    this.#before("rename", from);
    this.#disk.rename(from, to);
  }

  unlink(name: string): void {
    this.#before("unlink", name);
    this.#disk.unlink(name);
  }

  syncDirectory(): void {
    this.#before("syncDirectory", "");
    this.#disk.syncDirectory();
  }
}

export function outOfRoom(): Error {
  return Object.assign(new Error("no space left on device"), { code: "ENOSPC" });
}

export function brokenDisk(): Error {
  return Object.assign(new Error("i/o error"), { code: "EIO" });
}
