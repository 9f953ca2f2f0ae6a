import { entryEnd, packedFactOf, readEntry, readEntryHeader } from "../journal/entry.ts";
import type { EventFact } from "./effects.ts";
import type { ShardAdvance } from "./projection-store.ts";

interface QueuedEntry {
  readonly bytes: Buffer;
  readonly offset: number;
}

/** The first facts of a queue, decoded. */
export interface Slice {
  readonly advance: ShardAdvance;
  readonly facts: readonly EventFact[];
  readonly bytes: number;
}

/**
 * The durable facts of one shard that PostgreSQL lacks, still encoded.
 *
 * Invariant: queued are exactly the facts in (appliedLsn, queuedLsn], in order; the first of them
 * may be taken, to be dropped in the order of taking, or put back.
 */
export class ShardQueue {
  readonly shard: number;
  readonly epoch: number;
  /** Entry bytes that wait. */
  bytes = 0;
  /** Set once the shard may not be written any more; it takes nothing in from then on. */
  failed = false;
  #appliedLsn: number;
  #queuedLsn: number;
  #entries: QueuedEntry[] = [];
  #head = 0;
  /** Entries from the head on that were given out. */
  #taken = 0;

  constructor(shard: number, epoch: number, appliedLsn: number) {
    this.shard = shard;
    this.epoch = epoch;
    this.#appliedLsn = appliedLsn;
    this.#queuedLsn = appliedLsn;
  }

  get appliedLsn(): number {
    return this.#appliedLsn;
  }

  /** Facts that wait, with those that were given out. */
  get count(): number {
    return this.#entries.length - this.#head;
  }

  /** Facts that wait and were not given out. */
  get untaken(): number {
    return this.count - this.#taken;
  }

  /** The shard's time at the first fact that waits, Unix ms; infinite: none waits. */
  get oldestMs(): number {
    const first = this.#entries[this.#head];
    if (first === undefined) return Number.POSITIVE_INFINITY;
    return readEntryHeader(first.bytes, first.offset).atMs;
  }

  /**
   * Takes the entry in `bytes` at `offset`, unless PostgreSQL or the queue has it already. False: a
   * fact before it is missing, which no later one can make good.
   */
  push(bytes: Buffer, offset: number): boolean {
    const { lsn } = readEntryHeader(bytes, offset);
    if (lsn <= this.#queuedLsn) return true;
    if (lsn !== this.#queuedLsn + 1) return false;
    this.#queuedLsn = lsn;
    this.#entries.push({ bytes, offset });
    this.bytes += entryEnd(bytes, offset) - offset;
    return true;
  }

  /**
   * The first facts that were not given out: at most so many, of at most so many bytes, but one at
   * least. null: none wait. Throws when an entry can't be decoded.
   */
  take(countMax: number, bytesMax: number): Slice | null {
    const facts: EventFact[] = [];
    let bytes = 0;
    let logicalMs = 0;
    for (let at = this.#head + this.#taken; at < this.#entries.length; at += 1) {
      const queued = this.#entries[at];
      if (queued === undefined) break;
      const entryBytes = entryEnd(queued.bytes, queued.offset) - queued.offset;
      const isFull = facts.length >= countMax || bytes + entryBytes > bytesMax;
      if (isFull && facts.length > 0) break;
      const entry = readEntry(queued.bytes, queued.offset);
      const { eventId, fact } = entry;
      const packed = fact.key === null ? null : packedFactOf(queued.bytes, queued.offset);
      facts.push({ eventId, fact, packed });
      bytes += entryBytes;
      logicalMs = Math.max(logicalMs, entry.atMs);
    }
    if (facts.length === 0) return null;
    const { shard, epoch } = this;
    const before = this.#appliedLsn + this.#taken;
    const [firstLsn, lastLsn] = [before + 1, before + facts.length];
    this.#taken += facts.length;
    return { advance: { shard, epoch, firstLsn, lastLsn, logicalMs }, facts, bytes };
  }

  /** PostgreSQL does not have what was given out: all but the first `kept` is there again. */
  putBack(kept = 0): void {
    this.#taken = kept;
  }

  /** PostgreSQL has what `take` gave first. */
  drop({ advance, facts, bytes }: Slice): void {
    this.#appliedLsn = advance.lastLsn;
    this.#head += facts.length;
    this.#taken -= facts.length;
    this.bytes -= bytes;
    // Entries hold on to the buffers that they came in, so they are let go early.
    if (this.#head * 2 >= this.#entries.length) {
      this.#entries = this.#entries.slice(this.#head);
      this.#head = 0;
    }
  }

  /** Lets everything go: the shard is projected no more. */
  fail(): void {
    this.failed = true;
    this.#entries = [];
    this.#head = 0;
    this.#taken = 0;
    this.bytes = 0;
  }
}
