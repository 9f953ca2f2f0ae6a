import type { JournalStatus, RecoveryReport, Watermarks } from "./journal-port.ts";

/**
 * What the loop (journal-loop.ts) needs of a journal: files on the local disk (file-journal.ts), or
 * an operation log in PostgreSQL (pg-journal.ts). It has one writer and fails only by ending the
 * process.
 */
export interface FrameJournal {
  /** The last durable lsn of every shard. */
  readonly last: Watermarks;
  /** While it is full, nothing new should be admitted. */
  readonly isFull: boolean;
  /**
   * `listener` is called when `isFull` changed, or an append that found no room may find it now.
   */
  listenForRoom(listener: () => void): void;
  /**
   * Begins to make whole entries, FRAME_PAYLOAD_BYTES_MAX at most, durable as one frame. `done` is
   * called once they are, before this returns or later; until then nothing else may be appended.
   * False: nothing was begun for want of room; ask again when the listener is called.
   */
  append(chunks: readonly Uint8Array[], done: () => void): boolean;
  /** PostgreSQL has the shards' facts up to these lsns: what nobody needs any more may go. */
  retire(watermarks: Watermarks): void;
  /** Tries again what failed for want of room; called every JOURNAL_ROOM_RETRY_MS. */
  retryRoom(): void;
  status(): JournalStatus;
  /** Nothing is appended any more. What is not done by now never will be. */
  close(): void;
}

export interface OpenedJournal {
  readonly journal: FrameJournal;
  /** Entries that PostgreSQL lacks, in order, in memory of their own. */
  readonly recovered: readonly Uint8Array<ArrayBuffer>[];
  readonly report: RecoveryReport;
}
