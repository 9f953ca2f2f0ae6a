/** What becomes of a booking by the money that comes, or does not. */
import { assert } from "./assert.ts";
import {
  type BookingLater,
  type BookingPayment,
  type BookingRecord,
  type Refund,
  refundableMinor,
} from "./booking.ts";
import type { Fact } from "./facts.ts";
import { refundIdOf, type UserId } from "./ids.ts";

type At = Pick<Fact, "seq" | "atMs">;

/** The pending booking for whose money nobody waits any longer. */
export function withoutMoney(
  record: BookingRecord,
  status: "failed" | "expired",
  { seq, atMs, by, reason }: At & { readonly by: UserId | null; readonly reason: string | null },
): BookingRecord {
  const payment = paymentOf(record);
  const tickets = record.items.map(() => ({ cancelledAtMs: atMs, checkedInAtMs: null }));
  const cancelled = { atMs, by, reason };
  const later: BookingLater = {
    status: "cancelled",
    seq,
    atMs,
    tickets,
    payment: { ...payment, status },
    cancelled,
  };
  return { ...record, later };
}

/** The booking whose money is there, confirmed. */
export function withMoney(record: BookingRecord, { seq, atMs }: At): BookingRecord {
  const payment: BookingPayment = { ...paymentOf(record), status: "paid" };
  const later: BookingLater = {
    status: "confirmed",
    seq,
    atMs,
    tickets: null,
    payment,
    cancelled: null,
  };
  return { ...record, later };
}

/** The cancelled booking whose money came all the same: it goes back. */
export function withMoneyInVain(record: BookingRecord, { seq, atMs }: At): BookingRecord {
  const payment = paymentOf(record);
  const refunds = withRefund(payment, payment.amountMinor, "paid_too_late");
  const before = record.later;
  assert(before !== null, "a booking that was paid for in vain was cancelled");
  return {
    ...record,
    later: { ...before, seq, atMs, payment: { ...payment, status: "paid", refunds } },
  };
}

/** The refunds, with one more for the tickets that are cancelled now, if they were paid for. */
export function refundsAfter(
  record: BookingRecord,
  indexes: readonly number[],
  reason: string,
): BookingPayment | null {
  const payment = record.later?.payment ?? null;
  if (payment === null || payment.status !== "paid") return payment;
  return { ...payment, refunds: withRefund(payment, refundableMinor(record, indexes), reason) };
}

/** As many refunds as there are tickets, and one: the intent has ids for no more. */
export function withRefund(
  { intentId, refunds }: BookingPayment,
  amountMinor: number,
  reason: string,
): readonly Refund[] {
  if (amountMinor === 0) return refunds;
  const refundId = refundIdOf(intentId, refunds.length);
  return [...refunds, { refundId, amountMinor, reason, status: "due" }];
}

export function paymentOf({ later }: BookingRecord): BookingPayment {
  assert(later?.payment != null, "a booking that is paid for has a payment");
  return later.payment;
}

/** Whether everything that was paid has been paid back. */
export function isPaidBack({ amountMinor, refunds, status }: BookingPayment): boolean {
  let sum = 0;
  for (const refund of refunds) if (refund.status === "done") sum += refund.amountMinor;
  return status === "paid" && sum >= amountMinor;
}
