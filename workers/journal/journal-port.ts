/**
 * The journal, as its users see it. Two adapters are foreseen: files on the local disk, and an operation
 * log in PostgreSQL. Nothing else knows which one is in use.
 *
 * A shard worker appends what one round of its loop decided as one *append*: encoded entries (entry.ts)
 * and a ticket, a number that only grows. The journal tells `durable(ticket)`, in order, once that
 * append and all before it would survive a crash. It may make many appends durable with one sync.
 *
 * Failing is not an answer: a journal that cannot keep its promise ends the process.
 */

/** Shard worker → journal thread. `entries` is transferred. */
export interface AppendMessage {
  readonly kind: "append";
  readonly ticket: number;
  readonly entries: ArrayBuffer;
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
}

/** What a shard worker holds of the journal. */
export interface JournalAppender {
  append(ticket: number, entries: Uint8Array): void;
}
