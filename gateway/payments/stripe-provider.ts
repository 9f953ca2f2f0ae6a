import Stripe from "stripe";
import { isUuidV7 } from "../../engine/ids.ts";
import {
  PROVIDER_ANSWER_MS_MAX,
  PROVIDER_REPEATS_MAX,
  WEBHOOK_AGE_MS_MAX,
} from "../../engine/limits.ts";
import { ProblemError } from "../http/problem.ts";
import {
  type BegunIntent,
  type IntentOrder,
  type IntentReport,
  type KnownIntent,
  type PaymentProvider,
  type ProviderEvent,
  ProviderRefused,
  ProviderUnavailable,
  type RefundOrder,
  type RefundReport,
} from "./payment-provider.ts";

export interface StripeOptions {
  readonly secretKey: string;
  /** Of the webhook endpoint; starts with whsec_. */
  readonly webhookSecret: string;
  /** null: Stripe's own address. */
  readonly apiUrl: string | null;
  /** Default: PROVIDER_ANSWER_MS_MAX. */
  readonly answerMsMax?: number;
}

/** Answers that say "not now", whatever their class. */
const NOT_NOW = new Set([
  "balance_insufficient",
  "idempotency_key_in_use",
  "insufficient_funds",
  "lock_timeout",
  "rate_limit",
]);

/**
 * Payments through Stripe's PaymentIntents. The buyer's card goes from their browser to Stripe and
 * never comes by here.
 *
 * An attempt that Stripe declines (`payment_intent.payment_failed`) is no end: the buyer may try
 * another card until the window is over. Only `succeeded` and `canceled` are.
 *
 * Idempotency keys are `intent:` and `refund:` with our ids: Stripe refuses one key for two kinds
 * of requests. It forgets keys after a day or more, so a refund that may have been asked for
 * before is first looked for by its metadata.
 */
export class StripeProvider implements PaymentProvider {
  readonly name = "stripe";
  readonly webhookHeaders = ["stripe-signature"];
  readonly #stripe: Stripe;
  readonly #webhookSecret: string;

  constructor({ secretKey, webhookSecret, apiUrl, answerMsMax }: StripeOptions) {
    this.#webhookSecret = webhookSecret;
    this.#stripe = new Stripe(secretKey, {
      timeout: answerMsMax ?? PROVIDER_ANSWER_MS_MAX,
      maxNetworkRetries: PROVIDER_REPEATS_MAX,
      telemetry: false,
      ...(apiUrl === null ? {} : addressOf(new URL(apiUrl))),
    });
  }

  async begin(order: IntentOrder): Promise<BegunIntent> {
    const { intentId, eventId, bookingId, amountMinor, currency, description } = order;
    const intent = await answered(
      this.#stripe.paymentIntents.create(
        {
          amount: amountMinor,
          currency: currency.toLowerCase(),
          description,
          automatic_payment_methods: { enabled: true },
          metadata: { intentId, eventId, bookingId },
        },
        { idempotencyKey: `intent:${intentId}` },
      ),
    );
    return begun(intent);
  }

  async resume({ providerRef }: KnownIntent): Promise<BegunIntent> {
    return begun(await answered(this.#stripe.paymentIntents.retrieve(providerRef)));
  }

  async lookUp({ providerRef }: KnownIntent): Promise<IntentReport> {
    return reportOf(await answered(this.#stripe.paymentIntents.retrieve(providerRef)));
  }

  async cancel(known: KnownIntent): Promise<IntentReport> {
    try {
      return reportOf(await this.#stripe.paymentIntents.cancel(known.providerRef));
    } catch (error) {
      // Paid or cancelled meanwhile: what it is now, Stripe says when it is asked.
      if (codeOf(error) === "payment_intent_unexpected_state") return this.lookUp(known);
      throw translated(error);
    }
  }

  async refund(order: RefundOrder): Promise<RefundReport> {
    const { refundId, intentId, providerRef, amountMinor, failedRef } = order;
    const earlier = order.isRepeated ? await answered(this.#findRefund(order)) : null;
    if (earlier !== null) return refundReportOf(earlier);
    try {
      const refund = await this.#stripe.refunds.create(
        { payment_intent: providerRef, amount: amountMinor, metadata: { refundId, intentId } },
        { idempotencyKey: `refund:${refundId}${failedRef === null ? "" : `:${failedRef}`}` },
      );
      return refundReportOf(refund);
    } catch (error) {
      // All of it went back by another way, such as the operator's dashboard: the buyer has it.
      if (codeOf(error) === "charge_already_refunded") {
        return { status: "done", providerRefundRef: "charge_already_refunded" };
      }
      throw translated(error);
    }
  }

  /** The newest comes first; what failed before the order was given once more is none of it. */
  async #findRefund(order: RefundOrder): Promise<Stripe.Refund | null> {
    const { refundId, providerRef, failedRef } = order;
    const refunds = this.#stripe.refunds.list({ payment_intent: providerRef, limit: 100 });
    for await (const refund of refunds) {
      if (refund.id === failedRef) return null;
      if (refund.metadata?.refundId === refundId) return refund;
    }
    return null;
  }

  async readWebhook(
    headers: Readonly<Record<string, string>>,
    body: Buffer,
  ): Promise<readonly ProviderEvent[] | null> {
    const event = this.#verified(headers["stripe-signature"] ?? "", body);
    if (event === null) return null;
    switch (event.type) {
      case "payment_intent.succeeded":
        return eventsOf(event, event.data.object, "succeeded");
      case "payment_intent.canceled":
        return eventsOf(event, event.data.object, "canceled");
      default:
        return [];
    }
  }

  #verified(signature: string, body: Buffer): Stripe.Event | null {
    const toleranceSeconds = WEBHOOK_AGE_MS_MAX / 1_000;
    try {
      const { webhooks } = this.#stripe;
      return webhooks.constructEvent(body, signature, this.#webhookSecret, toleranceSeconds);
    } catch (error) {
      if (error instanceof Stripe.errors.StripeSignatureVerificationError) return null;
      if (!(error instanceof SyntaxError)) throw error;
      throw new ProblemError("malformed_json", { detail: "The message is not valid JSON" });
    }
  }
}

function addressOf({ protocol, hostname, port }: URL) {
  const isPlain = protocol === "http:";
  return {
    host: hostname,
    protocol: isPlain ? ("http" as const) : ("https" as const),
    port: port === "" ? (isPlain ? 80 : 443) : Number(port),
  };
}

function begun({ id, client_secret: clientSecret }: Stripe.PaymentIntent): BegunIntent {
  return { providerRef: id, client: clientSecret === null ? {} : { clientSecret } };
}

function reportOf(intent: Stripe.PaymentIntent): IntentReport {
  const status = statusOf(intent.status);
  const amountMinor = status === "succeeded" ? intent.amount_received : intent.amount;
  return { status, amountMinor, currency: intent.currency.toUpperCase() };
}

function statusOf(status: Stripe.PaymentIntent.Status): IntentReport["status"] {
  switch (status) {
    case "succeeded":
      return "succeeded";
    case "canceled":
      return "canceled";
    case "requires_payment_method":
    case "requires_confirmation":
    case "requires_action":
      return "open";
    // requires_capture, and whatever Stripe invents: not ours to end, and no money yet.
    default:
      return "processing";
  }
}

function refundReportOf({ id, status }: Stripe.Refund): RefundReport {
  if (status === "failed" || status === "canceled") {
    throw new ProviderRefused(`stripe: the refund ${id} is ${status}`, id);
  }
  return { status: status === "succeeded" ? "done" : "pending", providerRefundRef: id };
}

/** Nothing when the intent was not made by us: an account may serve other programs too. */
function eventsOf(
  { id, created }: Stripe.Event,
  intent: Stripe.PaymentIntent,
  outcome: "succeeded" | "canceled",
): ProviderEvent[] {
  const intentId = intent.metadata.intentId ?? "";
  if (!isUuidV7(intentId)) return [];
  const { amountMinor, currency } = reportOf(intent);
  return [
    {
      providerEventId: id,
      intentId,
      providerRef: intent.id,
      outcome,
      amountMinor,
      currency,
      occurredMs: created * 1_000,
    },
  ];
}

function codeOf(error: unknown): string | undefined {
  return error instanceof Stripe.errors.StripeError ? error.code : undefined;
}

async function answered<T>(request: Promise<T>): Promise<T> {
  try {
    return await request;
  } catch (error) {
    throw translated(error);
  }
}

/**
 * Stripe's errors carry the whole answer, the buyer's data with it: what goes on from here is a
 * class, a code and the number under which Stripe's support finds the rest.
 */
function translated(error: unknown): unknown {
  if (error instanceof ProviderRefused || !(error instanceof Stripe.errors.StripeError)) {
    return error;
  }
  const { code, requestId, statusCode } = error;
  const text = ["stripe:", error.type, code, requestId].filter(Boolean).join(" ");
  const { StripeCardError, StripeIdempotencyError, StripeInvalidRequestError } = Stripe.errors;
  const isRefusal =
    error instanceof StripeInvalidRequestError ||
    error instanceof StripeCardError ||
    error instanceof StripeIdempotencyError;
  const isNotNow = statusCode === 409 || (code !== undefined && NOT_NOW.has(code));
  return isRefusal && !isNotNow ? new ProviderRefused(text) : new ProviderUnavailable(text);
}
