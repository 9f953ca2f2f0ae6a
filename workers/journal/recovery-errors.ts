/** Why a journal is not written to. The truth table in recovery.ts says when each one is given. */
export const CORRUPTION_CODES = [
  "journal_bad_header",
  "journal_missing_segment",
  "journal_unused_segment_between",
  "journal_frame_after_bad",
  "journal_bad_older_frame",
  "journal_broken_chain",
  "journal_bad_payload",
  "journal_lsn_gap",
  "journal_lost_tail",
  "journal_ahead_of_database",
] as const;
export type CorruptionCode = (typeof CORRUPTION_CODES)[number];

export interface Corruption {
  readonly code: CorruptionCode;
  readonly file: string;
  readonly offset: number;
  /** A sentence for the operator. */
  readonly reason: string;
}

/**
 * Something acknowledged may be missing, and to go on would hide it. Nothing was changed on disk.
 */
export class JournalCorrupt extends Error {
  readonly code: CorruptionCode;
  readonly file: string;
  readonly offset: number;
  readonly reason: string;

  constructor({ code, file, offset, reason }: Corruption) {
    super(`${code}: ${file} at offset ${offset}: ${reason}`);
    this.code = code;
    this.file = file;
    this.offset = offset;
    this.reason = reason;
  }
}

/** Why an operation log is not written to; operation-log-tail.ts says when each one is given. */
export type LogCorruptionCode =
  | "journal_lsn_gap"
  | "journal_lsn_overlap"
  | "journal_epoch_order"
  | "journal_bad_payload"
  | "journal_beyond_end"
  | "journal_lost_tail";

/** Something acknowledged may be missing from the operation log. Nothing was changed in it. */
export class OperationLogCorrupt extends Error {
  readonly code: LogCorruptionCode;
  readonly shard: number;

  constructor(code: LogCorruptionCode, shard: number, reason: string) {
    super(`${code}: shard ${shard} in the operation log: ${reason}`);
    this.code = code;
    this.shard = shard;
  }
}

/** Another process owns the shards now. */
export class JournalFenced extends Error {
  readonly code = "journal_fenced";
}

/** The other kind of journal holds what PostgreSQL lacks: its entries must be projected first. */
export class OtherJournalInUse extends Error {
  readonly code = "journal_other_in_use";
}

/** The disk has no room for what a start needs. Nothing is lost; free some and start again. */
export class JournalNoRoom extends Error {
  readonly code = "journal_no_room";
}
