import {
  PAYMENT_BATCH_ROWS_MAX,
  PAYMENT_CANCEL_GRACE_MS,
  PAYMENT_LEASE_MS,
  PAYMENT_NEWS_MS,
} from "../../engine/limits.ts";
import type { Queries, Scoped } from "../tenancy/database.ts";
import type { IntentOrder } from "./payment-provider.ts";
import type { IntentStatus, RuledIntent } from "./ruling.ts";

/** A payment that a provider was, or is to be, asked for. */
export interface StoredIntent extends IntentOrder, RuledIntent {
  /** null: the provider has not answered yet. */
  readonly providerRef: string | null;
  /** Unix ms. */
  readonly payUntilMs: number;
  /** How often the provider was asked what has become of it. */
  readonly looks: number;
}

export interface IntentRow {
  readonly intent_id: string;
  readonly event_id: string;
  readonly booking_id: string;
  readonly provider: string;
  readonly provider_ref: string | null;
  readonly amount_minor: string;
  readonly currency: string;
  readonly description: string;
  readonly status: IntentStatus;
  readonly settled_ms: string | null;
  readonly pay_until_ms: string;
  readonly looks: number;
}

export interface NewIntent extends IntentOrder {
  readonly provider: string;
  readonly payUntilMs: number;
}

/** The payments that were asked for, in PostgreSQL. */
export class PaymentIntents {
  readonly #rows: Scoped;

  constructor(rows: Scoped) {
    this.#rows = rows;
  }

  /** Writes the intent down; answers what stands there, which is the older one if there was one. */
  async record(intent: NewIntent, nowMs: number): Promise<StoredIntent> {
    const windowEndMs = intent.payUntilMs + PAYMENT_CANCEL_GRACE_MS;
    const nextLookMs = Math.min(nowMs + PAYMENT_NEWS_MS, Math.max(nowMs, windowEndMs));
    const { rows } = await this.#rows.query<IntentRow>(
      `INSERT INTO payment_intents AS known
         (intent_id, event_id, booking_id, provider, amount_minor, currency, description,
          pay_until_ms, next_look_ms)
       VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
       ON CONFLICT (intent_id) DO UPDATE SET looks = known.looks
       RETURNING *`,
      [
        intent.intentId,
        intent.eventId,
        intent.bookingId,
        intent.provider,
        intent.amountMinor,
        intent.currency,
        intent.description,
        intent.payUntilMs,
        nextLookMs,
      ],
    );
    const [row] = rows;
    if (row === undefined) throw new Error("an upsert returned no row");
    return intentOf(row);
  }

  async noteProviderRef(intentId: string, providerRef: string): Promise<void> {
    await this.#rows.query(
      `UPDATE payment_intents SET provider_ref = $2
       WHERE intent_id = $1 AND provider_ref IS NULL`,
      [intentId, providerRef],
    );
  }

  async find(intentId: string): Promise<StoredIntent | null> {
    const { rows } = await this.#rows.query<IntentRow>(
      "SELECT * FROM payment_intents WHERE intent_id = $1",
      [intentId],
    );
    const [row] = rows;
    return row === undefined ? null : intentOf(row);
  }

  /** Open intents whose provider is to be asked now. They are the caller's for a lease. */
  async claimDue(nowMs: number): Promise<StoredIntent[]> {
    const { rows } = await this.#rows.query<IntentRow>(
      `WITH due AS (
         SELECT intent_id FROM payment_intents WHERE status = 'open' AND next_look_ms <= $1
         ORDER BY next_look_ms LIMIT $2 FOR UPDATE SKIP LOCKED
       )
       UPDATE payment_intents i SET looks = looks + 1, asked_ms = $1, next_look_ms = $1 + $3::bigint
       FROM due WHERE i.intent_id = due.intent_id RETURNING i.*`,
      [nowMs, PAYMENT_BATCH_ROWS_MAX, PAYMENT_LEASE_MS],
    );
    return rows.map(intentOf);
  }

  async lookAgain(intentId: string, atMs: number): Promise<void> {
    await this.#rows.query("UPDATE payment_intents SET next_look_ms = $2 WHERE intent_id = $1", [
      intentId,
      atMs,
    ]);
  }

  /** Reads the intent and keeps everybody else from changing it until the transaction ends. */
  static async lock(client: Queries, intentId: string): Promise<StoredIntent | null> {
    const { rows } = await client.query<IntentRow>(
      "SELECT * FROM payment_intents WHERE intent_id = $1 FOR UPDATE",
      [intentId],
    );
    const [row] = rows;
    return row === undefined ? null : intentOf(row);
  }

  /** The actor is to take notice of a status, unless that is the old one. */
  static async become(
    client: Queries,
    intentId: string,
    change: { readonly status: IntentStatus; readonly providerRef: string | null },
  ): Promise<void> {
    await client.query(
      `UPDATE payment_intents SET
         settled_ms = CASE WHEN status = $2 THEN settled_ms END,
         status = $2, provider_ref = coalesce(provider_ref, $3)
       WHERE intent_id = $1`,
      [intentId, change.status, change.providerRef],
    );
  }
}

export function intentOf(row: IntentRow): StoredIntent {
  return {
    intentId: row.intent_id,
    eventId: row.event_id,
    bookingId: row.booking_id,
    provider: row.provider,
    providerRef: row.provider_ref,
    amountMinor: Number(row.amount_minor),
    currency: row.currency,
    description: row.description,
    status: row.status,
    isSettled: row.settled_ms !== null,
    payUntilMs: Number(row.pay_until_ms),
    looks: row.looks,
  };
}
