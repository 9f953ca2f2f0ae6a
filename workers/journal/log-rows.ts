import { assert } from "../../engine/assert.ts";
import { entryEnd, readEntryHeader } from "./entry.ts";
import type { LogRow } from "./operation-log.ts";
import { concatenated } from "./recovery.ts";

interface Gathered {
  readonly epoch: number;
  readonly firstLsn: number;
  lastLsn: number;
  readonly parts: Uint8Array[];
}

/**
 * The entries of a frame as rows, one for each shard in it, in ascending order. `last` is the last
 * durable lsn of every shard: that the entries follow it, each of their shard's one owner, is
 * asserted.
 */
export function rowsOf(chunks: readonly Uint8Array[], last: ReadonlyMap<number, number>): LogRow[] {
  const gathered = new Map<number, Gathered>();
  for (const chunk of chunks) {
    const bytes = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
    for (let at = 0; at < bytes.length; ) {
      const end = entryEnd(bytes, at);
      assert(end <= bytes.length, "a chunk holds whole entries");
      const { shard, lsn, epoch } = readEntryHeader(bytes, at);
      const row = gathered.get(shard);
      const known = row?.lastLsn ?? last.get(shard) ?? 0;
      assert(lsn === known + 1, "the lsns of a shard have no gap");
      assert(row === undefined || row.epoch === epoch, "a shard has one owner");
      const part = bytes.subarray(at, end);
      if (row === undefined) {
        gathered.set(shard, { epoch, firstLsn: lsn, lastLsn: lsn, parts: [part] });
      } else {
        row.lastLsn = lsn;
        row.parts.push(part);
      }
      at = end;
    }
  }
  return [...gathered]
    .sort(([a], [b]) => a - b)
    .map(([shard, { parts, ...row }]) => ({ shard, ...row, entries: concatenated(parts) }));
}
