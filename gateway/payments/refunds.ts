import { PAYMENT_BATCH_ROWS_MAX, PAYMENT_LEASE_MS } from "../../engine/limits.ts";
import type { Scoped } from "../tenancy/database.ts";

/** A refund that its provider has not finished, or whose actor has not been told. */
export interface OpenRefund {
  readonly eventId: string;
  readonly refundId: string;
  readonly bookingId: string;
  readonly intentId: string;
  readonly provider: string;
  /** The provider's own id of the intent; null: we do not know of the intent, or of its id. */
  readonly providerRef: string | null;
  readonly amountMinor: number;
  readonly currency: string;
  /** The provider's own id of the refund that failed before a person had it sent once more. */
  readonly failedRef: string | null;
  /** Before it was claimed: whoever claims a `due` one makes it `sent`. */
  readonly statusBefore: "due" | "sent" | "done" | "failed";
  /** Counts the one that is running. */
  readonly tries: number;
}

interface RefundRow {
  readonly event_id: string;
  readonly refund_id: string;
  readonly booking_id: string;
  readonly intent_id: string;
  readonly provider: string;
  readonly provider_ref: string | null;
  readonly amount_minor: string;
  readonly currency: string;
  readonly failed_ref: string | null;
  readonly status_before: OpenRefund["statusBefore"];
  readonly tries: number;
}

/** The rows of money that goes back. */
export class Refunds {
  readonly #rows: Scoped;

  constructor(rows: Scoped) {
    this.#rows = rows;
  }

  /**
   * Refunds to be worked on now. They are the caller's for a lease. That a provider may have been
   * asked is written down before it is.
   */
  async claimDue(nowMs: number): Promise<OpenRefund[]> {
    const { rows } = await this.#rows.query<RefundRow>(
      `WITH due AS (
         SELECT event_id, refund_id, status FROM refunds
         WHERE reported_ms IS NULL AND next_try_ms <= $1
         ORDER BY next_try_ms LIMIT $2 FOR UPDATE SKIP LOCKED
       ), claimed AS (
         UPDATE refunds r SET tries = tries + 1, next_try_ms = $1::bigint + $3::bigint,
           status = CASE r.status WHEN 'due' THEN 'sent' ELSE r.status END
         FROM due WHERE r.event_id = due.event_id AND r.refund_id = due.refund_id
         RETURNING r.*, due.status AS status_before
       )
       SELECT claimed.*, i.provider_ref FROM claimed
       LEFT JOIN payment_intents i USING (intent_id)`,
      [nowMs, PAYMENT_BATCH_ROWS_MAX, PAYMENT_LEASE_MS],
    );
    return rows.map(refundOf);
  }

  /** The provider has paid it. `ref`: its own id of the refund. */
  async paid({ eventId, refundId }: OpenRefund, ref: string): Promise<void> {
    await this.#rows.query(
      `UPDATE refunds SET status = 'done', last_error = NULL, provider_refund_ref = $3
       WHERE event_id = $1 AND refund_id = $2 AND status IN ('due', 'sent')`,
      [eventId, refundId, ref],
    );
  }

  /** The provider has refused it for good. `ref`: of a refund that it made, and that failed. */
  async refused(
    { eventId, refundId }: OpenRefund,
    { ref, error }: { readonly ref: string | null; readonly error: string },
  ): Promise<void> {
    await this.#rows.query(
      `UPDATE refunds SET status = 'failed', last_error = $4,
         provider_refund_ref = coalesce($3, provider_refund_ref),
         failed_ref = coalesce($3, failed_ref)
       WHERE event_id = $1 AND refund_id = $2 AND status IN ('due', 'sent')`,
      [eventId, refundId, ref, error],
    );
  }

  async reported(refund: OpenRefund, nowMs: number): Promise<void> {
    await this.#rows.query(
      `UPDATE refunds SET reported_ms = $3
       WHERE event_id = $1 AND refund_id = $2 AND status IN ('done', 'failed')`,
      [refund.eventId, refund.refundId, nowMs],
    );
  }

  async postpone(
    refund: OpenRefund,
    { atMs, error, ref }: { atMs: number; error: string; ref: string | null },
  ): Promise<void> {
    await this.#rows.query(
      `UPDATE refunds SET next_try_ms = $3, last_error = $4,
         provider_refund_ref = coalesce($5, provider_refund_ref)
       WHERE event_id = $1 AND refund_id = $2 AND reported_ms IS NULL`,
      [refund.eventId, refund.refundId, atMs, error, ref],
    );
  }
}

function refundOf(row: RefundRow): OpenRefund {
  return {
    eventId: row.event_id,
    refundId: row.refund_id,
    bookingId: row.booking_id,
    intentId: row.intent_id,
    provider: row.provider,
    providerRef: row.provider_ref,
    amountMinor: Number(row.amount_minor),
    currency: row.currency,
    failedRef: row.failed_ref,
    statusBefore: row.status_before,
    tries: row.tries,
  };
}
