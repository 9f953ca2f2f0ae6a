import { atMsOf, entryEnd, lsnOf } from "../journal/entry.ts";
import type { ShardAdvance } from "./projection-store.ts";

/** The first facts of a queue. */
export interface Slice {
  readonly advance: ShardAdvance;
  readonly facts: number;
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
  /** Of each entry the bytes that it is in, and where: a million of them may wait. */
  #buffers: Buffer[] = [];
  #offsets: number[] = [];
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
    return this.#offsets.length - this.#head;
  }

  /** Facts that wait and were not given out. */
  get untaken(): number {
    return this.count - this.#taken;
  }

  /** The shard's time at the first fact that waits, Unix ms; infinite: none waits. */
  get oldestMs(): number {
    const bytes = this.#buffers[this.#head];
    if (bytes === undefined) return Number.POSITIVE_INFINITY;
    return atMsOf(bytes, this.#offsets[this.#head] ?? 0);
  }

  /**
   * Takes the entry in `bytes` at `offset`, unless PostgreSQL or the queue has it already. False: a
   * fact before it is missing, which no later one can make good.
   */
  push(bytes: Buffer, offset: number): boolean {
    const lsn = lsnOf(bytes, offset);
    if (lsn <= this.#queuedLsn) return true;
    if (lsn !== this.#queuedLsn + 1) return false;
    this.#queuedLsn = lsn;
    this.#buffers.push(bytes);
    this.#offsets.push(offset);
    this.bytes += entryEnd(bytes, offset) - offset;
    return true;
  }

  /**
   * Gives out the first facts that were not yet: at most so many, of at most so many bytes, but one
   * at least. null: none wait. Throws what `give` throws, and then nothing was given out.
   */
  take(
    countMax: number,
    bytesMax: number,
    give: (bytes: Buffer, offset: number) => void,
  ): Slice | null {
    let facts = 0;
    let taken = 0;
    let logicalMs = 0;
    for (let at = this.#head + this.#taken; at < this.#offsets.length; at += 1) {
      const [bytes, offset] = [this.#buffers[at], this.#offsets[at]];
      if (bytes === undefined || offset === undefined) break;
      const entryBytes = entryEnd(bytes, offset) - offset;
      const isFull = facts >= countMax || taken + entryBytes > bytesMax;
      if (isFull && facts > 0) break;
      give(bytes, offset);
      facts += 1;
      taken += entryBytes;
      logicalMs = Math.max(logicalMs, atMsOf(bytes, offset));
    }
    if (facts === 0) return null;
    const { shard, epoch } = this;
    const before = this.#appliedLsn + this.#taken;
    const [firstLsn, lastLsn] = [before + 1, before + facts];
    this.#taken += facts;
    const advance = { shard, epoch, firstLsn, lastLsn, logicalMs };
    return { advance, facts, bytes: taken };
  }

  /** PostgreSQL does not have what was given out: all but the first `kept` is there again. */
  putBack(kept = 0): void {
    this.#taken = kept;
  }

  /** PostgreSQL has what `take` gave first. */
  drop({ advance, facts, bytes }: Slice): void {
    this.#appliedLsn = advance.lastLsn;
    this.#head += facts;
    this.#taken -= facts;
    this.bytes -= bytes;
    // Entries hold on to the buffers that they came in, so they are let go early. In place: arrays
    // that were left behind would hold on to them until the whole heap is collected.
    if (this.#head * 2 >= this.#offsets.length) {
      this.#buffers.splice(0, this.#head);
      this.#offsets.splice(0, this.#head);
      this.#head = 0;
    }
  }

  /** Lets everything go: the shard is projected no more. */
  fail(): void {
    this.failed = true;
    this.#buffers = [];
    this.#offsets = [];
    this.#head = 0;
    this.#taken = 0;
    this.bytes = 0;
  }
}
