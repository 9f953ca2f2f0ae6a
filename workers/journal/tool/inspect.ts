/**
 * What is in the files of a journal, record by record, whether or not a start would accept it:
 *
 *   segment ─► frame ─► entry, entry, … ─► frame ─► bad ─► segment ─► …
 */
import type { CommandKey } from "../../../engine/facts.ts";
import type { Disk } from "../disk.ts";
import { type Entry, readEntry, readEntryHeader } from "../entry.ts";
import { BASE, decodeBase, decodeStart, ENTRIES, type Frame } from "../frame.ts";
import { contentEnd, parseSegmentHeader } from "../segment.ts";
import { readSegment } from "../segment-reading.ts";
import { bytesOf, entriesIn, type JournalFile, journalFiles, partsOf } from "./journal-files.ts";
import type { InspectOptions } from "./tool-arguments.ts";

export interface SegmentRecord {
  readonly kind: "segment";
  readonly file: string;
  readonly archived: boolean;
  readonly sequence: number;
  /** gone: it was retired between the listing and the reading of a journal in use. */
  readonly state: "used" | "unused" | "bad header" | "gone";
  readonly bytes: number;
  /** Up to here there is something other than zeros. */
  readonly writtenBytes: number;
  readonly salt: string | null;
  /** What is wrong with the header. */
  readonly reason: string | null;
}

export interface FrameRecord {
  readonly kind: "frame";
  readonly file: string;
  readonly offset: number;
  readonly number: number;
  readonly type: "entries" | "base" | "start";
  /** As the header says; `whole` is how many there are. */
  readonly entries: number;
  readonly whole: number;
  readonly bytes: number;
  readonly crc: "ok";
  /** First and last lsn of each shard; of a base, the last before this segment. */
  readonly lsns: readonly (readonly [shard: number, first: number, last: number])[];
  /** The segment that a completed start began with. */
  readonly origin: number | null;
}

export interface BadRecord {
  readonly kind: "bad";
  readonly file: string;
  readonly offset: number;
  readonly bytes: number;
  /** Nothing valid is behind it: a torn tail, if it is in the last used segment. */
  readonly isLast: boolean;
}

export interface EntryRecord {
  readonly kind: "entry";
  readonly file: string;
  /** Of its frame. */
  readonly offset: number;
  readonly shard: number;
  readonly lsn: number;
  readonly epoch: number;
  readonly at: string;
  readonly event: string | null;
  readonly seq: number | null;
  /** Kind of the fact; unreadable: its body is not what this program knows. */
  readonly fact: string;
  readonly key: CommandKey | null;
}

export type InspectRecord = SegmentRecord | FrameRecord | BadRecord | EntryRecord;

/** Holds one segment in memory at a time. A disk that can't be read throws its own error. */
export function* inspect(disk: Disk, options: InspectOptions): Generator<InspectRecord> {
  for (const file of journalFiles(disk)) {
    if (options.segment === null || options.segment === file.sequence) {
      yield* inspectFile(disk, file, options);
    }
  }
}

function* inspectFile(
  disk: Disk,
  { name, sequence, archived }: JournalFile,
  options: InspectOptions,
): Generator<InspectRecord> {
  const bytes = bytesOf(disk, name);
  const found = bytes === null ? null : parseSegmentHeader(bytes);
  const header = typeof found === "string" ? null : found;
  yield {
    kind: "segment",
    file: name,
    archived,
    sequence,
    state: bytes === null ? "gone" : stateOf(bytes),
    bytes: bytes?.length ?? 0,
    writtenBytes: bytes === null ? 0 : contentEnd(bytes),
    salt: header?.salt.toString("hex") ?? null,
    reason: typeof found === "string" && bytes !== null && contentEnd(bytes) > 0 ? found : null,
  };
  if (bytes === null || header === null) return;
  for (const part of partsOf(bytes, header.salt)) {
    if (part.kind === "frame") yield* inspectFrame(name, part.frame, options);
    else {
      const { offset, end, isLast } = part;
      yield { kind: "bad", file: name, offset, bytes: end - offset, isLast };
    }
  }
}

function stateOf(bytes: Buffer): SegmentRecord["state"] {
  const { kind } = readSegment(bytes);
  if (kind === "unused") return "unused";
  return kind === "badHeader" ? "bad header" : "used";
}

function* inspectFrame(
  file: string,
  frame: Frame,
  options: InspectOptions,
): Generator<FrameRecord | EntryRecord> {
  const isFiltered = options.shard !== null || options.eventId !== null;
  const entries = frame.kind === ENTRIES ? [...entriesIn(frame.payload)] : [];
  const shown = entries.filter(([at, end]) => isWanted(frame.payload, at, end, options));
  if (isFiltered && shown.length === 0) return;
  yield {
    kind: "frame",
    file,
    offset: frame.offset,
    number: frame.number,
    type: frame.kind === ENTRIES ? "entries" : frame.kind === BASE ? "base" : "start",
    entries: frame.entryCount,
    whole: entries.length,
    bytes: frame.end - frame.offset,
    crc: "ok",
    lsns: lsnsOf(frame, entries),
    origin: frame.kind === ENTRIES || frame.kind === BASE ? null : decodeStart(frame.payload),
  };
  if (!options.entries) return;
  for (const [at] of shown) yield entryRecord(file, frame, at);
}

function isWanted(payload: Buffer, at: number, end: number, options: InspectOptions): boolean {
  const { shard, eventId } = options;
  if (shard !== null && readEntryHeader(payload, at).shard !== shard) return false;
  if (eventId === null) return true;
  // Most entries are of other events: the id itself is looked for before anything is decoded.
  return payload.subarray(at, end).includes(eventId) && readable(payload, at)?.eventId === eventId;
}

function lsnsOf(frame: Frame, entries: readonly (readonly [number, number])[]) {
  if (frame.kind === BASE) {
    return [...decodeBase(frame.payload)].map(([shard, lsn]) => [shard, lsn, lsn] as const);
  }
  const lsns = new Map<number, [first: number, last: number]>();
  for (const [at] of entries) {
    const { shard, lsn } = readEntryHeader(frame.payload, at);
    const known = lsns.get(shard);
    if (known === undefined) lsns.set(shard, [lsn, lsn]);
    else known[1] = lsn;
  }
  return [...lsns]
    .sort(([a], [b]) => a - b)
    .map(([shard, [first, last]]) => [shard, first, last] as const);
}

function entryRecord(file: string, frame: Frame, at: number): EntryRecord {
  const { shard, lsn, epoch, atMs } = readEntryHeader(frame.payload, at);
  const entry = readable(frame.payload, at);
  return {
    kind: "entry",
    file,
    offset: frame.offset,
    shard,
    lsn,
    epoch,
    at: isoOf(atMs),
    event: entry?.eventId ?? null,
    seq: entry?.fact.seq ?? null,
    fact: entry?.fact.kind ?? "unreadable",
    key: entry?.fact.key ?? null,
  };
}

/** null: the body is of a newer version, or no fact at all. */
function readable(payload: Buffer, at: number): Entry | null {
  try {
    return readEntry(payload, at);
  } catch {
    return null;
  }
}

function isoOf(ms: number): string {
  const date = new Date(ms);
  return Number.isNaN(date.getTime()) ? `${ms} ms` : date.toISOString();
}

/** One line of text, which begins with the record's kind: made for grep. */
export function lineOf(record: InspectRecord): string {
  switch (record.kind) {
    case "segment": {
      const { file, sequence, state, bytes, writtenBytes, salt, reason } = record;
      const size = `bytes=${bytes} written=${writtenBytes}`;
      const why = reason === null ? "" : `: ${reason}`;
      const start = `segment ${file} sequence=${sequence} state=${state.replace(" ", "_")} ${size}`;
      return `${start} salt=${salt ?? "-"}${why}`;
    }
    case "frame": {
      const { offset, number, type, entries, whole, bytes, crc, lsns, origin } = record;
      const start = `frame offset=${offset} number=${number} kind=${type} entries=${entries}`;
      const cut = type === "entries" && whole !== entries ? ` whole_entries=${whole}` : "";
      const ranges = lsns.map(([shard, first, last]) =>
        first === last ? `${shard}:${last}` : `${shard}:${first}-${last}`,
      );
      const what = origin === null ? `lsns=${ranges.join(",")}` : `origin=${origin}`;
      return `${start}${cut} bytes=${bytes} crc=${crc} ${what}`;
    }
    case "bad": {
      const { file, offset, bytes, isLast } = record;
      const behind = isLast ? "nothing valid is behind them" : "a valid one is behind them";
      return `bad ${file} offset=${offset} bytes=${bytes}: no valid frame; ${behind}`;
    }
    case "entry": {
      const { shard, lsn, epoch, at, event, seq, fact, key } = record;
      const place = `entry shard=${shard} lsn=${lsn} epoch=${epoch} at=${at}`;
      const what = `event=${event ?? "-"} seq=${seq ?? "-"} fact=${fact}`;
      return `${place} ${what}${key === null ? "" : ` key=${key.digest}/${key.fingerprint}`}`;
    }
  }
}
