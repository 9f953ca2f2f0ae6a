/**
 * What the rest of the house knows of payment providers. Nothing here, and nothing that is kept,
 * has a place for a card.
 */

export const PROVIDER_NAMES = ["sandbox", "stripe"] as const;
export type ProviderName = (typeof PROVIDER_NAMES)[number];

/** How a payment ended. `failed` is final; an attempt that may be repeated is no end. */
export type PaymentOutcome = "succeeded" | "failed" | "canceled";

/** A payment that a provider is to ask for. Money is in minor units of the currency. */
export interface IntentOrder {
  /** Ours, a UUIDv7. */
  readonly intentId: string;
  readonly eventId: string;
  readonly bookingId: string;
  readonly amountMinor: number;
  /** ISO 4217, in capitals. */
  readonly currency: string;
  /** For the buyer's statement and the operator's dashboard. */
  readonly description: string;
}

export interface BegunIntent {
  /** The provider's own id of the intent. */
  readonly providerRef: string;
  /** What the buyer's browser needs to pay, such as `clientSecret`. Never stored, never logged. */
  readonly client: Readonly<Record<string, string>>;
}

/** An intent that the provider was asked for. */
export interface KnownIntent {
  readonly intentId: string;
  readonly providerRef: string;
}

/**
 * `open`: nothing is paid and it can be cancelled. `processing`: money is under way, the provider
 * does not know yet whether it arrives.
 */
export interface IntentReport {
  readonly status: "open" | "processing" | PaymentOutcome;
  /** What was received when it succeeded, otherwise what was asked for. */
  readonly amountMinor: number;
  readonly currency: string;
}

export interface RefundOrder {
  readonly refundId: string;
  readonly intentId: string;
  /** Of the intent. */
  readonly providerRef: string;
  readonly amountMinor: number;
  readonly currency: string;
  /**
   * True: it may have been asked for before, however long ago. The provider then looks for it
   * first, since idempotency keys do not live for ever.
   */
  readonly isRepeated: boolean;
  /** The provider's own id of the last refund that it made for this one and that failed. */
  readonly failedRef: string | null;
}

/** `pending`: accepted, the money is on its way; asking again tells how it went. */
export interface RefundReport {
  readonly status: "pending" | "done";
  readonly providerRefundRef: string;
}

/** What a provider told us about an intent: all that is kept of its message. */
export interface ProviderEvent {
  /** The same for every delivery of the same message. */
  readonly providerEventId: string;
  readonly intentId: string;
  /** The provider's own id of the intent; null when the message does not have it. */
  readonly providerRef: string | null;
  readonly outcome: PaymentOutcome;
  readonly amountMinor: number;
  readonly currency: string;
  /** When it happened, as the provider says, Unix ms. */
  readonly occurredMs: number;
}

export interface PaymentProvider {
  readonly name: ProviderName;
  /** Lower-case names of the headers that sign a webhook. */
  readonly webhookHeaders: readonly string[];
  /** Creates the intent, or answers the one that was created before for the same `intentId`. */
  begin(order: IntentOrder): Promise<BegunIntent>;
  /** The same again for an intent that it has created. */
  resume(intent: KnownIntent): Promise<BegunIntent>;
  /** Cancels what is unpaid; answers what the intent is afterwards, paid after all or not. */
  cancel(intent: KnownIntent): Promise<IntentReport>;
  lookUp(intent: KnownIntent): Promise<IntentReport>;
  /** Gives money back, once per `refundId` however often it is asked. */
  refund(order: RefundOrder): Promise<RefundReport>;
  /**
   * What a message says; empty when it says nothing about payments of ours, null when the provider
   * did not sign these bytes lately. Throws ProblemError when a signed message makes no sense.
   */
  readWebhook(
    headers: Readonly<Record<string, string>>,
    body: Buffer,
  ): Promise<readonly ProviderEvent[] | null>;
}

/** No answer, or none that decides anything: the same request may be made again later. */
export class ProviderUnavailable extends Error {
  override readonly name = "ProviderUnavailable";
  readonly code = "payment_provider_unavailable";
}

/** The provider will never do this. The message is for the operator and names no person. */
export class ProviderRefused extends Error {
  override readonly name = "ProviderRefused";
  readonly code = "payment_provider_refused";
  /** The provider's own id of what it had begun and could not end; null: it began nothing. */
  readonly failedRef: string | null;

  constructor(message: string, failedRef: string | null = null) {
    super(message);
    this.failedRef = failedRef;
  }
}
