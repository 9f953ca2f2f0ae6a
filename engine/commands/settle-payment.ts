import type { KnownBooking } from "../booking.ts";
import { type BookingRecord, statusOf, ticketIdOf } from "../booking.ts";
import type { EventState } from "../event-state.ts";
import { type BookingChanged, movesTaking } from "../facts.ts";
import type { ActiveHold } from "../hold-book.ts";
import type { IntentId } from "../ids.ts";
import { SOLD } from "../inventory.ts";
import { isPaidBack, paymentOf, withMoney, withMoneyInVain, withoutMoney } from "../payments.ts";
import { dueMinor } from "../place.ts";
import { keptAmong, refuseByPlaces } from "../places.ts";
import type { Decision } from "../replies.ts";
import { accept, answer, nextFact, refuse } from "./outcome.ts";

/** What a provider says of a payment. It may say it late, in any order, and again and again. */
export interface SettlePayment {
  readonly kind: "settlePayment";
  readonly intentId: IntentId;
  readonly outcome: "succeeded" | "failed";
}

/**
 * What a provider says of money that was to go back. Of one that failed, a person may have had it
 * tried again.
 */
export interface SettleRefund {
  readonly kind: "settleRefund";
  readonly intentId: IntentId;
  readonly refundId: string;
  readonly outcome: "succeeded" | "failed";
}

export function settlePayment(state: EventState, command: SettlePayment, nowMs: number): Decision {
  const known = findByIntent(state, command.intentId);
  if (known === undefined) return refuse({ code: "intent_not_found" });
  const { record } = known;
  const { status } = paymentOf(record);
  if (status === "paid") return answer({ kind: "unchanged" });
  if (command.outcome === "succeeded") return succeed(state, record, nowMs);
  if (status !== "pending") return answer({ kind: "unchanged" });
  const base = nextFact(state, nowMs);
  return accept({
    ...changed(state, record, nowMs),
    change: "payment_failed",
    booking: withoutMoney(record, "failed", { ...base, by: null, reason: "payment_failed" }),
    reason: "payment_failed",
  });
}

/** A fact about all tickets of a booking that nobody asked for. */
function changed(state: EventState, record: BookingRecord, nowMs: number) {
  return {
    kind: "bookingChanged",
    ...nextFact(state, nowMs),
    tickets: record.items.map((_, index) => index),
    by: null,
    moves: [],
    holdEnd: null,
  } satisfies Partial<BookingChanged>;
}

/** Money buys what it was meant for: from the hold, or, after its end, if all is free again. */
function succeed(state: EventState, record: BookingRecord, nowMs: number): Decision {
  const base = nextFact(state, nowMs);
  const hold = state.holds.find(record.holdId);
  const isMine = hold !== undefined && hold.userId === record.userId;
  const isUnpaid = isMine && (hold.paying === null || hold.paying === record.bookingId);
  if (isUnpaid && isSameContents(hold, record) && isWanted(state, record)) {
    return accept({ kind: "booked", ...base, booking: withMoney(record, base) });
  }
  const { inventory } = state;
  const places = record.items.map((item) => item.place);
  const isLost =
    hold !== undefined ||
    inventory === null ||
    !isWanted(state, record) ||
    isBoughtAlready(state, record) ||
    refuseByPlaces(state, inventory, places, record.terms?.channel ?? null) !== null;
  if (isLost) {
    const reason = "paid_too_late";
    // Of an event that was cancelled a moment ago, a booking may still wait for its money.
    const isPending = statusOf(record) === "pending_payment";
    const ended = isPending
      ? withoutMoney(record, "expired", { ...base, by: null, reason })
      : record;
    const booking = withMoneyInVain(ended, base);
    return accept({ ...changed(state, record, nowMs), change: "paid_in_vain", booking, reason });
  }
  // Which of the places are an allotment's may have changed meanwhile.
  const kept = keptAmong(state, places, record.terms?.channel ?? null);
  const terms = record.terms === null ? null : { ...record.terms, kept };
  return accept({
    ...changed(state, record, nowMs),
    change: "paid_late",
    booking: withMoney({ ...record, terms }, base),
    reason: null,
    moves: movesTaking(record.items, terms, SOLD),
  });
}

/** Whoever cancelled it, or the event, did not want it any more. */
function isWanted(state: EventState, { later }: BookingRecord): boolean {
  return state.definition?.status === "published" && (later?.cancelled?.by ?? null) === null;
}

/**
 * Whether another booking of the same hold has what the money was for, or was given back by
 * somebody. Their tickets are one and the same, by their ids, and admit once.
 */
function isBoughtAlready({ bookingsOfHold }: EventState, { bookingId, holdId }: BookingRecord) {
  return bookingsOfHold.of(holdId).some((other) => {
    if (other.bookingId === bookingId) return false;
    return statusOf(other) === "confirmed" || (other.later?.cancelled?.by ?? null) !== null;
  });
}

/** A hold whose payment has failed may have been changed since: then the money was for another. */
function isSameContents(hold: ActiveHold, record: BookingRecord): boolean {
  const [kept, keptThen] = [hold.terms?.kept ?? [], record.terms?.kept ?? []];
  return (
    hold.items.length === record.items.length &&
    hold.items.every((item, index) => {
      const other = record.items[index];
      const isSame = item.place === other?.place && dueMinor(item) === dueMinor(other);
      return isSame && ticketIdOf(hold, index) === ticketIdOf(record, index);
    }) &&
    kept.length === keptThen.length &&
    kept.every((place) => keptThen.includes(place))
  );
}

export function settleRefund(state: EventState, command: SettleRefund, nowMs: number): Decision {
  const known = findByIntent(state, command.intentId);
  if (known === undefined) return refuse({ code: "intent_not_found" });
  const { record } = known;
  const before = paymentOf(record);
  const index = before.refunds.findIndex(({ refundId }) => refundId === command.refundId);
  const refund = before.refunds[index];
  if (refund === undefined) return refuse({ code: "intent_not_found" });
  const status = command.outcome === "succeeded" ? "done" : "failed";
  const isKnown = refund.status === "done" || refund.status === status;
  if (isKnown || record.later === null) return answer({ kind: "unchanged" });
  const base = nextFact(state, nowMs);
  const payment = { ...before, refunds: before.refunds.with(index, { ...refund, status }) };
  const isOver = record.later.status === "cancelled" && isPaidBack(payment);
  const later = {
    ...record.later,
    status: isOver ? "refunded" : record.later.status,
    seq: base.seq,
    atMs: nowMs,
    payment,
  } as const;
  return accept({
    ...changed(state, record, nowMs),
    change: "refund_settled",
    booking: { ...record, later },
    tickets: [],
    reason: status,
  });
}

function findByIntent(state: EventState, intentId: IntentId): KnownBooking | undefined {
  const bookingId = state.bookingByIntent.get(intentId);
  return bookingId === undefined ? undefined : state.bookings.get(bookingId);
}
