/** Money for bookings: it comes in time, late, in vain, again, or never. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { statusOf } from "../booking.ts";
import { type BookingId, type IntentId, itemIdOf, refundIdOf } from "../ids.ts";
import { type Place, placeOfArea } from "../place.ts";
import { ALICE, BOB, definition, EventBench, NOON } from "../testing/fixtures.ts";
import { changeOf, factOf, refusalOf } from "../testing/replies.ts";

const TTL_MS = 600_000;
const WINDOW_MS = 900_000;

function paying(bench: EventBench, places: readonly Place[] = [0, 1]) {
  const holdId = bench.held(places);
  const command = bench.payCommand(holdId);
  const fact = factOf(bench.run(command), "paymentStarted");
  return { holdId, fact, bookingId: command.bookingId, intentId: command.intentId };
}

function settle(bench: EventBench, intentId: IntentId, outcome: "succeeded" | "failed") {
  return bench.run({ kind: "settlePayment", intentId, outcome });
}

function recordOf(bench: EventBench, bookingId: BookingId) {
  const known = bench.state.bookings.get(bookingId);
  assert.ok(known !== undefined);
  return known.record;
}

function cancelled(
  bench: EventBench,
  bookingId: BookingId,
  tickets: null | ReturnType<typeof itemIdOf>[] = null,
) {
  const rest = { asOrganizer: false, reason: null, key: null };
  return bench.run({ kind: "cancel", bookingId, userId: ALICE, tickets, ...rest });
}

test("a hold that is paid for lives on for as long as a payment may take", () => {
  const bench = new EventBench();
  const { holdId, fact, bookingId } = paying(bench);
  assert.equal(fact.expiresAtMs, NOON + WINDOW_MS);
  assert.equal(fact.booking.later?.payment?.amountMinor, 9000);
  assert.equal(bench.state.holds.find(holdId)?.paying, bookingId);
  assert.equal(bench.statuses(), "hhffffffff");
  const again = refusalOf(bench.run(bench.payCommand(holdId)));
  assert.deepEqual(again, { code: "hold_paying", bookingId });
  assert.deepEqual(refusalOf(bench.run(bench.bookCommand(holdId))), again);
});

test("what costs nothing is confirmed at once", () => {
  const categories = [0, 0].map((priceMinor, n) => ({ key: `${n}`, priceMinor }));
  const bench = new EventBench({ categories });
  const { booking } = factOf(bench.run(bench.payCommand(bench.held([0]))), "booked");
  assert.equal(booking.later, null);
});

test("money that comes in time confirms, once", () => {
  const bench = new EventBench();
  const { intentId, bookingId } = paying(bench);
  const { booking } = factOf(settle(bench, intentId, "succeeded"), "booked");
  assert.equal(statusOf(booking), "confirmed");
  for (const outcome of ["succeeded", "failed"] as const) {
    assert.deepEqual(settle(bench, intentId, outcome), { facts: [], reply: { kind: "unchanged" } });
  }
  assert.equal(bench.statuses(), "ssffffffff");
  assert.equal(bench.state.bookings.get(bookingId)?.seq, 3);
  assert.deepEqual(refusalOf(settle(bench, "no" as IntentId, "failed")), {
    code: "intent_not_found",
  });
});

test("money that never comes ends the hold and its booking at one instant", () => {
  const bench = new EventBench();
  const { bookingId } = paying(bench);
  bench.nowMs = NOON + WINDOW_MS - 1;
  bench.expire();
  assert.equal(bench.state.holds.count, 1);
  bench.nowMs += 1;
  bench.expire();
  assert.equal(bench.statuses(), "ffffffffff");
  assert.equal(recordOf(bench, bookingId).later?.payment?.status, "expired");
  assert.equal(bench.facts.at(-1)?.kind, "bookingChanged");
});

test("money that comes late buys the same places, whatever the buyer's limit is by then", () => {
  const bench = new EventBench({ perUserMax: 2 });
  const { bookingId, intentId } = paying(bench);
  bench.nowMs += WINDOW_MS;
  bench.held([4, 5]);
  changeOf(settle(bench, intentId, "succeeded"), "paid_late");
  assert.equal(statusOf(recordOf(bench, bookingId)), "confirmed");
  assert.equal(bench.state.placesByUser.get(ALICE), 4);
  assert.equal(bench.statuses(), "ssffhhffff");
});

test("money for places that somebody has goes back, once", () => {
  const bench = new EventBench();
  const { bookingId, intentId } = paying(bench);
  bench.nowMs += WINDOW_MS;
  bench.held([1], BOB);
  changeOf(settle(bench, intentId, "succeeded"), "paid_in_vain");
  assert.deepEqual(settle(bench, intentId, "succeeded").facts, []);
  const refundId = refundIdOf(intentId, 0);
  const refund = { refundId, amountMinor: 9000, reason: "paid_too_late", status: "due" };
  assert.deepEqual(recordOf(bench, bookingId).later?.payment?.refunds, [refund]);
  const done = { kind: "settleRefund", intentId, refundId, outcome: "succeeded" } as const;
  changeOf(bench.run(done), "refund_settled");
  assert.equal(statusOf(recordOf(bench, bookingId)), "refunded");
  assert.deepEqual(bench.run(done).facts, []);
  const other = refusalOf(bench.run({ ...done, refundId: refundIdOf(intentId, 1) }));
  assert.deepEqual(other, { code: "intent_not_found" });
});

test("a payment that failed leaves the hold, which may still be paid for", () => {
  const bench = new EventBench();
  const { holdId, intentId, bookingId } = paying(bench);
  changeOf(settle(bench, intentId, "failed"), "payment_failed");
  assert.deepEqual(settle(bench, intentId, "failed").facts, []);
  assert.equal(bench.state.holds.find(holdId)?.paying, null);
  factOf(settle(bench, intentId, "succeeded"), "booked");
  assert.equal(statusOf(recordOf(bench, bookingId)), "confirmed");
});

test("paying in vain again and again does not keep places for ever", () => {
  const bench = new EventBench();
  const holdId = bench.held([0]);
  for (;;) {
    bench.expire();
    if (bench.state.holds.find(holdId) === undefined) break;
    const { intentId } = factOf(bench.run(bench.payCommand(holdId)), "paymentStarted").booking.later
      ?.payment ?? { intentId: "" as IntentId };
    settle(bench, intentId, "failed");
    bench.nowMs += 60_000;
    assert.ok(bench.nowMs <= NOON + 2 * TTL_MS + WINDOW_MS);
  }
  assert.equal(bench.nowMs, NOON + 2 * TTL_MS + WINDOW_MS);
});

test("money for a hold that was changed since its payment failed goes back", () => {
  const bench = new EventBench();
  const { holdId, intentId } = paying(bench);
  settle(bench, intentId, "failed");
  const drop = [itemIdOf(holdId, 1)];
  bench.run({ kind: "changeHold", holdId, userId: ALICE, add: [], drop, key: null });
  bench.run({ kind: "changeHold", holdId, userId: ALICE, add: [1], drop: [], key: null });
  const categories = [9900, 100].map((priceMinor, n) => ({ key: `${n}`, priceMinor }));
  bench.run({ kind: "configure", definition: definition({ categories }) });
  const item = [itemIdOf(holdId, 1)];
  bench.run({ kind: "changeHold", holdId, userId: ALICE, add: [], drop: item, key: null });
  bench.run({ kind: "changeHold", holdId, userId: ALICE, add: [1], drop: [], key: null });
  changeOf(settle(bench, intentId, "succeeded"), "paid_in_vain");
  assert.equal(bench.statuses(), "hhffffffff");
});

test("a hold that was changed and lost its allotment is not what the first money was for", () => {
  const bench = new EventBench();
  const none = { block: [], unblock: [], capacities: [], key: null };
  const allot = (seats: number[]) =>
    bench.run({
      kind: "changePlaces",
      by: BOB,
      ...none,
      allotments: [{ channel: "press", seats, areas: [] }],
    });
  allot([5]);
  const hold = { ...bench.holdCommand([4, 5]), channel: "press" };
  bench.run(hold);
  const pay = bench.payCommand(hold.holdId);
  bench.run(pay);
  settle(bench, pay.intentId, "failed");
  const of = { kind: "changeHold", holdId: hold.holdId, userId: ALICE, key: null } as const;
  bench.run({ ...of, add: [], drop: [itemIdOf(hold.holdId, 1)] });
  allot([]);
  bench.run({ ...of, add: [5], drop: [] });
  changeOf(settle(bench, pay.intentId, "succeeded"), "paid_in_vain");
  bench.run({ kind: "release", holdId: hold.holdId, userId: ALICE });
  assert.equal(bench.statuses(), "ffffffffff");
});

test("money goes back to who has cancelled before it came", () => {
  const bench = new EventBench();
  const { bookingId, intentId } = paying(bench);
  changeOf(cancelled(bench, bookingId), "cancelled");
  assert.equal(bench.statuses(), "ffffffffff");
  changeOf(settle(bench, intentId, "succeeded"), "paid_in_vain");
});

test("money that comes between an event's cancellation and its end goes back", () => {
  const bench = new EventBench();
  const { bookingId, intentId, holdId } = paying(bench);
  bench.run({ kind: "configure", definition: definition({ status: "cancelled" }) });
  changeOf(settle(bench, intentId, "succeeded"), "paid_in_vain");
  assert.equal(statusOf(recordOf(bench, bookingId)), "cancelled");
  assert.equal(bench.state.holds.find(holdId)?.paying, null);
  bench.windUp();
  assert.equal(bench.statuses(), "ffffffffff");
  assert.equal(recordOf(bench, bookingId).later?.payment?.refunds.length, 1);
});

test("a booking that waits for money is cancelled with its event, and says so", () => {
  const bench = new EventBench();
  const { bookingId, holdId, intentId } = paying(bench);
  bench.run({ kind: "configure", definition: definition({ status: "cancelled" }) });
  bench.windUp();
  const { later } = recordOf(bench, bookingId);
  assert.deepEqual(later?.cancelled, { atMs: bench.nowMs, by: null, reason: "event_cancelled" });
  assert.equal(later?.payment?.status, "expired");
  assert.equal(bench.state.holds.findEnded(holdId)?.end, "cancelled");
  assert.equal(bench.statuses(), "ffffffffff");
  changeOf(settle(bench, intentId, "succeeded"), "paid_in_vain");
});

test("tickets are paid back one by one, to the last cent and no further", () => {
  const charges = {
    fees: [{ name: "fee", kind: "percent", basisPoints: 333 } as const],
    tax: { name: "VAT", basisPoints: 1_900, included: false },
  };
  const bench = new EventBench({ charges });
  const { bookingId, intentId, holdId } = paying(bench, [0, 1, 8]);
  settle(bench, intentId, "succeeded");
  for (const ordinal of [1, 0, 2]) {
    const tickets = [itemIdOf(holdId, ordinal)];
    const { booking } = changeOf(cancelled(bench, bookingId, tickets), "cancelled");
    assert.equal(statusOf(booking), ordinal === 2 ? "cancelled" : "confirmed");
    assert.equal(cancelled(bench, bookingId, tickets).reply.kind, "booking");
  }
  const payment = recordOf(bench, bookingId).later?.payment;
  const sum = payment?.refunds.reduce((total, { amountMinor }) => total + amountMinor, 0);
  assert.equal(sum, payment?.amountMinor);
  assert.equal(new Set(payment?.refunds.map(({ refundId }) => refundId)).size, 3);
});

test("what was paid back ticket by ticket is refunded when the last ticket, a free one, goes", () => {
  const categories = [4500, 0].map((priceMinor, n) => ({ key: `${n}`, priceMinor }));
  const bench = new EventBench({ categories });
  const { bookingId, intentId, holdId } = paying(bench, [0, 8]);
  settle(bench, intentId, "succeeded");
  cancelled(bench, bookingId, [itemIdOf(holdId, 0)]);
  const refundId = refundIdOf(intentId, 0);
  bench.run({ kind: "settleRefund", intentId, refundId, outcome: "succeeded" });
  assert.equal(statusOf(recordOf(bench, bookingId)), "confirmed");
  cancelled(bench, bookingId);
  assert.equal(statusOf(recordOf(bench, bookingId)), "refunded");
});

test("of a refund that failed, the money may go back all the same; back is back", () => {
  const bench = new EventBench();
  const { bookingId, intentId } = paying(bench);
  settle(bench, intentId, "succeeded");
  cancelled(bench, bookingId);
  const refundId = refundIdOf(intentId, 0);
  const of = { kind: "settleRefund", intentId, refundId } as const;
  changeOf(bench.run({ ...of, outcome: "failed" }), "refund_settled");
  assert.deepEqual(bench.run({ ...of, outcome: "failed" }).facts, []);
  assert.equal(statusOf(recordOf(bench, bookingId)), "cancelled");
  changeOf(bench.run({ ...of, outcome: "succeeded" }), "refund_settled");
  assert.equal(statusOf(recordOf(bench, bookingId)), "refunded");
  assert.deepEqual(bench.run({ ...of, outcome: "failed" }).facts, []);
});

test("a booking that waits for money is cancelled as a whole, or not at all", () => {
  const bench = new EventBench();
  const { bookingId, holdId } = paying(bench);
  const one = cancelled(bench, bookingId, [itemIdOf(holdId, 0)]);
  assert.deepEqual(refusalOf(one), { code: "booking_pending" });
  changeOf(cancelled(bench, bookingId, [itemIdOf(holdId, 0), itemIdOf(holdId, 1)]), "cancelled");
});

test("a hold is bought once: money of a first try goes back when a second one has bought", () => {
  const floor = placeOfArea(0);
  const bench = new EventBench();
  const { holdId, intentId, bookingId } = paying(bench, [floor, floor]);
  settle(bench, intentId, "failed");
  const again = bench.payCommand(holdId);
  bench.run(again);
  factOf(settle(bench, again.intentId, "succeeded"), "booked");
  // Places are free, but the tickets that they were for are sold: they have the same ids.
  changeOf(settle(bench, intentId, "succeeded"), "paid_in_vain");
  assert.equal(statusOf(recordOf(bench, bookingId)), "cancelled");
  assert.equal(bench.state.inventory?.area(0).sold, 2);
});

test("nor does it buy what the second try has bought and given back", () => {
  const bench = new EventBench();
  const { holdId, intentId } = paying(bench);
  settle(bench, intentId, "failed");
  const { bookingId } = factOf(bench.run(bench.bookCommand(holdId)), "booked").booking;
  changeOf(cancelled(bench, bookingId), "cancelled");
  changeOf(settle(bench, intentId, "succeeded"), "paid_in_vain");
  assert.equal(bench.statuses(), "ffffffffff");
});

test("of two tries that both come late, the first to come buys", () => {
  const bench = new EventBench();
  const { holdId, intentId } = paying(bench, [placeOfArea(0)]);
  settle(bench, intentId, "failed");
  const again = bench.payCommand(holdId);
  bench.run(again);
  bench.nowMs += WINDOW_MS;
  bench.expire();
  changeOf(settle(bench, intentId, "succeeded"), "paid_late");
  changeOf(settle(bench, again.intentId, "succeeded"), "paid_in_vain");
});
