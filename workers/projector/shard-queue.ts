import { PROJECTION_BATCH_BYTES_MAX, PROJECTION_BATCH_FACTS_MAX } from "../../engine/limits.ts";
import { entryEnd, readEntry, readEntryHeader } from "../journal/entry.ts";
import { type EventFact, netEffectsOf } from "./net-effects.ts";
import type { ProjectionBatch } from "./projection-store.ts";

interface QueuedEntry {
  readonly bytes: Buffer;
  readonly offset: number;
}

/**
 * The durable facts of one shard that PostgreSQL lacks, still encoded.
 *
 * Invariants:
 * - Queued are exactly the facts in (appliedLsn, queuedLsn], in order.
 * - `peek` gives the same batch until `advance`, however much is pushed meanwhile: a batch whose
 *   outcome is unknown is tried again with the same bounds.
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
  #batch: ProjectionBatch | null = null;

  constructor(shard: number, epoch: number, appliedLsn: number) {
    this.shard = shard;
    this.epoch = epoch;
    this.#appliedLsn = appliedLsn;
    this.#queuedLsn = appliedLsn;
  }

  get appliedLsn(): number {
    return this.#appliedLsn;
  }

  /** Facts that wait. */
  get count(): number {
    return this.#entries.length - this.#head;
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

  /** The next batch; null: nothing waits. Throws when an entry can't be decoded. */
  peek(): ProjectionBatch | null {
    if (this.#batch !== null || this.count === 0) return this.#batch;
    const facts: EventFact[] = [];
    let bytes = 0;
    let logicalMs = 0;
    for (let at = this.#head; at < this.#entries.length; at += 1) {
      const queued = this.#entries[at];
      if (queued === undefined || facts.length === PROJECTION_BATCH_FACTS_MAX) break;
      bytes += entryEnd(queued.bytes, queued.offset) - queued.offset;
      if (facts.length > 0 && bytes > PROJECTION_BATCH_BYTES_MAX) break;
      const entry = readEntry(queued.bytes, queued.offset);
      logicalMs = Math.max(logicalMs, entry.atMs);
      facts.push(entry);
    }
    this.#batch = {
      shard: this.shard,
      epoch: this.epoch,
      firstLsn: this.#appliedLsn + 1,
      lastLsn: this.#appliedLsn + facts.length,
      logicalMs,
      effects: netEffectsOf(facts),
    };
    return this.#batch;
  }

  /** PostgreSQL has the batch. */
  advance({ lastLsn }: ProjectionBatch): void {
    const end = this.#head + lastLsn - this.#appliedLsn;
    for (const { bytes, offset } of this.#entries.slice(this.#head, end)) {
      this.bytes -= entryEnd(bytes, offset) - offset;
    }
    this.#batch = null;
    this.#appliedLsn = lastLsn;
    this.#head = end;
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
    this.#batch = null;
    this.bytes = 0;
  }
}
