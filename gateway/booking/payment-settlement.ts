import type { Command } from "../../engine/commands.ts";
import { eventTagOf, parseIntentId } from "../../engine/ids.ts";
import type { RefundNotice, Settled, Settlement, SettlePort } from "../payments/settle-port.ts";
import type { ShardRouter } from "../shard-router.ts";
import type { BookingDeskPorts } from "./desk-core.ts";
import { noteReaders } from "./desk-core.ts";

export interface PaymentSettlementPorts
  extends Pick<BookingDeskPorts, "directory" | "recentWrites" | "logError"> {
  readonly router: Pick<ShardRouter, "ask" | "shardOf">;
}

/**
 * Takes what is known of money to the actor of its event, which an intent's id names. What is
 * answered `done` is durable; saying it again is harmless.
 */
export class PaymentSettlement implements SettlePort {
  readonly #ports: PaymentSettlementPorts;

  constructor(ports: PaymentSettlementPorts) {
    this.#ports = ports;
  }

  /** A payment that was cancelled is one that failed. */
  settle(news: Pick<Settlement, "intentId" | "outcome">): Promise<Settled> {
    const intentId = parseIntentId(news.intentId);
    if (intentId === null) return Promise.resolve("unknown");
    const outcome = news.outcome === "succeeded" ? "succeeded" : "failed";
    return this.#tell({ kind: "settlePayment", intentId, outcome });
  }

  refunded(news: Pick<RefundNotice, "intentId" | "refundId" | "outcome">): Promise<Settled> {
    const { refundId, outcome } = news;
    const intentId = parseIntentId(news.intentId);
    if (intentId === null) return Promise.resolve("unknown");
    return this.#tell({ kind: "settleRefund", intentId, refundId, outcome });
  }

  async #tell(
    command: Extract<Command, { kind: "settlePayment" | "settleRefund" }>,
  ): Promise<Settled> {
    const { directory, router, recentWrites } = this.#ports;
    try {
      const event = await directory.getByTag(eventTagOf(command.intentId));
      if (event === null) return "unknown";
      const { answer, lsn } = await router.ask(event.eventId, command);
      if (answer.kind === "unchanged") return "done";
      if (answer.kind === "done") {
        noteReaders(recentWrites, answer.fact, router.shardOf(event.eventId), lsn);
        return "done";
      }
      const isUnknown = answer.kind === "refused" && answer.refusal.code === "intent_not_found";
      return isUnknown ? "unknown" : "busy";
    } catch (cause) {
      this.#ports.logError("news of a payment could not be taken to its event", cause);
      return "busy";
    }
  }
}
