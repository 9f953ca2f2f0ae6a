import type { HistogramSnapshot } from "../histogram.ts";
import type { Port } from "../port.ts";
import type { ThreadVitals } from "../thread-vitals.ts";
import type { TracedWork } from "../traced.ts";

/** What a projector thread is started with. */
export interface ProjectorThreadData {
  /**
   * Every shard that is owned, also those past the shard count (the journal may have their facts).
   */
  readonly epochs: readonly (readonly [shard: number, epoch: number, appliedLsn: number])[];
  /** Default: UNPROJECTED_BYTES_MAX. */
  readonly unprojectedBytesMax?: number;
  /** Facts in one transaction. Default: PROJECTION_BATCH_FACTS_MAX. */
  readonly batchFactsMax?: number;
}

/** Supervisor → projector thread. */
export type ToProjectorThread =
  /** The journal: ProjectMessage in, WatermarkMessage out. */
  | { readonly kind: "connectJournal"; readonly port: Port }
  /** A shard worker: WatermarkMessage out, first of all one with the watermarks as they are. */
  | { readonly kind: "connectListener"; readonly port: Port }
  | { readonly kind: "status"; readonly id: number }
  | { readonly kind: "vitals"; readonly id: number }
  /** Answered by `drained` once PostgreSQL has all that the journal sent before this. */
  | { readonly kind: "drain" }
  /** Answered by `stopped` once nothing is being written; what waits stays in the journal. */
  | { readonly kind: "stop" };

/** Projector thread → supervisor. */
export type FromProjectorThread =
  | WatermarkMessage
  | ProjectorFailedMessage
  | ProjectorReport
  | { readonly kind: "status"; readonly id: number; readonly report: ProjectorReport }
  | {
      readonly kind: "vitals";
      readonly id: number;
      readonly thread: ThreadVitals;
      readonly report: ProjectorReport;
    }
  | TracedWork
  | { readonly kind: "drained" }
  | { readonly kind: "stopped" };

/** Projector thread → everyone who waits: what PostgreSQL now has of a shard. */
export interface WatermarkMessage {
  readonly kind: "watermarks";
  /** Pairs of shard and lsn. */
  readonly watermarks: readonly (readonly [shard: number, lsn: number])[];
}

/** Projector thread → shard workers: while it has more than it may keep, admit nothing new. */
export interface OverfullMessage {
  readonly kind: "overfull";
  readonly overfull: boolean;
}

/** Projector thread → supervisor: this shard is projected no more, and why. Others go on. */
export interface ProjectorFailedMessage {
  readonly kind: "projectorFailed";
  readonly shard: number;
  /** Of a ProjectionRefused (`fence_lost`, `invariant_violated` …), or `internal`: a bug. */
  readonly code: string;
  readonly reason: string;
}

/** Projector thread → supervisor: how it does, sent once a second when it changed. */
export interface ProjectorReport {
  readonly kind: "projectorReport";
  readonly backlogFacts: number;
  readonly backlogBytes: number;
  /** The backlog is past UNPROJECTED_BYTES_MAX: who admits new work should not. */
  readonly overfull: boolean;
  readonly factsTotal: number;
  readonly batchesTotal: number;
  /** Age of the oldest fact that PostgreSQL lacks; 0: it lacks none. */
  readonly lagMs: number;
  /** Transactions that failed and were, or will be, tried again. */
  readonly failuresTotal: number;
  readonly transactionSeconds: HistogramSnapshot;
  readonly factsOfTransactions: HistogramSnapshot;
  readonly lastBatchFacts: number;
  readonly lastBatchMs: number;
  /** How long PostgreSQL has left a question open; 0: there is none. */
  readonly unansweredMs: number;
  /** null: the last attempt succeeded. */
  readonly lastError: string | null;
}
