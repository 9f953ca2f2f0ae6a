/**
 * The operation log's tables, in memory: each method is one transaction. What it means is written
 * at workers/journal/operation-log.ts.
 */
import { FRAME_PAYLOAD_BYTES_MAX } from "../../engine/limits.ts";
import type { Watermarks } from "../../workers/journal/journal-port.ts";
import {
  type LogEnd,
  type LogRow,
  OperationLogRefused,
} from "../../workers/journal/operation-log.ts";

/** Fewer rows than in production, so that several steps and several pages are needed. */
const RETIRE_ROWS_MAX = 50;
const PAGE_ROWS_MAX = 7;

/** Invariant: the rows of a shard are in the order of their lsns, and end at its end or before. */
export class VirtualLog {
  readonly #ends = new Map<number, LogEnd>();
  readonly #rows = new Map<number, LogRow[]>();

  /** The owner of the shard is of this epoch from now on; the projection has it up to there. */
  own(shard: number, epoch: number, appliedLsn: number): void {
    const lastLsn = Math.max(appliedLsn, this.#ends.get(shard)?.lastLsn ?? 0);
    this.#ends.set(shard, { shard, epoch, lastLsn });
  }

  /** Returns the rows that are in now. Throws OperationLogRefused, and then none is. */
  append(rows: readonly LogRow[]): LogRow[] {
    const added = rows.filter(({ shard, epoch, firstLsn }) => {
      const end = this.#ends.get(shard);
      return end !== undefined && end.epoch === epoch && end.lastLsn === firstLsn - 1;
    });
    if (added.some(({ firstLsn, lastLsn }) => firstLsn > lastLsn)) {
      const check = 'relation "operation_log" violates check constraint "operation_log_check"';
      throw new OperationLogRefused(`new row for ${check}`);
    }
    for (const row of added) {
      const { shard, epoch, lastLsn, entries } = row;
      this.#ends.set(shard, { shard, epoch, lastLsn });
      // A copy: the sender may go on using the memory.
      this.#rowsOf(shard).push({ ...row, entries: Uint8Array.from(entries) });
    }
    return added;
  }

  ends(): LogEnd[] {
    return [...this.#ends.values()];
  }

  readTail(after: Watermarks): LogRow[] {
    const page: LogRow[] = [];
    let bytes = 0;
    for (const [shard, lsn] of after.toSorted(([a], [b]) => a - b)) {
      for (const row of this.#rowsOf(shard)) {
        if (row.lastLsn <= lsn) continue;
        bytes += row.entries.length;
        const isFull = bytes > FRAME_PAYLOAD_BYTES_MAX || page.length === PAGE_ROWS_MAX;
        if (isFull && page.length > 0) return page;
        page.push({ ...row, entries: Uint8Array.from(row.entries) });
      }
    }
    return page;
  }

  /** Returns how many rows it deleted, and whether there may be more to delete. */
  retire(watermarks: Watermarks): { rows: number; isMore: boolean } {
    let count = 0;
    for (const [shard, lsn] of watermarks) {
      const rows = this.#rowsOf(shard);
      while (count < RETIRE_ROWS_MAX && (rows[0]?.lastLsn ?? Number.POSITIVE_INFINITY) <= lsn) {
        rows.shift();
        count += 1;
      }
    }
    return { rows: count, isMore: count === RETIRE_ROWS_MAX };
  }

  /** Not a copy. */
  rowsOf(shard: number): readonly LogRow[] {
    return this.#rowsOf(shard);
  }

  #rowsOf(shard: number): LogRow[] {
    let rows = this.#rows.get(shard);
    if (rows === undefined) {
      rows = [];
      this.#rows.set(shard, rows);
    }
    return rows;
  }
}
