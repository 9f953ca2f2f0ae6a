import {
  PAYMENT_CANCEL_GRACE_MS,
  PAYMENT_NEWS_MS,
  PAYMENT_NEWS_MS_MAX,
} from "../../engine/limits.ts";
import { unreachable } from "../../engine/unreachable.ts";
import type { Clock } from "../../workers/clock.ts";
import type { Log } from "../log.ts";
import type { InboxRunner } from "./inbox-runner.ts";
import type { PaymentIntents, StoredIntent } from "./payment-intents.ts";
import { type IntentReport, type PaymentProvider, ProviderRefused } from "./payment-provider.ts";
import type { ProviderTable } from "./provider-table.ts";
import { errorText } from "./retry-pause.ts";

export interface ReconcilerPorts {
  readonly intents: PaymentIntents;
  readonly providers: ProviderTable;
  readonly inboxRunner: InboxRunner;
  readonly clock: Clock;
  readonly log: Pick<Log, "info" | "warn" | "error">;
}

/**
 * Asks providers about payments that nothing was heard of, and cancels those whose window is over.
 *
 * What it learns goes through the inbox like a message, under an id that follows from the intent
 * and its end: learnt twice it is kept once, and the message that comes later changes nothing.
 */
export class Reconciler {
  readonly #ports: ReconcilerPorts;

  constructor(ports: ReconcilerPorts) {
    this.#ports = ports;
  }

  /** Asks about what is due; answers how many intents that were. */
  async runBatch(): Promise<number> {
    const { intents, clock } = this.#ports;
    const due = await intents.claimDue(clock.wallMs());
    await Promise.all(due.map((intent) => this.#look(intent)));
    return due.length;
  }

  async #look(intent: StoredIntent): Promise<void> {
    const { providers, clock, intents, log } = this.#ports;
    try {
      const provider = providers.find(intent.provider);
      if (provider === null) throw new Error(`${intent.provider} is not configured here`);
      await this.#news(provider, intent);
    } catch (error) {
      const { intentId, provider, looks } = intent;
      const reason = errorText(error);
      log.warn({ intentId, provider, looks, reason }, "a payment could not be looked up");
      try {
        await intents.lookAgain(intentId, clock.wallMs() + newsPauseMs(looks));
      } catch (cause) {
        // The intent's lease ends by itself.
        log.warn({ err: cause, intentId }, "a look-up could not be postponed");
      }
    }
  }

  async #news(provider: PaymentProvider, intent: StoredIntent): Promise<void> {
    let { providerRef } = intent;
    try {
      providerRef ??= await this.#begin(provider, intent);
    } catch (error) {
      if (!(error instanceof ProviderRefused) || !this.#isOver(intent)) throw error;
      // Nobody was ever asked to pay, and nobody will be: there is nothing to cancel.
      const { amountMinor, currency } = intent;
      return this.#learn(intent, null, { status: "canceled", amountMinor, currency });
    }
    return this.#learn(intent, providerRef, await this.#ask(provider, intent, providerRef));
  }

  /**
   * The provider may or may not have the intent: we died before we had its answer. Asking for it
   * again gives the same one, and only what is known can be cancelled.
   */
  async #begin(provider: PaymentProvider, intent: StoredIntent): Promise<string> {
    const { providerRef } = await provider.begin(intent);
    await this.#ports.intents.noteProviderRef(intent.intentId, providerRef);
    return providerRef;
  }

  async #ask(
    provider: PaymentProvider,
    intent: StoredIntent,
    providerRef: string,
  ): Promise<IntentReport> {
    const known = { intentId: intent.intentId, providerRef };
    const report = await provider.lookUp(known);
    return report.status === "open" && this.#isOver(intent) ? provider.cancel(known) : report;
  }

  /** Whether its window is, and the time that money on its way is given. */
  #isOver({ payUntilMs }: StoredIntent): boolean {
    return this.#ports.clock.wallMs() >= payUntilMs + PAYMENT_CANCEL_GRACE_MS;
  }

  /** `providerRef` null: the provider has refused to have the intent. */
  async #learn(
    intent: StoredIntent,
    providerRef: string | null,
    report: IntentReport,
  ): Promise<void> {
    const { inboxRunner, intents, clock } = this.#ports;
    const nowMs = clock.wallMs();
    switch (report.status) {
      case "open":
      case "processing":
        await intents.lookAgain(intent.intentId, nextLookMs(intent, report.status, nowMs));
        return;
      case "succeeded":
      case "failed":
      case "canceled": {
        const { intentId } = intent;
        const { isProcessed } = await inboxRunner.take(intent.provider, {
          providerEventId: `lookup:${intentId}:${report.status}`,
          intentId,
          providerRef,
          outcome: report.status,
          amountMinor: report.amountMinor,
          currency: report.currency,
          occurredMs: nowMs,
        });
        await isProcessed;
        return;
      }
      default:
        return unreachable(report.status);
    }
  }
}

/** Pause after the n-th look (from 1): doubles each time, up to PAYMENT_NEWS_MS_MAX. */
function newsPauseMs(looks: number): number {
  const doublings = Math.min(30, Math.max(0, looks - 1));
  return Math.min(PAYMENT_NEWS_MS_MAX, PAYMENT_NEWS_MS * 2 ** doublings);
}

/** The end of the window is not slept through. */
function nextLookMs(intent: StoredIntent, status: "open" | "processing", nowMs: number): number {
  const laterMs = nowMs + newsPauseMs(intent.looks);
  const windowEndMs = intent.payUntilMs + PAYMENT_CANCEL_GRACE_MS;
  return status === "open" && windowEndMs > nowMs ? Math.min(laterMs, windowEndMs) : laterMs;
}
