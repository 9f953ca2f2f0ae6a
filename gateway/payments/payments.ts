import {
  PAYMENT_BEGINS_IN_FLIGHT_MAX,
  PAYMENT_DESCRIPTION_CHARS_MAX,
} from "../../engine/limits.ts";
import type { Clock } from "../../workers/clock.ts";
import { ProblemError } from "../http/problem.ts";
import type { Log } from "../log.ts";
import type { NewIntent, PaymentIntents, StoredIntent } from "./payment-intents.ts";
import {
  type BegunIntent,
  type PaymentProvider,
  ProviderRefused,
  ProviderUnavailable,
} from "./payment-provider.ts";
import type { ProviderTable } from "./provider-table.ts";
import { errorText } from "./retry-pause.ts";

/** What the buyer is told; the further members are what their browser needs to pay. */
export interface PaymentView {
  readonly intentId: string;
  readonly provider: string;
  readonly status: StoredIntent["status"];
  readonly [clientMember: string]: string;
}

export interface PaymentsPorts {
  readonly intents: PaymentIntents;
  readonly providers: ProviderTable;
  readonly clock: Clock;
  readonly log: Pick<Log, "warn" | "error">;
}

/**
 * Where bookings turn to for payment.
 *
 * Invariant: an intent is written down before its provider is asked for it, and is the same
 * however often it is begun.
 */
export class Payments {
  readonly #ports: PaymentsPorts;
  #inFlight = 0;

  constructor(ports: PaymentsPorts) {
    this.#ports = ports;
  }

  /** Names that `begin` takes. */
  get providers(): string[] {
    return this.#ports.providers.names;
  }

  /**
   * Asks the provider for the payment; the description is cut at PAYMENT_DESCRIPTION_CHARS_MAX.
   * Throws ProblemError `payment_provider_unknown`,
   * `payment_provider_unavailable` or `busy`; after each of them it may be called again.
   */
  async begin(asked: NewIntent): Promise<PaymentView> {
    const provider = this.#ports.providers.get(asked.provider);
    if (this.#inFlight >= PAYMENT_BEGINS_IN_FLIGHT_MAX) throw new ProblemError("busy");
    this.#inFlight += 1;
    try {
      return await this.#begin(provider, asked);
    } finally {
      this.#inFlight -= 1;
    }
  }

  async #begin(provider: PaymentProvider, asked: NewIntent): Promise<PaymentView> {
    const { intents, clock } = this.#ports;
    const description = asked.description.slice(0, PAYMENT_DESCRIPTION_CHARS_MAX);
    const intent = await intents.record({ ...asked, description }, clock.wallMs());
    const { intentId, status } = intent;
    const view = { intentId, provider: provider.name, status };
    // What has ended needs no way to pay.
    if (status !== "open") return view;
    const begun = await this.#askFor(provider, intent);
    if (intent.providerRef === null) await intents.noteProviderRef(intentId, begun.providerRef);
    return { ...begun.client, ...view };
  }

  async #askFor(provider: PaymentProvider, intent: StoredIntent): Promise<BegunIntent> {
    const { intentId, providerRef } = intent;
    try {
      return providerRef === null
        ? await provider.begin(intent)
        : await provider.resume({ intentId, providerRef });
    } catch (error) {
      const isRefused = error instanceof ProviderRefused;
      if (!isRefused && !(error instanceof ProviderUnavailable)) throw error;
      const fields = { intentId, provider: provider.name, reason: errorText(error) };
      const { log } = this.#ports;
      if (isRefused) log.error(fields, "a provider refused to begin a payment");
      else log.warn(fields, "a provider did not begin a payment");
      const detail = isRefused ? "The payment provider refused this payment" : undefined;
      throw new ProblemError(
        "payment_provider_unavailable",
        detail === undefined ? {} : { detail },
      );
    }
  }
}
