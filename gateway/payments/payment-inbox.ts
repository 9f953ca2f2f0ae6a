import { PAYMENT_BATCH_ROWS_MAX, PAYMENT_LEASE_MS } from "../../engine/limits.ts";
import type { Queries, Scoped } from "../tenancy/database.ts";
import { PaymentIntents, type StoredIntent } from "./payment-intents.ts";
import type { PaymentOutcome, ProviderEvent } from "./payment-provider.ts";
import { type PutAway, type Ruling, rulingOf } from "./ruling.ts";

export interface InboxEntry extends ProviderEvent {
  readonly provider: string;
  /** Counts the one that is running. */
  readonly tries: number;
}

/** What came of an entry: put away, or taken notice of by the actor, or given back. */
export type InboxResult = PutAway | "done" | "unknown" | "refund";

/** Why money goes back that no actor decided about. */
export type OrphanReason = "amount_mismatch" | "booking_unknown";

interface InboxRow {
  readonly provider: string;
  readonly provider_event_id: string;
  readonly intent_id: string;
  readonly provider_ref: string | null;
  readonly outcome: PaymentOutcome;
  readonly amount_minor: string;
  readonly currency: string;
  readonly occurred_ms: string;
  readonly tries: number;
}

export interface Conclusion {
  readonly result: InboxResult;
  readonly nowMs: number;
  /** The actor has taken notice of the status that the ruling gave the intent. */
  readonly settledStatus: string | null;
  /** Money that goes back without an actor's word. */
  readonly giveBack: { readonly intent: StoredIntent; readonly reason: OrphanReason } | null;
}

/**
 * What providers told us, on its way to the actors.
 *
 * Invariants:
 * - A message is kept once, whatever its number of deliveries, and before it is acknowledged.
 * - An entry that is not concluded is tried again, by whichever node finds it first.
 * - What an entry changes besides its actor is in one transaction with its conclusion.
 */
export class PaymentInbox {
  readonly #rows: Scoped;

  constructor(rows: Scoped) {
    this.#rows = rows;
  }

  /** False: the message was here before. */
  async store(provider: string, event: ProviderEvent, nowMs: number): Promise<boolean> {
    const { rowCount } = await this.#rows.query(
      `INSERT INTO payment_inbox
         (provider, provider_event_id, intent_id, provider_ref, outcome, amount_minor, currency,
          occurred_ms, next_try_ms)
       VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
       ON CONFLICT (provider, provider_event_id) DO NOTHING`,
      [
        provider,
        event.providerEventId,
        event.intentId,
        event.providerRef,
        event.outcome,
        event.amountMinor,
        event.currency,
        event.occurredMs,
        nowMs,
      ],
    );
    return rowCount === 1;
  }

  /** Entries to be worked on now. They are the caller's for a lease. */
  claimDue(nowMs: number): Promise<InboxEntry[]> {
    const which = "next_try_ms <= $1 ORDER BY next_try_ms";
    return this.#claim(which, [nowMs, PAYMENT_LEASE_MS, PAYMENT_BATCH_ROWS_MAX]);
  }

  /** One entry; null: it is concluded, or somebody is at it. */
  async claim(provider: string, eventId: string, nowMs: number): Promise<InboxEntry | null> {
    const which = "next_try_ms <= $1 AND provider = $4 AND provider_event_id = $5";
    const [entry] = await this.#claim(which, [nowMs, PAYMENT_LEASE_MS, 1, provider, eventId]);
    return entry ?? null;
  }

  async #claim(which: string, values: readonly (string | number)[]): Promise<InboxEntry[]> {
    const { rows } = await this.#rows.query<InboxRow>(
      `WITH due AS (
         SELECT provider, provider_event_id FROM payment_inbox
         WHERE processed_at IS NULL AND ${which} LIMIT $3 FOR UPDATE SKIP LOCKED
       )
       UPDATE payment_inbox i SET tries = tries + 1, next_try_ms = $1::bigint + $2::bigint
       FROM due
       WHERE i.provider = due.provider AND i.provider_event_id = due.provider_event_id
       RETURNING i.*`,
      [...values],
    );
    return rows.map(entryOf);
  }

  /** Decides what the entry means and writes that down with the intent; nobody is told yet. */
  rule(entry: InboxEntry): Promise<{ ruling: Ruling; intent: StoredIntent | null }> {
    return this.#rows.transaction(async (client) => {
      const intent = await PaymentIntents.lock(client, entry.intentId);
      const ruling = rulingOf(intent, entry.provider, entry);
      if (ruling.kind !== "putAway") {
        const status = ruling.kind === "settle" ? ruling.status : "mismatch";
        const { providerRef } = entry;
        await PaymentIntents.become(client, entry.intentId, { status, providerRef });
      }
      return { ruling, intent };
    });
  }

  conclude(entry: InboxEntry, conclusion: Conclusion): Promise<void> {
    return this.#rows.transaction(async (client) => {
      const { giveBack, settledStatus, result, nowMs } = conclusion;
      if (giveBack !== null) await addOrphan(client, entry, giveBack, nowMs);
      if (settledStatus !== null) {
        await client.query(
          `UPDATE payment_intents SET settled_ms = coalesce(settled_ms, $2)
           WHERE intent_id = $1 AND status = $3`,
          [entry.intentId, nowMs, settledStatus],
        );
      }
      await client.query(
        `UPDATE payment_inbox SET processed_at = now(), result = $3, last_error = NULL
         WHERE provider = $1 AND provider_event_id = $2 AND processed_at IS NULL`,
        [entry.provider, entry.providerEventId, result],
      );
    });
  }

  async postpone(entry: InboxEntry, atMs: number, error: string): Promise<void> {
    await this.#rows.query(
      `UPDATE payment_inbox SET next_try_ms = $3, last_error = $4
       WHERE provider = $1 AND provider_event_id = $2 AND processed_at IS NULL`,
      [entry.provider, entry.providerEventId, atMs, error],
    );
  }
}

/**
 * No actor numbers this refund, so it has the intent's own id: the same money can't go back twice,
 * however many messages tell of it.
 */
async function addOrphan(
  client: Queries,
  entry: InboxEntry,
  { intent, reason }: NonNullable<Conclusion["giveBack"]>,
  nowMs: number,
): Promise<void> {
  await client.query(
    `INSERT INTO refunds (event_id, refund_id, booking_id, intent_id, provider, amount_minor,
       currency, reason, created_ms)
     VALUES ($1, $2, $3, $2, $4, $5, $6, $7, $8) ON CONFLICT DO NOTHING`,
    [
      intent.eventId,
      intent.intentId,
      intent.bookingId,
      intent.provider,
      entry.amountMinor,
      entry.currency,
      reason,
      nowMs,
    ],
  );
}

function entryOf(row: InboxRow): InboxEntry {
  return {
    provider: row.provider,
    providerEventId: row.provider_event_id,
    intentId: row.intent_id,
    providerRef: row.provider_ref,
    outcome: row.outcome,
    amountMinor: Number(row.amount_minor),
    currency: row.currency,
    occurredMs: Number(row.occurred_ms),
    tries: row.tries,
  };
}
