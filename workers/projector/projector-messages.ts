/** Projector thread → everyone who waits: what PostgreSQL now has of a shard. */
export interface WatermarkMessage {
  readonly kind: "watermarks";
  /** Pairs of shard and lsn. */
  readonly watermarks: readonly (readonly [shard: number, lsn: number])[];
}

/** Projector thread → supervisor: it must stop, and why (a violated constraint, a lost fence). */
export interface ProjectorFailedMessage {
  readonly kind: "projectorFailed";
  readonly shard: number;
  readonly reason: string;
}

/** Projector thread → supervisor: how it does, sent once a second while it has work. */
export interface ProjectorReport {
  readonly kind: "projectorReport";
  readonly backlogFacts: number;
  readonly backlogBytes: number;
  readonly factsTotal: number;
  readonly batchesTotal: number;
  readonly lastBatchFacts: number;
  readonly lastBatchMs: number;
  /** null: the last attempt succeeded. */
  readonly lastError: string | null;
}
