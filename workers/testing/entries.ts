/** Facts as the journal hands them to the projector. For tests only. */
import type { Fact } from "../../engine/facts.ts";
import type { EventId } from "../../engine/ids.ts";
import { EVENT_ID } from "../../engine/testing/fixtures.ts";
import { EntryWriter, forEachEntry, readEntryHeader } from "../journal/entry.ts";
import { ShardQueue } from "../projector/shard-queue.ts";

export interface EntryOptions {
  /** Default: 0. */
  readonly shard?: number;
  /** Default: 1. */
  readonly epoch?: number;
  /** lsn of the first fact. Default: 1. */
  readonly firstLsn?: number;
  /** Default: the fixtures' event. */
  readonly eventId?: EventId;
}

/** Consecutive entries of one shard. */
export function entriesOf(facts: readonly Fact[], options: EntryOptions = {}): Buffer {
  const { shard = 0, epoch = 1, firstLsn = 1, eventId = EVENT_ID } = options;
  const writer = new EntryWriter();
  for (const [index, fact] of facts.entries()) {
    writer.write({ shard, lsn: firstLsn + index, epoch, atMs: fact.atMs }, eventId, fact);
  }
  return Buffer.from(writer.take().buffer);
}

/** The same as they wait for the projector, who has all that comes before them. */
export function queueOf(entries: Buffer): ShardQueue {
  const { shard, epoch, lsn } = readEntryHeader(entries, 0);
  const queue = new ShardQueue(shard, epoch, lsn - 1);
  forEachEntry(entries, (offset) => {
    if (!queue.push(entries, offset)) throw new Error("entries follow each other");
  });
  return queue;
}
