import type { PaymentOutcome } from "./payment-provider.ts";

/** How a payment ended, for the actor of its event. */
export interface Settlement {
  /** Its last ten hex digits are the event's tag. */
  readonly intentId: string;
  readonly outcome: PaymentOutcome;
  readonly amountMinor: number;
  readonly currency: string;
  readonly provider: string;
  readonly providerRef: string;
  readonly providerEventId: string;
  /** When it happened, as the provider says, Unix ms. */
  readonly atMs: number;
}

export interface RefundNotice {
  readonly intentId: string;
  readonly refundId: string;
  readonly bookingId: string;
  readonly eventId: string;
  /** `failed`: the money is still ours, and a person has to look. */
  readonly outcome: "succeeded" | "failed";
  /** Unix ms. */
  readonly atMs: number;
}

/**
 * `done`: durable, now or before. `unknown`: there is no such booking. `busy`: not now, nothing is
 * known to have changed.
 */
export type Settled = "done" | "unknown" | "busy";

/**
 * The way of money's news to the actors. Both may be repeated with the same arguments, and may come
 * in any order; a payment that `failed` or was `canceled` may still turn out to have `succeeded`,
 * never the other way round.
 */
export interface SettlePort {
  settle(settlement: Settlement): Promise<Settled>;
  refunded(notice: RefundNotice): Promise<Settled>;
}
