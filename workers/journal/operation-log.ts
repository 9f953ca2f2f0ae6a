import type { Watermarks } from "./journal-port.ts";

/** Consecutive entries of one shard: one row of the log. */
export interface LogRow {
  readonly shard: number;
  /** Of the shard's owner who wrote them. */
  readonly epoch: number;
  readonly firstLsn: number;
  readonly lastLsn: number;
  /** As entry.ts encodes them. */
  readonly entries: Uint8Array;
}

/** Where the log of a shard ends, and who may write to it. */
export interface LogEnd {
  readonly shard: number;
  readonly epoch: number;
  readonly lastLsn: number;
}

/**
 * The operation log, as PgJournal uses it: per shard a row of entries after the other, and an end.
 * In production it is in PostgreSQL (pg-operation-log.ts), in a simulation in memory.
 *
 * Every method may fail for whatever passes: a lost connection, a server that restarts, one that
 * does not answer in time. It then throws anything but OperationLogRefused, and *the outcome is
 * unknown*: the call may have taken effect, may never take effect, or may take effect later, even
 * while a later call of ours runs. Only a change of the owner ends that (ShardTable.acquire): what
 * was sent under an older epoch and is not in by then never will be. No call waits for ever.
 *
 * A guard that does not hold is no error, but an outcome. Nothing is tried again in here.
 */
export interface OperationLog {
  /**
   * In one transaction, for each row on its own: if the shard's end is exactly at
   * `firstLsn - 1` and of the row's epoch, the row is added and the end moves to `lastLsn`; if not,
   * nothing of it is. Returns the shards that advanced, in any order, once that is durable.
   *
   * So the same rows may be sent any number of times, and are in once. `rows` has each shard once,
   * in ascending order, and is not empty. One `append` or `ends` at a time.
   */
  append(rows: readonly LogRow[]): Promise<readonly number[]>;

  /**
   * The ends of all shards. Waits for appends that are under way at the server, ours and forgotten
   * ones; what it returns is as durable as an append that was answered.
   */
  ends(): Promise<readonly LogEnd[]>;

  /**
   * The first rows that hold anything beyond `after`, in the order of shard and lsn; a row that
   * lies across its watermark is one of them. A page has FRAME_PAYLOAD_BYTES_MAX of entries at
   * most, and a row at least: to read all, read again behind the last row of each shard until
   * nothing comes. Shards that `after` does not name are left out.
   */
  readTail(after: Watermarks): Promise<readonly LogRow[]>;

  /**
   * Deletes some of the rows that end at or before the watermarks. True: there may be more of them.
   * May run beside the other methods, but not beside itself. Need not be durable when it returns.
   */
  retire(watermarks: Watermarks): Promise<boolean>;

  /** Gives up what is under way, whose callers see it fail, and lets the connections go. */
  close(): Promise<void>;
}

/**
 * To try again cannot help: the log is not what this program made, or its data are not. Whoever
 * meets it stops.
 */
export class OperationLogRefused extends Error {
  readonly code = "operation_log_refused";
}
