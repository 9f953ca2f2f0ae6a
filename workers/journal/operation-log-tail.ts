/**
 * What an operation log found at start means. Reads only.
 *
 *   found                                                     verdict
 *   nothing beyond the watermarks                             empty
 *   rows that follow each other up to the end of their shard  clean
 *   rows at or below the watermark of their shard             normal: not yet deleted
 *   a row across it                                           normal: what is beyond it counts
 *
 *   refused, as OperationLogCorrupt with the code journal_…
 *   lsn_gap       a row does not begin where the one before it, or the watermark, ends: too late
 *   lsn_overlap   the same, too early
 *   epoch_order   a row of an older owner behind one of a newer, or of an owner still to come
 *   bad_payload   a row whose entries are not what its columns say
 *   beyond_end    a row behind the end of its shard
 *   lost_tail     the end of a shard is behind its last row, or before its watermark: rows that had
 *                 been acknowledged have vanished, or the ends have
 *
 *   refused, as JournalFenced: another process has become the owner meanwhile
 */
import { ENTRY_HEADER_BYTES, entryEnd, readEntryHeader } from "./entry.ts";
import type { LogEnd, LogRow, OperationLog } from "./operation-log.ts";
import { concatenated } from "./recovery.ts";
import { JournalFenced, type LogCorruptionCode, OperationLogCorrupt } from "./recovery-errors.ts";

/** A shard as its owner found it. */
export interface LoggedShard {
  readonly shard: number;
  readonly epoch: number;
  readonly appliedLsn: number;
}

export interface LogTail {
  readonly rows: number;
  /** In those rows. */
  readonly entries: number;
  readonly entriesRecovered: number;
  /** Entries that PostgreSQL lacks, in order; each chunk fits into a frame. */
  readonly recovered: readonly Uint8Array<ArrayBuffer>[];
  /** The last lsn of every shard. */
  readonly last: Map<number, number>;
}

/**
 * Reads what is beyond the watermarks. Throws OperationLogCorrupt, JournalFenced, and what the log
 * throws when it can't be read.
 */
export async function readLogTail(
  log: OperationLog,
  shards: readonly LoggedShard[],
): Promise<LogTail> {
  const ends = endsOf(shards, await log.ends());
  const walk = new Walk(shards, ends);
  for (;;) {
    const page = await log.readTail([...walk.last]);
    if (page.length === 0) return walk.finish();
    walk.page(page);
  }
}

function endsOf(shards: readonly LoggedShard[], ends: readonly LogEnd[]): Map<number, LogEnd> {
  const byShard = new Map(ends.map((end) => [end.shard, end]));
  for (const { shard, epoch, appliedLsn } of shards) {
    const end = byShard.get(shard);
    if (end === undefined) refuse("journal_lost_tail", shard, "the shard has no end");
    if (end.epoch !== epoch) {
      const reason = `shard ${shard} is at epoch ${end.epoch}, we are at ${epoch}`;
      throw new JournalFenced(`another process has taken over: ${reason}`);
    }
    if (end.lastLsn < appliedLsn) {
      const reason = `it ends at lsn ${end.lastLsn}, but the database has ${appliedLsn}`;
      refuse("journal_lost_tail", shard, reason);
    }
  }
  return byShard;
}

function refuse(code: LogCorruptionCode, shard: number, reason: string): never {
  throw new OperationLogCorrupt(code, shard, reason);
}

/**
 * Goes through the rows in order.
 *
 * Invariant: `last` is, for every shard, its watermark or the last lsn of the rows so far, and
 * `recovered` has every entry in between exactly once.
 */
class Walk {
  readonly last: Map<number, number>;
  readonly #ends: ReadonlyMap<number, LogEnd>;
  /** Of the last row of each shard. */
  readonly #epochs = new Map<number, number>();
  readonly #recovered: Uint8Array<ArrayBuffer>[] = [];
  #rows = 0;
  #entries = 0;
  #entriesRecovered = 0;

  constructor(shards: readonly LoggedShard[], ends: ReadonlyMap<number, LogEnd>) {
    this.last = new Map(shards.map(({ shard, appliedLsn }) => [shard, appliedLsn]));
    this.#ends = ends;
  }

  page(rows: readonly LogRow[]): void {
    this.#recovered.push(concatenated(rows.map((row) => this.#row(row))));
  }

  finish(): LogTail {
    for (const [shard, lsn] of this.last) {
      const end = this.#ends.get(shard)?.lastLsn ?? 0;
      if (lsn === end) continue;
      refuse("journal_lost_tail", shard, `its rows end at lsn ${lsn}, but it had up to ${end}`);
    }
    return {
      rows: this.#rows,
      entries: this.#entries,
      entriesRecovered: this.#entriesRecovered,
      recovered: this.#recovered,
      last: this.last,
    };
  }

  /** The entries of the row that PostgreSQL lacks. */
  #row(row: LogRow): Uint8Array {
    const { shard, epoch, firstLsn, lastLsn } = row;
    const known = this.last.get(shard) ?? 0;
    const place = `the row of lsn ${firstLsn} to ${lastLsn}`;
    if (firstLsn > known + 1) refuse("journal_lsn_gap", shard, `${place} comes after ${known}`);
    // Only the first row of a shard may begin before what is known: its watermark lies within.
    const before = this.#epochs.get(shard);
    const isAcross = before === undefined && lastLsn > known;
    if (firstLsn <= known && !isAcross) {
      refuse("journal_lsn_overlap", shard, `${place} comes after ${known}`);
    }
    const end = this.#ends.get(shard);
    if (end === undefined || lastLsn > end.lastLsn) {
      refuse("journal_beyond_end", shard, `${place} is behind its end, lsn ${end?.lastLsn}`);
    }
    if (epoch < (before ?? 0) || epoch > end.epoch) {
      refuse("journal_epoch_order", shard, `${place} is of epoch ${epoch}, after ${before}`);
    }
    const recoveredAt = checkPayload(row, known);
    this.last.set(shard, lastLsn);
    this.#epochs.set(shard, epoch);
    this.#rows += 1;
    this.#entries += lastLsn - firstLsn + 1;
    this.#entriesRecovered += lastLsn - Math.max(firstLsn - 1, known);
    return row.entries.subarray(recoveredAt);
  }
}

/** Checks the entries of a row. Returns where the first one beyond `known` begins. */
function checkPayload({ shard, epoch, firstLsn, lastLsn, entries }: LogRow, known: number): number {
  const bytes = Buffer.from(entries.buffer, entries.byteOffset, entries.byteLength);
  const wrong = (lsn: number, what: string): never =>
    refuse("journal_bad_payload", shard, `the entry of lsn ${lsn} is ${what}`);
  let recoveredAt = 0;
  let lsn = firstLsn;
  for (let at = 0; at < bytes.length; lsn += 1) {
    const isWhole = at + ENTRY_HEADER_BYTES <= bytes.length;
    const end = isWhole ? entryEnd(bytes, at) : Number.POSITIVE_INFINITY;
    if (end > bytes.length) wrong(lsn, "cut off");
    const header = readEntryHeader(bytes, at);
    if (header.shard !== shard || header.lsn !== lsn || header.epoch !== epoch) {
      wrong(lsn, `of shard ${header.shard}, lsn ${header.lsn}, epoch ${header.epoch}`);
    }
    at = end;
    if (lsn <= known) recoveredAt = at;
  }
  if (lsn !== lastLsn + 1) wrong(lsn, `none of ${firstLsn} to ${lastLsn}`);
  return recoveredAt;
}
