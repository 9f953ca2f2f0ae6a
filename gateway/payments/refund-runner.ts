import { PAYMENT_QUIET_TRIES_MAX } from "../../engine/limits.ts";
import { unreachable } from "../../engine/unreachable.ts";
import type { Clock } from "../../workers/clock.ts";
import { Tally } from "../../workers/tally.ts";
import type { Log } from "../log.ts";
import { ProviderRefused, type RefundReport } from "./payment-provider.ts";
import type { ProviderTable } from "./provider-table.ts";
import type { OpenRefund, Refunds } from "./refunds.ts";
import { errorText, retryPauseMs } from "./retry-pause.ts";
import type { SettlePort } from "./settle-port.ts";

export interface RefundRunnerPorts {
  readonly refunds: Refunds;
  readonly providers: ProviderTable;
  readonly actors: SettlePort;
  readonly clock: Clock;
  readonly log: Pick<Log, "info" | "warn" | "error">;
}

/**
 * Gives money back, and tells the actors so.
 *
 *   due ──claim──► sent ──provider says so──► done ──actor knows──► reported
 *                   │ ▲                        ▲
 *                   └─┘ no answer, or pending   └ failed, when the provider refuses for good
 *
 * Invariants:
 * - `sent` is written before the provider is asked, so whoever takes a row over knows whether the
 *   money may be on its way; the provider pays once per refund id.
 * - An actor hears only of what is written down; it is told until it has answered.
 * - Only a refusal for good ends in `failed`. Everything else is tried until it is done.
 */
export class RefundRunner {
  readonly #ports: RefundRunnerPorts;
  /** What became of refunds, as `provider outcome`. */
  readonly outcomes = new Tally();

  constructor(ports: RefundRunnerPorts) {
    this.#ports = ports;
  }

  /** Works on what is due; answers how many refunds that were. */
  async runBatch(): Promise<number> {
    const { refunds, clock } = this.#ports;
    const claimed = await refunds.claimDue(clock.wallMs());
    await Promise.all(claimed.map((refund) => this.#advance(refund)));
    return claimed.length;
  }

  async #advance(refund: OpenRefund): Promise<void> {
    try {
      switch (refund.statusBefore) {
        case "due":
        case "sent":
          return await this.#pay(refund);
        case "done":
          return await this.#tell(refund, "succeeded");
        case "failed":
          return await this.#tell(refund, "failed");
        default:
          return unreachable(refund.statusBefore);
      }
    } catch (error) {
      await this.#postpone(refund, errorText(error), null);
    }
  }

  async #pay(refund: OpenRefund): Promise<void> {
    const { refunds, log } = this.#ports;
    let report: RefundReport;
    try {
      report = await this.#ask(refund);
    } catch (error) {
      if (!(error instanceof ProviderRefused)) throw error;
      const reason = errorText(error);
      await refunds.refused(refund, { ref: error.failedRef, error: reason });
      this.outcomes.add(`${refund.provider} refused`);
      log.error({ ...fieldsOf(refund), reason }, "a refund was refused for good: pay it by hand");
      return this.#tell(refund, "failed");
    }
    const ref = report.providerRefundRef;
    if (report.status === "pending") {
      return this.#postpone(refund, "the provider is still at it", ref);
    }
    await refunds.paid(refund, ref);
    this.outcomes.add(`${refund.provider} paid`);
    log.info(fieldsOf(refund), "a payment was refunded");
    return this.#tell(refund, "succeeded");
  }

  #ask(refund: OpenRefund): Promise<RefundReport> {
    const provider = this.#ports.providers.find(refund.provider);
    if (provider === null) throw new Error(`${refund.provider} is not configured here`);
    const { providerRef } = refund;
    if (providerRef === null) throw new Error("the payment's id at the provider is not known");
    return provider.refund({
      refundId: refund.refundId,
      intentId: refund.intentId,
      providerRef,
      amountMinor: refund.amountMinor,
      currency: refund.currency,
      isRepeated: refund.statusBefore !== "due",
      failedRef: refund.failedRef,
    });
  }

  async #tell(refund: OpenRefund, outcome: "succeeded" | "failed"): Promise<void> {
    const { actors, clock, refunds } = this.#ports;
    const { intentId, refundId, bookingId, eventId } = refund;
    const atMs = clock.wallMs();
    const answer = await actors.refunded({
      intentId,
      refundId,
      bookingId,
      eventId,
      outcome,
      atMs,
    });
    // `unknown`: money that no booking wanted has nobody who waits for its way back.
    if (answer === "busy") await this.#postpone(refund, "the actor is busy", null);
    else await refunds.reported(refund, clock.wallMs());
  }

  async #postpone(refund: OpenRefund, error: string, ref: string | null): Promise<void> {
    const { refunds, clock, log } = this.#ports;
    const level = refund.tries > PAYMENT_QUIET_TRIES_MAX ? "error" : "warn";
    this.outcomes.add(`${refund.provider} postponed`);
    log[level]({ ...fieldsOf(refund), reason: error }, "a refund waits");
    try {
      const atMs = clock.wallMs() + retryPauseMs(refund.tries);
      await refunds.postpone(refund, { atMs, error, ref });
    } catch (cause) {
      // The refund's lease ends by itself.
      log.warn({ err: cause, ...fieldsOf(refund) }, "a refund could not be postponed");
    }
  }
}

function fieldsOf({ provider, refundId, intentId, amountMinor, currency, tries }: OpenRefund) {
  return { provider, refundId, intentId, amountMinor, currency, tries };
}
