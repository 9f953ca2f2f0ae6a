import { randomUUID } from "node:crypto";
import Type, { type Static } from "typebox";
import { PROVIDER_ID_CHARS_MAX } from "../../engine/limits.ts";
import { unreachable } from "../../engine/unreachable.ts";
import type { Clock } from "../../workers/clock.ts";
import { parseJsonText } from "../http/json-body.ts";
import { ProblemError } from "../http/problem.ts";
import { compileSchema, optional, validationFailed } from "../http/validation.ts";
import type { Scoped } from "../tenancy/database.ts";
import {
  type BegunIntent,
  type IntentOrder,
  type IntentReport,
  type KnownIntent,
  type PaymentOutcome,
  type PaymentProvider,
  type ProviderEvent,
  ProviderRefused,
  type RefundOrder,
  type RefundReport,
} from "./payment-provider.ts";
import { isSigned, SIGNED_HEADERS } from "./signed-message.ts";

const MESSAGES = {
  "payment.succeeded": "succeeded",
  "payment.failed": "failed",
  "payment.canceled": "canceled",
} as const;

/** A webhook of the sandbox. Without amount and currency it is about what was asked for. */
const Message = Type.Object({
  type: Type.Enum(["payment.succeeded", "payment.failed", "payment.canceled"]),
  intentId: Type.String({ format: "id" }),
  amount: optional(Type.Integer({ minimum: 1, maximum: Number.MAX_SAFE_INTEGER })),
  currency: optional(Type.String({ format: "currency" })),
  occurredAt: optional(Type.String({ format: "instant" })),
});
const checkMessage = compileSchema(Message);

export interface Happening {
  readonly outcome: PaymentOutcome;
  /** What is paid. Default: what was asked for. */
  readonly amountMinor: number | null;
  readonly currency: string | null;
  /** Default: a fresh one. */
  readonly providerEventId: string | null;
  /** Default: now. */
  readonly occurredMs: number | null;
}

interface LedgerRow {
  readonly amount_minor: string;
  readonly currency: string;
  readonly status: "open" | PaymentOutcome;
  readonly paid_minor: string;
}

export interface SandboxOptions {
  readonly rows: Scoped;
  /** Signs its webhooks. */
  readonly webhookSecret: string;
  readonly clock: Clock;
}

/**
 * A provider of play money, whose ledger is in PostgreSQL (sql/004.do.payments.sql).
 *
 * It does what it is told: a payment may succeed after it failed or was cancelled, as money does
 * that was under way. Like any provider it takes the money of an intent once, and gives back no
 * more than it took.
 */
export class SandboxProvider implements PaymentProvider {
  readonly name = "sandbox";
  readonly webhookHeaders = SIGNED_HEADERS;
  readonly #options: SandboxOptions;

  constructor(options: SandboxOptions) {
    this.#options = options;
  }

  async begin({ intentId, amountMinor, currency }: IntentOrder): Promise<BegunIntent> {
    await this.#options.rows.query(
      `INSERT INTO sandbox_intents (intent_id, amount_minor, currency, status)
       VALUES ($1, $2, $3, 'open') ON CONFLICT (intent_id) DO NOTHING`,
      [intentId, amountMinor, currency],
    );
    return begun(intentId);
  }

  async resume({ intentId }: KnownIntent): Promise<BegunIntent> {
    return begun(intentId);
  }

  async cancel({ intentId }: KnownIntent): Promise<IntentReport> {
    const row = await this.#change(
      intentId,
      "status = CASE status WHEN 'open' THEN 'canceled' ELSE status END",
    );
    return reportOf(intentId, row);
  }

  async lookUp({ intentId }: KnownIntent): Promise<IntentReport> {
    const { rows } = await this.#options.rows.query<LedgerRow>(
      "SELECT * FROM sandbox_intents WHERE intent_id = $1",
      [intentId],
    );
    return reportOf(intentId, rows[0] ?? null);
  }

  async refund({ refundId, intentId, amountMinor }: RefundOrder): Promise<RefundReport> {
    await this.#options.rows.transaction(async (client) => {
      const { rowCount: isNew } = await client.query(
        `INSERT INTO sandbox_refunds (refund_id, intent_id, amount_minor)
         SELECT $1, intent_id, $3 FROM sandbox_intents WHERE intent_id = $2
         ON CONFLICT (refund_id) DO NOTHING`,
        [refundId, intentId, amountMinor],
      );
      const { rowCount: isCovered } = await client.query(
        `UPDATE sandbox_intents SET refunded_minor = refunded_minor + $2
         WHERE intent_id = $1 AND refunded_minor + $2 <= paid_minor`,
        [intentId, isNew === 1 ? amountMinor : 0],
      );
      if (isCovered !== 1) throw new ProviderRefused("sandbox: that is more than was paid");
    });
    return { status: "done", providerRefundRef: `sandbox_${refundId}` };
  }

  async readWebhook(
    headers: Readonly<Record<string, string>>,
    body: Buffer,
  ): Promise<readonly ProviderEvent[] | null> {
    const { webhookSecret, clock } = this.#options;
    if (!isSigned(webhookSecret, headers, { body, nowMs: clock.wallMs() })) return null;
    const { type, intentId, ...said } = messageOf(body);
    const event = await this.happen(intentId, {
      outcome: MESSAGES[type],
      amountMinor: said.amount ?? null,
      currency: said.currency ?? null,
      providerEventId: eventIdOf(headers),
      occurredMs: typeof said.occurredAt === "string" ? Date.parse(said.occurredAt) : null,
    });
    return event === null ? [] : [event];
  }

  /** Makes it so, and answers the message that tells of it; null: there is no such intent. */
  async happen(intentId: string, happening: Happening): Promise<ProviderEvent | null> {
    const { outcome } = happening;
    const row = await this.#note(intentId, happening);
    if (row === null) return null;
    // It takes the money of an intent once, and says of it what it took.
    const takenMinor = outcome === "succeeded" ? row.paid_minor : row.amount_minor;
    return {
      providerEventId: happening.providerEventId ?? `sandbox_${randomUUID()}`,
      intentId,
      providerRef: refOf(intentId),
      outcome,
      amountMinor: happening.amountMinor ?? Number(takenMinor),
      currency: happening.currency ?? row.currency,
      occurredMs: happening.occurredMs ?? this.#options.clock.wallMs(),
    };
  }

  #note(intentId: string, { outcome, amountMinor }: Happening): Promise<LedgerRow | null> {
    switch (outcome) {
      case "succeeded":
        return this.#change(
          intentId,
          `status = 'succeeded', paid_minor =
             CASE paid_minor WHEN 0 THEN coalesce($2, amount_minor) ELSE paid_minor END`,
          amountMinor,
        );
      case "failed":
      case "canceled": {
        const keep = "CASE status WHEN 'succeeded' THEN status ELSE $2 END";
        return this.#change(intentId, `status = ${keep}`, outcome);
      }
      default:
        return unreachable(outcome);
    }
  }

  async #change(
    intentId: string,
    change: string,
    ...values: readonly (string | number | null)[]
  ): Promise<LedgerRow | null> {
    const { rows } = await this.#options.rows.query<LedgerRow>(
      `UPDATE sandbox_intents SET ${change} WHERE intent_id = $1 RETURNING *`,
      [intentId, ...values],
    );
    return rows[0] ?? null;
  }
}

const refOf = (intentId: string): string => `sandbox_${intentId}`;

function begun(intentId: string): BegunIntent {
  const path = `/api/v1/payments/sandbox/${intentId}`;
  const client = { succeedUrl: `${path}/succeed`, failUrl: `${path}/fail` };
  return { providerRef: refOf(intentId), client };
}

function reportOf(intentId: string, row: LedgerRow | null): IntentReport {
  if (row === null) throw new ProviderRefused(`sandbox: there is no intent ${intentId}`);
  const { status, currency } = row;
  const amount = status === "succeeded" ? row.paid_minor : row.amount_minor;
  return { status, amountMinor: Number(amount), currency };
}

function messageOf(body: Buffer): Static<typeof Message> {
  const parsed = parseJsonText(body.toString("utf8"));
  if (!parsed.ok) throw new ProblemError("malformed_json", { detail: parsed.detail });
  const checked = checkMessage(parsed.value);
  if (!checked.ok) throw validationFailed(checked.errors);
  return checked.value;
}

function eventIdOf(headers: Readonly<Record<string, string>>): string {
  const id = headers["webhook-id"] ?? "";
  if (id.length <= PROVIDER_ID_CHARS_MAX) return id;
  const message = `must have at most ${PROVIDER_ID_CHARS_MAX} characters`;
  throw validationFailed([{ path: "webhook-id", message }]);
}
