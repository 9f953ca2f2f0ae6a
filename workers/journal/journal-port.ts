/**
 * The journal, as its users see it. There are two adapters: files on the local disk, and an
 * operation log in PostgreSQL. Nothing else knows which one is in use.
 *
 * A shard worker appends what one round of its loop decided as one *append*: encoded entries
 * (entry.ts) and a ticket, a number that only grows. The journal tells `durable(ticket)`, in order,
 * once that append and all before it would survive a crash. It may make many appends durable with
 * one sync.
 *
 * Failing is not an answer: a journal that cannot keep its promise ends the process.
 */
import type { Port } from "../port.ts";
import type { OwnedShard } from "../store/shard-table.ts";
import type { ThreadVitals } from "../thread-vitals.ts";
import type { TracedFact, TracedWork } from "../traced.ts";
import type { FrameFigures } from "./frame-meter.ts";

/** Shard worker → journal thread. `entries` is transferred. */
export interface AppendMessage {
  readonly kind: "append";
  readonly ticket: number;
  readonly entries: ArrayBuffer;
  /** What of it is traced; absent: nothing. */
  readonly traced?: readonly TracedFact[];
}

/** Journal thread → shard worker: all tickets up to this one are durable. */
export interface DurableMessage {
  readonly kind: "durable";
  readonly ticket: number;
}

/** Journal thread → projector thread: durable entries, in the order of the journal. Transferred. */
export interface ProjectMessage {
  readonly kind: "project";
  readonly entries: ArrayBuffer;
  /** What of it is traced; absent: nothing. */
  readonly traced?: readonly TracedFact[];
}

/** Journal thread → shard worker: while `full`, admit nothing new. */
export interface FullMessage {
  readonly kind: "full";
  readonly full: boolean;
}

export type JournalToShardMessage = DurableMessage | FullMessage;

/** Pairs of shard and lsn. */
export type Watermarks = readonly (readonly [shard: number, lsn: number])[];

/** Main thread → journal thread. Every `connect` comes after `opened`. */
export type ToJournalThread =
  /** Every shard, with what PostgreSQL has of it. Answered by `opened` or `refused`. */
  | { readonly kind: "open"; readonly shards: readonly OwnedShard[] }
  /** A shard worker: AppendMessage in, JournalToShardMessage out. */
  | { readonly kind: "connect"; readonly port: Port }
  /** The projector: WatermarkMessage in, ProjectMessage out; what was recovered goes out first. */
  | { readonly kind: "connectProjector"; readonly port: Port }
  | { readonly kind: "status"; readonly id: number }
  | { readonly kind: "vitals"; readonly id: number }
  /** Sent once nothing will be appended any more. Answered by `closed`. */
  | { readonly kind: "close" };

/** Journal thread → main thread. */
export type FromJournalThread =
  | {
      readonly kind: "opened";
      /** Entries that PostgreSQL lacks; the projector gets them. */
      readonly recovered: number;
      /** The last durable lsn of every shard. */
      readonly last: Watermarks;
      readonly report: RecoveryReport;
    }
  /** It must not be written to: `code` and `message` are those of recovery-errors.ts. */
  | { readonly kind: "refused"; readonly code: string; readonly message: string }
  | { readonly kind: "status"; readonly id: number; readonly status: JournalStatus }
  | {
      readonly kind: "vitals";
      readonly id: number;
      readonly thread: ThreadVitals;
      readonly status: JournalStatus;
    }
  | TracedWork
  | { readonly kind: "closed" };

/** What was found at start, for the log. */
export type RecoveryReport = FileRecoveryReport | PgRecoveryReport;

export interface FileRecoveryReport {
  readonly kind: "file";
  readonly verdict: "empty" | "clean" | "torn tail";
  readonly segments: number;
  readonly frames: number;
  readonly entries: number;
  readonly entriesRecovered: number;
  readonly tornTail: TornTail | null;
}

export interface PgRecoveryReport {
  readonly kind: "postgres";
  /** Empty: PostgreSQL lacks nothing of what was logged. */
  readonly verdict: "empty" | "clean";
  /** Rows with something in them that PostgreSQL lacks, and all that is in them. */
  readonly rows: number;
  readonly entries: number;
  readonly entriesRecovered: number;
}

export interface TornTail {
  readonly file: string;
  readonly offset: number;
  /** From `offset` to the last byte that is not zero. */
  readonly bytes: number;
  /** Where a copy of them is kept; null: enough copies are kept already. */
  readonly copy: string | null;
}

/** The journal as operators see it. */
export type JournalStatus = FileJournalStatus | PgJournalStatus;

interface AnyJournalStatus extends FrameFigures {
  /** Nothing new is admitted. */
  readonly full: boolean;
  readonly shards: readonly {
    readonly shard: number;
    readonly durableLsn: number;
    readonly projectedLsn: number;
  }[];
}

export interface FileJournalStatus extends AnyJournalStatus {
  readonly kind: "file";
  readonly segments: number;
  readonly bytes: number;
  readonly file: string;
  readonly offset: number;
  readonly fsyncs: number;
  readonly lastSyncUs: number;
}

export interface PgJournalStatus extends AnyJournalStatus {
  readonly kind: "postgres";
  /** Appended by this process. */
  readonly rows: number;
  /** From sending the last frame to its commit, tries that failed included. */
  readonly lastAppendUs: number;
  /** Statements that failed or were not answered in time, and why the last one did. */
  readonly failures: number;
  readonly lastFailure: string | null;
}

/** What a shard worker holds of the journal. */
export interface JournalAppender {
  /** `traced`: the last facts of the traced commands among them. */
  append(ticket: number, entries: Uint8Array<ArrayBuffer>, traced: readonly TracedFact[]): void;
}
