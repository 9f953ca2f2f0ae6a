import { PAYMENT_MESSAGES_IN_FLIGHT_MAX, PAYMENT_QUIET_TRIES_MAX } from "../../engine/limits.ts";
import type { Clock } from "../../workers/clock.ts";
import { Tally } from "../../workers/tally.ts";
import type { Log } from "../log.ts";
import type { Conclusion, InboxEntry, PaymentInbox } from "./payment-inbox.ts";
import type { StoredIntent } from "./payment-intents.ts";
import type { ProviderEvent } from "./payment-provider.ts";
import { errorText, retryPauseMs } from "./retry-pause.ts";
import type { Ruling } from "./ruling.ts";
import type { Settlement, SettlePort } from "./settle-port.ts";

export interface InboxRunnerPorts {
  readonly inbox: PaymentInbox;
  readonly actors: SettlePort;
  readonly clock: Clock;
  readonly log: Pick<Log, "info" | "warn" | "error">;
}

type Acted = Extract<Ruling, { kind: "settle" | "giveBack" }>;

/**
 * Takes what is in the inbox to the actors.
 *
 * Invariant: an entry is concluded only after its actor has answered `done` or `unknown`. A crash
 * at any point leaves it to be done again from the start, which changes nothing that was done.
 */
export class InboxRunner {
  readonly #ports: InboxRunnerPorts;
  readonly #running = new Set<Promise<boolean>>();
  /** What became of messages, as `provider outcome`. */
  readonly outcomes = new Tally();

  constructor(ports: InboxRunnerPorts) {
    this.#ports = ports;
  }

  /** Keeps a message, then works on it. Throws when it could not be kept. */
  async take(
    provider: string,
    event: ProviderEvent,
  ): Promise<{ readonly isNew: boolean; readonly isProcessed: Promise<boolean> }> {
    const { inbox, clock } = this.#ports;
    const isNew = await inbox.store(provider, event, clock.wallMs());
    if (this.#running.size >= PAYMENT_MESSAGES_IN_FLIGHT_MAX) {
      return { isNew, isProcessed: Promise.resolve(false) };
    }
    const isProcessed = this.#processNow(provider, event.providerEventId);
    this.#running.add(isProcessed);
    void isProcessed.then(() => this.#running.delete(isProcessed));
    return { isNew, isProcessed };
  }

  /** Resolves when nothing that was taken is being worked on any more. */
  async drained(): Promise<void> {
    await Promise.all(this.#running);
  }

  /** Works on what is due; answers how many entries that were. */
  async runBatch(): Promise<number> {
    const entries = await this.#ports.inbox.claimDue(this.#ports.clock.wallMs());
    await Promise.all(entries.map((entry) => this.#process(entry)));
    return entries.length;
  }

  /** Never throws: what goes wrong now the runner does later. */
  async #processNow(provider: string, eventId: string): Promise<boolean> {
    const { inbox, clock, log } = this.#ports;
    try {
      const entry = await inbox.claim(provider, eventId, clock.wallMs());
      return entry !== null && (await this.#process(entry));
    } catch (error) {
      log.warn({ err: error, provider, eventId }, "a payment message has to wait");
      return false;
    }
  }

  /** True: concluded. */
  async #process(entry: InboxEntry): Promise<boolean> {
    try {
      const { ruling, intent } = await this.#ports.inbox.rule(entry);
      if (ruling.kind === "putAway" || intent === null) {
        const result = ruling.kind === "putAway" ? ruling.result : "foreign";
        this.#report(entry, result);
        await this.#conclude(entry, { result, settledStatus: null, giveBack: null });
        return true;
      }
      return await this.#tell(entry, intent, ruling);
    } catch (error) {
      await this.#postpone(entry, errorText(error));
      return false;
    }
  }

  async #tell(entry: InboxEntry, intent: StoredIntent, ruling: Acted): Promise<boolean> {
    const settled = await this.#ports.actors.settle(settlementOf(entry, intent, ruling));
    if (settled === "busy") {
      await this.#postpone(entry, "the actor is busy");
      return false;
    }
    if (ruling.kind === "giveBack") {
      this.#complain(entry, "a payment is not what was asked for and goes back");
      const isMoney = entry.amountMinor > 0;
      const giveBack = isMoney ? ({ intent, reason: "amount_mismatch" } as const) : null;
      await this.#conclude(entry, { result: "refund", settledStatus: "mismatch", giveBack });
    } else if (settled === "unknown" && ruling.status === "succeeded") {
      this.#complain(entry, "a payment has no booking and goes back");
      const giveBack = { intent, reason: "booking_unknown" } as const;
      await this.#conclude(entry, { result: "refund", settledStatus: ruling.status, giveBack });
    } else {
      const settledStatus = ruling.status;
      await this.#conclude(entry, { result: settled, settledStatus, giveBack: null });
    }
    return true;
  }

  async #conclude(entry: InboxEntry, what: Omit<Conclusion, "nowMs">): Promise<void> {
    const { inbox, clock } = this.#ports;
    await inbox.conclude(entry, { ...what, nowMs: clock.wallMs() });
    this.outcomes.add(`${entry.provider} ${what.result}`);
  }

  async #postpone(entry: InboxEntry, reason: string): Promise<void> {
    const { inbox, clock, log } = this.#ports;
    const { provider, providerEventId, intentId, tries } = entry;
    const level = tries > PAYMENT_QUIET_TRIES_MAX ? "error" : "warn";
    this.outcomes.add(`${provider} postponed`);
    log[level]({ provider, providerEventId, intentId, tries, reason }, "a payment message waits");
    try {
      await inbox.postpone(entry, clock.wallMs() + retryPauseMs(tries), reason);
    } catch (error) {
      // The entry's lease ends by itself.
      log.warn({ err: error, intentId }, "a payment message could not be postponed");
    }
  }

  #report(entry: InboxEntry, result: string): void {
    if (result === "mismatch") {
      this.#complain(entry, "a payment was reported with a second amount");
    } else if (result === "foreign") {
      const { provider, providerEventId, intentId } = entry;
      const fields = { provider, providerEventId, intentId };
      this.#ports.log.warn(fields, "a payment message is about a payment that is not ours");
    }
  }

  #complain(entry: InboxEntry, message: string): void {
    const { provider, providerEventId, intentId, amountMinor, currency } = entry;
    const fields = { provider, providerEventId, intentId, amountMinor, currency };
    this.#ports.log.error(fields, message);
  }
}

/** What the actor hears: of its own amount, whatever a failed or wrong payment was about. */
function settlementOf(entry: InboxEntry, intent: StoredIntent, ruling: Acted): Settlement {
  return {
    intentId: entry.intentId,
    outcome: ruling.kind === "settle" ? ruling.status : "failed",
    amountMinor: intent.amountMinor,
    currency: intent.currency,
    provider: entry.provider,
    providerRef: entry.providerRef ?? intent.providerRef ?? "",
    providerEventId: entry.providerEventId,
    atMs: entry.occurredMs,
  };
}
