export type BackupFailure =
  | "usage"
  | "target_in_use"
  | "source_in_use"
  | "tool_missing"
  | "tool_failed"
  | "journal_moved_on"
  | "not_a_backup"
  | "backup_damaged"
  | "wrong_kind"
  | "restore_unfinished";

/** A backup was not made, or not restored: the message says what is to be done. */
export class BackupFailed extends Error {
  readonly code: BackupFailure;

  constructor(code: BackupFailure, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
