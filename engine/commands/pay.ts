import type { BookingLater, BookingPayment } from "../booking.ts";
import type { EventState } from "../event-state.ts";
import type { CommandKey } from "../facts.ts";
import type { IntentId } from "../ids.ts";
import { HOLD_LIFETIME_TTLS_MAX } from "../limits.ts";
import { totalMinor } from "../place.ts";
import type { Decision } from "../replies.ts";
import { bookingOf, findBookable, type NewBooking } from "./book.ts";
import { accept, nextFact, refuse } from "./outcome.ts";

/**
 * Makes a pending booking of a hold, which lives on for the time that a payment may take; but no
 * longer than if it had been begun at the last moment to which a hold can be extended, so that
 * nobody keeps places by paying in vain again and again. Where nothing is owed, it is confirmed at
 * once.
 */
export interface Pay extends NewBooking {
  readonly kind: "pay";
  readonly provider: string;
  /** Fresh. */
  readonly intentId: IntentId;
  readonly key: CommandKey | null;
}

export function pay(state: EventState, command: Pay, nowMs: number): Decision {
  const found = findBookable(state, command);
  if ("code" in found) return refuse(found);
  const base = nextFact(state, nowMs, command.key);
  const booking = bookingOf(found, command, nowMs);
  const amountMinor = totalMinor(found.items);
  if (amountMinor === 0) return accept({ kind: "booked", ...base, booking });
  const { holdTtlMs = 0, paymentWindowMs = 0 } = state.definition ?? {};
  const lastMs = found.createdAtMs + HOLD_LIFETIME_TTLS_MAX * holdTtlMs;
  const payUntilMs = Math.min(nowMs, lastMs) + paymentWindowMs;
  const expiresAtMs = Math.max(found.expiresAtMs, payUntilMs);
  const { provider, intentId } = command;
  const payment: BookingPayment = {
    provider,
    intentId,
    amountMinor,
    payUntilMs: expiresAtMs,
    status: "pending",
    refunds: [],
  };
  const { seq, atMs } = base;
  const later: BookingLater = {
    status: "pending_payment",
    seq,
    atMs,
    tickets: null,
    payment,
    cancelled: null,
  };
  return accept({ kind: "paymentStarted", ...base, booking: { ...booking, later }, expiresAtMs });
}
