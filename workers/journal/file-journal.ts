import { assert } from "../../engine/assert.ts";
import { FRAME_PAYLOAD_BYTES_MAX, STARTER_SEGMENT_BYTES } from "../../engine/limits.ts";
import { type Disk, type DiskFile, isOutOfRoom } from "./disk.ts";
import { forEachEntry, readEntryHeader } from "./entry.ts";
import {
  BASE,
  type ChainEnd,
  ENTRIES,
  encodeBase,
  encodeStart,
  FRAME_HEADER_BYTES,
  type FrameContent,
  START,
  sealFrame,
} from "./frame.ts";
import type { FrameJournal, OpenedJournal } from "./frame-journal.ts";
import { FrameMeter } from "./frame-meter.ts";
import type {
  FileJournalStatus,
  FileRecoveryReport,
  TornTail,
  Watermarks,
} from "./journal-port.ts";
import { type LastLsns, type Recovery, readJournal, verdictOf } from "./recovery.ts";
import { JournalNoRoom } from "./recovery-errors.ts";
import { isLeftover, parseSegmentHeader, SEGMENT_HEADER_BYTES, segmentName } from "./segment.ts";
import { makeSegmentBeforeArchive, type Warn } from "./segment-archive.ts";
import { discardSegments, type SegmentSupply, type SupplyOutcome } from "./segment-supply.ts";
import { copyTornTail, settleEnd } from "./torn-tail.ts";

/** Payload of a rewritten frame: few syncs, and segments that fill up well. */
const REWRITE_FRAME_BYTES = 1024 * 1024;
/** Most frames are shorter. */
const FRAME_BUFFER_BYTES = 64 * 1024;

export interface FileJournalPorts {
  readonly disk: Disk;
  readonly supply: SegmentSupply;
  /** SALT_BYTES that nobody can foresee. */
  readonly randomSalt: () => Uint8Array;
  /** Ends the process; a test may throw instead. */
  readonly die: (reason: string, cause: unknown) => never;
  /** Any monotonic clock, for the status only. */
  readonly nowMs: () => number;
  /** Size of the first segment when none is prepared. Default: STARTER_SEGMENT_BYTES. */
  readonly starterBytes?: number;
  /** Told what of the archive had to make room for the start. */
  readonly warn?: Warn;
}

export interface OpenedFileJournal extends OpenedJournal {
  readonly journal: FileJournal;
}

interface Segment {
  readonly sequence: number;
  readonly bytes: number;
  /** The last lsn of each shard that has entries in it. */
  readonly last: Map<number, number>;
}

interface CurrentSegment extends Segment {
  readonly file: DiskFile;
  readonly salt: Uint8Array;
  offset: number;
}

/**
 * The journal in files of one directory.
 *
 * Invariants:
 *  - `append` is done only when the frame is on disk, and before it returns; frames are written one
 *    at a time, each after the one before is durable.
 *  - a start writes to segments of its own, and removes the ones before only when everything in
 *    them that PostgreSQL lacks is on disk there, and a start frame says so.
 *  - a segment is retired when PostgreSQL has all its entries and all segments before it are gone.
 *  - a failed write, fdatasync, rename, unlink or directory sync ends the process.
 */
export class FileJournal implements FrameJournal {
  readonly #ports: FileJournalPorts;
  /** Where frames are put together; it grows to the longest. */
  #frame = Buffer.allocUnsafeSlow(FRAME_BUFFER_BYTES);
  readonly #last: Map<number, number>;
  readonly #projected: Map<number, number>;
  readonly #closed: Segment[] = [];
  #current: CurrentSegment;
  #chain: ChainEnd;
  #next: "preparing" | SupplyOutcome = "preparing";
  #isFull = false;
  #onRoom: () => void = () => undefined;
  readonly #meter = new FrameMeter();

  /**
   * Recovers what is there and begins a segment. Throws JournalCorrupt before it changes anything,
   * and JournalNoRoom when a start needs more room than there is.
   */
  static open(ports: FileJournalPorts, watermarks: LastLsns): OpenedFileJournal {
    const recovery = readJournal(ports.disk, watermarks);
    try {
      const { sequence, tornTail } = settle(ports, recovery);
      const journal = new FileJournal(ports, { recovery, watermarks, sequence });
      return { journal, recovered: recovery.recovered, report: reportOf(recovery, tornTail) };
    } catch (cause) {
      if (cause instanceof JournalNoRoom) throw cause;
      if (isOutOfRoom(cause)) throw new JournalNoRoom("no room to start the journal", { cause });
      return ports.die("the journal could not be opened", cause);
    }
  }

  private constructor(
    ports: FileJournalPorts,
    start: { recovery: Recovery; watermarks: LastLsns; sequence: number },
  ) {
    const { recovery, watermarks, sequence } = start;
    this.#ports = ports;
    this.#chain = recovery.chain;
    this.#last = new Map(watermarks);
    this.#projected = new Map(watermarks);
    this.#current = openSegment(ports.disk, sequence);
    this.#writeBase();
    this.#rewrite(recovery.recovered);
    const completed = encodeStart(sequence);
    this.#makeFit(completed.length);
    this.#write([completed], START);
    // By way of the supply, which knows whether they are to be kept.
    ports.supply.discard(recovery.used.filter((old) => old < sequence));
    this.#prepareNext();
  }

  /** The last durable lsn of every shard. */
  get last(): Watermarks {
    return [...this.#last];
  }

  get isFull(): boolean {
    return this.#isFull;
  }

  /**
   * `listener` is called when `isFull` changed, or an append that found no room may find it now.
   */
  listenForRoom(listener: () => void): void {
    this.#onRoom = listener;
  }

  append(chunks: readonly Uint8Array[], done: () => void): boolean {
    const bytes = chunks.reduce((sum, chunk) => sum + chunk.length, 0);
    assert(bytes <= FRAME_PAYLOAD_BYTES_MAX, "the entries fit into a frame");
    if (bytes > 0 && !this.#append(chunks, bytes)) return false;
    done();
    return true;
  }

  /** False: nothing was written, because the next segment is not there yet. */
  #append(chunks: readonly Uint8Array[], bytes: number): boolean {
    return fatal(this.#ports, "the journal could not be written", () => {
      if (!this.#fits(bytes)) {
        if (this.#next !== "ready") return false;
        this.#roll();
        this.#prepareNext();
      }
      this.#write(chunks, ENTRIES);
      return true;
    });
  }

  /** PostgreSQL has these: removes what nobody needs any more. */
  retire(watermarks: Watermarks): void {
    for (const [shard, lsn] of watermarks) {
      this.#projected.set(shard, Math.max(lsn, this.#projected.get(shard) ?? 0));
    }
    if (this.#discardProjected()) this.retryRoom();
  }

  /** Tries again to prepare the next segment, if there was no room for it. */
  retryRoom(): void {
    if (this.#next === "no room") this.#prepareNext();
  }

  /**
   * Closes the files. If PostgreSQL has everything, the journal removes itself: the next start need
   * not be of this journal, as when another one took its turn in between.
   */
  close(): void {
    this.#current.file.close();
    this.#discardProjected();
    if (this.#closed.length === 0 && this.#isProjected(this.#current)) {
      this.#discard([this.#current]);
    }
    this.#ports.supply.close();
  }

  status(): FileJournalStatus {
    const segments = [...this.#closed, this.#current];
    const figures = this.#meter.figures();
    return {
      ...figures,
      kind: "file",
      segments: segments.length,
      bytes: segments.reduce((sum, segment) => sum + segment.bytes, 0),
      file: segmentName(this.#current.sequence),
      offset: this.#current.offset,
      full: this.isFull,
      fsyncs: figures.frames,
      lastSyncUs: Math.round(this.#meter.lastMs * 1_000),
      shards: [...this.#last].map(([shard, durableLsn]) => {
        return { shard, durableLsn, projectedLsn: this.#projected.get(shard) ?? 0 };
      }),
    };
  }

  /** Writes what was recovered into segments of this start, in frames of a moderate size. */
  #rewrite(recovered: readonly Uint8Array[]): void {
    const frameBytes = Math.min(REWRITE_FRAME_BYTES, this.#current.bytes / 4);
    for (let index = 0; index < recovered.length; ) {
      const chunks: Uint8Array[] = [];
      let bytes = 0;
      do {
        const chunk = recovered[index];
        if (chunk === undefined) break;
        chunks.push(chunk);
        bytes += chunk.length;
        index += 1;
      } while (bytes + (recovered[index]?.length ?? 0) <= frameBytes);
      this.#makeFit(bytes);
      this.#write(chunks, ENTRIES);
    }
  }

  /** The start's own way to a next segment, which the supply has not been asked for yet. */
  #makeFit(payloadBytes: number): void {
    if (this.#fits(payloadBytes)) return;
    makeStarter(this.#ports, this.#current.sequence + 1);
    this.#roll();
  }

  #fits(payloadBytes: number): boolean {
    return this.#current.offset + FRAME_HEADER_BYTES + payloadBytes <= this.#current.bytes;
  }

  #roll(): void {
    const old = this.#current;
    old.file.close();
    this.#closed.push(old);
    this.#current = openSegment(this.#ports.disk, old.sequence + 1);
    this.#writeBase();
  }

  #writeBase(): void {
    this.#write([encodeBase(this.#last)], BASE);
  }

  #write(chunks: readonly Uint8Array[], kind: FrameContent["kind"]): void {
    const bytes = chunks.reduce((sum, chunk) => sum + chunk.length, FRAME_HEADER_BYTES);
    if (bytes > this.#frame.length) this.#frame = Buffer.allocUnsafeSlow(2 * bytes);
    let end = FRAME_HEADER_BYTES;
    for (const chunk of chunks) {
      this.#frame.set(chunk, end);
      end += chunk.length;
    }
    const frame = this.#frame.subarray(0, end);
    const current = this.#current;
    assert(current.offset + end <= current.bytes, "a frame stays within its segment");
    const entryCount = kind === ENTRIES ? this.#note(frame.subarray(FRAME_HEADER_BYTES)) : 0;
    this.#chain = sealFrame(frame, { kind, entryCount }, current.salt, this.#chain);
    current.file.write(frame, current.offset);
    const startedMs = this.#ports.nowMs();
    current.file.datasync();
    const ms = this.#ports.nowMs() - startedMs;
    current.offset += end;
    this.#meter.wrote({ entries: entryCount, bytes: end, ms });
  }

  /** Counts the entries and notes what they bring their shards to. */
  #note(payload: Buffer): number {
    let count = 0;
    forEachEntry(payload, (offset) => {
      const { shard, lsn } = readEntryHeader(payload, offset);
      assert(lsn === (this.#last.get(shard) ?? 0) + 1, "the lsns of a shard have no gap");
      this.#last.set(shard, lsn);
      this.#current.last.set(shard, lsn);
      count += 1;
    });
    return count;
  }

  #prepareNext(): void {
    this.#next = "preparing";
    fatal(this.#ports, "the next segment could not be prepared", () => {
      this.#ports.supply.prepare(this.#current.sequence + 1, (outcome) => this.#prepared(outcome));
    });
  }

  #prepared(outcome: SupplyOutcome): void {
    this.#next = outcome;
    // While a retry is under way the journal stays as full as it was.
    const hasChanged = this.#isFull !== (outcome === "no room");
    this.#isFull = outcome === "no room";
    if (hasChanged || outcome === "ready") this.#onRoom();
  }

  #isProjected({ last }: Segment): boolean {
    return [...last].every(([shard, lsn]) => lsn <= (this.#projected.get(shard) ?? 0));
  }

  #discardProjected(): boolean {
    const kept = this.#closed.findIndex((segment) => !this.#isProjected(segment));
    const gone = this.#closed.splice(0, kept === -1 ? this.#closed.length : kept);
    if (gone.length > 0) this.#discard(gone);
    return gone.length > 0;
  }

  #discard(segments: readonly Segment[]): void {
    fatal(this.#ports, "a segment could not be removed", () => {
      this.#ports.supply.discard(segments.map((segment) => segment.sequence));
    });
  }
}

/** Prepares the directory for a new segment, and says which one is to be written to. */
function settle(
  ports: FileJournalPorts,
  recovery: Recovery,
): { sequence: number; tornTail: TornTail | null } {
  const { disk } = ports;
  for (const name of disk.list().filter(isLeftover)) disk.unlink(name);
  const tornTail = recovery.tornTail === null ? null : copyTornTail(disk, recovery.tornTail);
  settleEnd(disk, recovery.lastFrame, recovery.tornTail);
  disk.syncDirectory();

  // A segment whose first frame was torn has been cut down to its header: it counts as unused.
  const frameless = recovery.used.filter((used) => used > (recovery.lastFrame?.sequence ?? 0));
  const unused = [...frameless, ...recovery.unused];
  const [next] = unused;
  const isUsable = next !== undefined && isPrepared(ports, next);
  discardSegments(disk, (isUsable ? unused.slice(1) : unused).reverse());
  if (isUsable) return { sequence: next, tornTail };
  const sequence = (recovery.lastFrame?.sequence ?? 0) + 1;
  makeStarter(ports, sequence);
  return { sequence, tornTail };
}

function isPrepared({ disk, starterBytes }: FileJournalPorts, sequence: number): boolean {
  const file = disk.open(segmentName(sequence), "update");
  try {
    const header = parseSegmentHeader(file.read(0, SEGMENT_HEADER_BYTES));
    const isWhole = typeof header !== "string" && header.sequence === sequence;
    return isWhole && file.size() >= (starterBytes ?? STARTER_SEGMENT_BYTES);
  } finally {
    file.close();
  }
}

function makeStarter(ports: FileJournalPorts, sequence: number): void {
  const { disk, randomSalt, starterBytes, warn = () => undefined } = ports;
  const segment = { sequence, salt: randomSalt(), bytes: starterBytes ?? STARTER_SEGMENT_BYTES };
  if (makeSegmentBeforeArchive(disk, segment, warn) === "ready") return;
  throw new JournalNoRoom(`no room for ${segmentName(sequence)}`);
}

function openSegment(disk: Disk, sequence: number): CurrentSegment {
  const file = disk.open(segmentName(sequence), "update");
  const header = parseSegmentHeader(file.read(0, SEGMENT_HEADER_BYTES));
  assert(typeof header !== "string" && header.sequence === sequence, "a prepared segment is whole");
  return {
    sequence,
    file,
    bytes: file.size(),
    salt: header.salt,
    last: new Map(),
    offset: SEGMENT_HEADER_BYTES,
  };
}

function reportOf(recovery: Recovery, tornTail: TornTail | null): FileRecoveryReport {
  return {
    kind: "file",
    verdict: verdictOf(recovery),
    segments: recovery.used.length,
    frames: recovery.frames,
    entries: recovery.entries,
    entriesRecovered: recovery.entriesRecovered,
    tornTail,
  };
}

function fatal<Result>({ die }: FileJournalPorts, what: string, action: () => Result): Result {
  try {
    return action();
  } catch (cause) {
    return die(what, cause);
  }
}
