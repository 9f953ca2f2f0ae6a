import type { EventId } from "../../engine/ids.ts";
import type { OutboxRow } from "../../workers/projector/outbox-rows.ts";
import type { Queries } from "../tenancy/database.ts";

interface EntryBase {
  /** Unix ms. */
  readonly atMs: number;
}

/** A fact of an event that others are told of: written by the projector, with the fact's rows. */
export type FactEntry = OutboxRow;

/** What the catalogue says of a published event changed: by a trigger (sql/025.do.outbox.sql). */
export interface EventEditedEntry extends EntryBase {
  readonly kind: "eventEdited";
  readonly eventId: EventId;
  /** Only what changed; times are Unix ms. */
  readonly detail: {
    readonly startsMs?: { readonly from: number; readonly to: number };
    readonly title?: { readonly from: string; readonly to: string };
    readonly venue?: true;
  };
}

/** A mail that a service of the gateway asked for, in the transaction of its cause. */
export interface MailEntry extends EntryBase {
  readonly kind: "mail";
  readonly detail: {
    /** The kind of mail, and what makes it one of a kind: `verification:<token's digest>`. */
    readonly key: string;
    /** Sealed JSON (notifier/seal.ts): whoever reads the table learns no token from it. */
    readonly sealed: string;
  };
}

export type OutboxEntry = FactEntry | EventEditedEntry | MailEntry;

/** As it was, for an operator's second try; what it may have caused was undone with the first. */
export async function putBackIntoOutbox(client: Queries, entry: OutboxEntry): Promise<void> {
  const { kind, atMs } = entry;
  const isMail = kind === "mail";
  const isFact = !isMail && kind !== "eventEdited";
  await client.query(
    `INSERT INTO outbox (kind, event_id, seq, change, subject_id, at_ms, detail)
     VALUES ($1, $2, $3, $4, $5, $6, $7)`,
    [
      kind,
      isMail ? null : entry.eventId,
      isFact ? entry.seq : null,
      isFact ? entry.change : null,
      isFact ? entry.subjectId : null,
      atMs,
      isFact ? null : JSON.stringify(entry.detail),
    ],
  );
}
