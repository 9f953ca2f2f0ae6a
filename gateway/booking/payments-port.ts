import type { IntentId } from "../../engine/ids.ts";

/** A payment that a provider is to be asked for. Money is in minor units of the currency. */
export interface BeginPayment {
  readonly provider: string;
  readonly intentId: IntentId;
  readonly eventId: string;
  readonly bookingId: string;
  readonly amountMinor: number;
  /** ISO 4217. */
  readonly currency: string;
  readonly description: string;
  /** Unix ms. */
  readonly payUntilMs: number;
}

/** What the desk knows of payments. */
export interface PaymentsPort {
  /** Names that `begin` takes. */
  readonly providers: readonly string[];
  /**
   * Asks the provider for the payment and answers what the buyer's browser needs to pay. Throws
   * ProblemError (`payment_provider_unavailable`, `busy`); repeating it is harmless.
   */
  begin(asked: BeginPayment): Promise<Readonly<Record<string, string>>>;
}
