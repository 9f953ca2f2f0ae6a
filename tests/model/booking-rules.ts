/** Rules of bookings: how they are made, paid for and changed. */
import type { BookingRecord } from "../../engine/booking.ts";
import type { Booked, BookingChanged, PaymentStarted } from "../../engine/facts.ts";
import type { ActiveHold } from "../../engine/hold-book.ts";
import type { EventId } from "../../engine/ids.ts";
import { HOLD_LIFETIME_TTLS_MAX, ITEM_IDS_PER_HOLD } from "../../engine/limits.ts";
import {
  boughtBy,
  changedRecord,
  flawOfCodes,
  paidRecord,
  pendingRecord,
} from "./booking-changes.ts";
import { checkFreshId, checkReason, checkSameHold, heldHold, liveHold } from "./hold-rules.ts";
import { type ModelState, positionsIn, standingIn, statusIn } from "./model-state.ts";
import { dueOf, sumOf } from "./prices.ts";
import { type Must, mustEqual, mustMove } from "./rule.ts";

/** A booking that a hold becomes, or is to become when its money is there. */
function checkNewBooking(
  state: ModelState,
  eventId: EventId,
  { booking, atMs }: Pick<Booked, "booking" | "atMs">,
  must: Must,
): ActiveHold | null {
  const { bookingId } = booking;
  checkFreshId(eventId, bookingId, must);
  must(!state.bookings.has(bookingId), () => `booking ${bookingId} has been before`);
  must(state.definition?.status !== "cancelled", () => "the event is cancelled");
  must(booking.bookedAtMs === atMs, () => `it says that it was booked at ${booking.bookedAtMs}`);
  const flaw = flawOfCodes(state, booking);
  must(flaw === null, () => flaw ?? "");
  const hold = liveHold(state, booking, atMs, must);
  if (hold === null) return null;
  checkSameHold(hold, booking, must);
  must(hold.paying === null, () => `hold ${hold.holdId} waits for the money of ${hold.paying}`);
  return hold;
}

export function checkPaymentStarted(
  state: ModelState,
  eventId: EventId,
  fact: PaymentStarted,
  must: Must,
): void {
  const hold = checkNewBooking(state, eventId, fact, must);
  const { booking, expiresAtMs, atMs } = fact;
  const payment = booking.later?.payment ?? null;
  must(payment !== null, () => "it has no payment");
  if (hold === null || payment === null) return;
  must(sumOf(hold.items) > 0, () => "it costs nothing");
  checkFreshId(eventId, payment.intentId, must);
  must(!state.intents.has(payment.intentId), () => `intent ${payment.intentId} has been before`);
  const endMs = payingEndMs(state, hold, atMs);
  must(expiresAtMs === endMs, () => `its hold would end at ${endMs}, not ${expiresAtMs}`);
  const { provider, intentId } = payment;
  const asked = { provider, intentId, payUntilMs: endMs };
  mustEqual("the booking", booking, pendingRecord(booking, asked, fact), must);
}

/**
 * A hold that waits for money has the time that a payment may take, from when it begins; but it
 * lives no longer than the longest one would whose payment begins at its last moment.
 */
export function payingEndMs({ definition }: ModelState, hold: ActiveHold, nowMs: number): number {
  const { holdTtlMs = 0, paymentWindowMs = 0 } = definition ?? {};
  const lastMs = hold.createdAtMs + HOLD_LIFETIME_TTLS_MAX * holdTtlMs + paymentWindowMs;
  return Math.max(hold.expiresAtMs, Math.min(nowMs + paymentWindowMs, lastMs));
}

export function checkBooked(state: ModelState, eventId: EventId, fact: Booked, must: Must): void {
  const { booking, atMs } = fact;
  if (booking.later === null) {
    checkNewBooking(state, eventId, fact, must);
    return;
  }
  const known = state.bookings.get(booking.bookingId);
  must(known !== undefined, () => `booking ${booking.bookingId} does not exist`);
  if (known === undefined) return;
  const before = known.record;
  const status = before.later?.payment?.status;
  must(status !== undefined && status !== "paid", () => "its money came already, or never");
  liveHold(state, before, atMs, must);
  const bought = boughtBy(state, before);
  must(bought === "hold", () => `its money buys ${bought}`);
  mustEqual("the booking", booking, paidRecord(before, fact), must);
}

export function checkBookingChanged(state: ModelState, fact: BookingChanged, must: Must): void {
  const { booking, tickets, by, reason, holdEnd } = fact;
  const known = state.bookings.get(booking.bookingId);
  must(known !== undefined, () => `booking ${booking.bookingId} does not exist`);
  if (known === undefined) return;
  const before = known.record;
  const record = changedRecord(state, before, fact);
  if (typeof record === "string") must(false, () => record);
  else mustEqual("the booking", booking, record, must);
  checkAbout(before, fact, must);
  const expected = circumstancesOf(before, fact);
  mustEqual("it", { reason, holdEnd, isAsked: by !== null }, expected, must);
  if (holdEnd !== null && holdEnd !== "booked") {
    const hold = heldHold(state, before.holdId, must);
    if (hold !== null) checkReason(state, hold, { reason: holdEnd, atMs: fact.atMs }, must);
  }
  if (fact.change === "cancelled" && by === null) {
    must(state.definition?.status === "cancelled", () => "the event is not cancelled");
    const isPending = statusIn(before) === "pending_payment";
    mustEqual("its tickets", tickets, isPending ? positionsIn(before) : standingIn(before), must);
  }
  mustEqual("its difference", fact.differenceMinor, differenceIn(before, fact), must);
  if (fact.change === "ticket_moved") checkRefundIds(booking, must);
  checkMoney(booking, must);
  mustMove(fact.moves, state.movesIn(fact), must);
}

/** Which tickets a change is about. */
function checkAbout(before: BookingRecord, { change, tickets }: BookingChanged, must: Must): void {
  const all = positionsIn(before);
  switch (change) {
    case "refund_settled":
    case "buyer_forgotten":
      return mustEqual("its tickets", tickets, [], must);
    case "cancelled": {
      const isPending = statusIn(before) === "pending_payment";
      if (isPending) return mustEqual("its tickets", tickets, all, must);
      const ascending = all.filter((n) => tickets.includes(n));
      return mustEqual("its tickets", tickets, ascending, must);
    }
    case "ticket_moved":
    case "checked_in":
    case "check_in_undone":
      return must(tickets.length === 1, () => `it is about ${tickets.length} tickets`);
    default:
      return mustEqual("its tickets", tickets, all, must);
  }
}

/** Why it happens, whether somebody asked for it, and what it does to the hold. */
function circumstancesOf(before: BookingRecord, { change, by, reason, holdEnd }: BookingChanged) {
  switch (change) {
    case "cancelled": {
      const isAsked = by !== null;
      const isPending = statusIn(before) === "pending_payment";
      const why = isAsked ? reason : "event_cancelled";
      const end = isAsked ? "released" : "cancelled";
      return { reason: why, holdEnd: isPending ? end : null, isAsked };
    }
    case "payment_expired": {
      const isEnd = holdEnd === "expired" || holdEnd === "released";
      return { reason: isEnd ? holdEnd : "", holdEnd, isAsked: false };
    }
    case "payment_failed":
      return { reason: "payment_failed", holdEnd: null, isAsked: false };
    case "paid_late":
      return { reason: null, holdEnd: null, isAsked: false };
    case "paid_in_vain":
      return { reason: "paid_too_late", holdEnd: null, isAsked: false };
    case "refund_settled":
      return { reason, holdEnd: null, isAsked: false };
    default:
      return { reason: null, holdEnd: null, isAsked: true };
  }
}

/** What a moved ticket costs more than before; of other changes there is nothing to say. */
function differenceIn(
  before: BookingRecord,
  { change, booking, tickets }: BookingChanged,
): number | undefined {
  const [now, then] = [booking, before].map(({ items }) => items[tickets[0] ?? -1]);
  if (change !== "ticket_moved" || now === undefined || then === undefined) return undefined;
  return dueOf(now) - dueOf(then);
}

/** Nobody gets back more than they paid. */
function checkMoney(booking: BookingRecord, must: Must): void {
  const payment = booking.later?.payment ?? null;
  if (payment === null) return;
  const sum = payment.refunds.reduce((total, { amountMinor }) => total + amountMinor, 0);
  must(sum <= payment.amountMinor, () => `${sum} of ${payment.amountMinor} go back`);
  const isWhole = statusIn(booking) !== "confirmed" && payment.status === "paid";
  must(
    !isWhole || sum === payment.amountMinor,
    () => `only ${sum} of ${payment.amountMinor} go back`,
  );
}

/** A payment has ids for as many refunds as a hold for items: every ticket may need one more. */
function checkRefundIds(booking: BookingRecord, must: Must): void {
  const refunds = booking.later?.payment?.refunds.length ?? 0;
  const needed = refunds + standingIn(booking).length;
  must(needed <= ITEM_IDS_PER_HOLD, () => `${needed} refunds are more than there are ids for`);
}
