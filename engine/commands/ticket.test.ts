/** What becomes of tickets: another seat, another owner, the doors. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { type BookingRecord, fateOf } from "../booking.ts";
import type { InventoryDefinition } from "../definition.ts";
import { type BookingId, type ItemId, itemIdOf } from "../ids.ts";
import { ITEM_IDS_PER_HOLD } from "../limits.ts";
import { type Place, placeOfArea } from "../place.ts";
import { ALICE, BOB, CAROL, definition, EventBench, NOON } from "../testing/fixtures.ts";
import { changeOf, factOf, refusalOf } from "../testing/replies.ts";
import type { Cancel } from "./cancel.ts";
import type { MoveTicket } from "./move-ticket.ts";

const FLOOR = placeOfArea(0);

class Sold {
  readonly bench: EventBench;
  readonly bookingId: BookingId;

  /** Alice has these places: by invoice, or paid for. */
  constructor(
    places: readonly Place[],
    isPaid = false,
    changes: Partial<InventoryDefinition> = {},
  ) {
    this.bench = new EventBench({ perOrderMax: 10, perUserMax: 20, ...changes });
    const holdId = this.bench.held(places);
    const pay = this.bench.payCommand(holdId);
    this.bookingId = isPaid ? pay.bookingId : this.bench.booked(holdId);
    if (!isPaid) return;
    this.bench.run(pay);
    this.bench.run({ kind: "settlePayment", intentId: pay.intentId, outcome: "succeeded" });
  }

  get record(): BookingRecord {
    const known = this.bench.state.bookings.get(this.bookingId);
    assert.ok(known !== undefined);
    return known.record;
  }

  ticket(n: number): ItemId {
    return itemIdOf(this.record.holdId, n);
  }

  move(n: number, seat: Place, changes: Partial<MoveTicket> = {}) {
    const of = { bookingId: this.bookingId, userId: ALICE, asOrganizer: false, key: null };
    const ticketId = this.ticket(n);
    return this.bench.run({ kind: "moveTicket", ...of, ticketId, seat, ...changes });
  }

  cancel(tickets: readonly number[] | null, changes: Partial<Cancel> = {}) {
    const of = { bookingId: this.bookingId, userId: ALICE, asOrganizer: false, key: null };
    const ids = tickets === null ? null : tickets.map((n) => this.ticket(n));
    return this.bench.run({ kind: "cancel", ...of, tickets: ids, reason: null, ...changes });
  }

  checkIn(n: number, undo = false) {
    return this.enter(this.record.ticketCodes[n], undo);
  }

  enter(ticketCode = "", undo = false) {
    return this.bench.run({ kind: "checkIn", ticketCode, by: CAROL, undo, key: null });
  }

  transfer(toUserId = BOB, userId = ALICE, email = "bob@example.org") {
    const of = { bookingId: this.bookingId, userId, asOrganizer: false, key: null };
    return this.bench.run(this.bench.drafts.transfer({ ...of, toUserId, email }));
  }

  configure(changes: Partial<InventoryDefinition>): void {
    this.bench.run({ kind: "configure", definition: definition({ perOrderMax: 10, ...changes }) });
  }

  allot(seats: readonly number[]): void {
    const none = { block: [], unblock: [], capacities: [], key: null };
    const allotments = [{ channel: "press", seats, areas: [] }];
    this.bench.run({ kind: "changePlaces", by: BOB, ...none, allotments });
  }

  refunds(): number[] {
    return this.record.later?.payment?.refunds.map(({ amountMinor }) => amountMinor) ?? [];
  }
}

test("a ticket gets another seat in one step and keeps its code", () => {
  const sold = new Sold([0, 1]);
  const { booking, tickets } = changeOf(sold.move(1, 5), "ticket_moved");
  assert.deepEqual(tickets, [1]);
  assert.deepEqual(
    booking.items.map(({ place }) => place),
    [0, 5],
  );
  assert.equal(sold.bench.statuses(), "sffffsffff");
  assert.deepEqual(refusalOf(sold.move(1, 5)), { code: "seat_unavailable", seats: [5] });
});

test("a ticket is moved only to a seat that is free, only by who may, and only while it admits", () => {
  const sold = new Sold([0, 1, FLOOR]);
  sold.bench.held([5], BOB);
  assert.equal(refusalOf(sold.move(0, 5)).code, "seat_unavailable");
  assert.equal(refusalOf(sold.move(0, 1)).code, "seat_unavailable");
  assert.equal(refusalOf(sold.move(0, 10)).code, "unknown_place");
  assert.equal(refusalOf(sold.move(0, FLOOR)).code, "unknown_place");
  assert.equal(refusalOf(sold.move(2, 6)).code, "ticket_not_movable");
  assert.equal(refusalOf(sold.move(7, 6)).code, "ticket_not_found");
  assert.equal(refusalOf(sold.move(0, 6, { userId: BOB })).code, "booking_not_found");
  sold.checkIn(0);
  assert.equal(refusalOf(sold.move(0, 6)).code, "already_checked_in");
  sold.cancel([1]);
  assert.equal(refusalOf(sold.move(1, 6)).code, "ticket_cancelled");
  sold.cancel(null, { asOrganizer: true });
  assert.equal(refusalOf(sold.move(0, 6)).code, "booking_cancelled");
  const other = new Sold([0]);
  other.configure({ status: "cancelled" });
  assert.equal(refusalOf(other.move(0, 6)).code, "event_cancelled");
});

test("a cheaper seat pays the difference back, a dearer one is the organiser's to give", () => {
  const sold = new Sold([0, 8], true);
  changeOf(sold.move(0, 9), "ticket_moved");
  assert.deepEqual(sold.refunds(), [1500]);
  assert.deepEqual(refusalOf(sold.move(0, 3)), { code: "price_differs", differenceMinor: 1500 });
  changeOf(sold.move(0, 3, { asOrganizer: true }), "ticket_moved");
  assert.equal(sold.record.items[0]?.priceMinor, 3000);
  sold.cancel(null);
  assert.deepEqual(sold.refunds(), [1500, 6000]);
});

test("who had nothing to pay gets no dearer seat for it; who was sent an invoice owes its price", () => {
  const categories = [4500, 0].map((priceMinor, n) => ({ key: `${n}`, priceMinor }));
  const free = new Sold([8], false, { categories });
  assert.deepEqual(refusalOf(free.move(0, 0)), { code: "price_differs", differenceMinor: 4500 });
  changeOf(free.move(0, 0, { asOrganizer: true }), "ticket_moved");
  assert.equal(free.record.items[0]?.priceMinor, 0);
  const owing = new Sold([8, 0], false, { categories });
  changeOf(owing.move(0, 1), "ticket_moved");
  assert.equal(owing.record.items[0]?.priceMinor, 4500);
});

test("a payment has ids for so many refunds: then no move pays anything back", () => {
  const dearest = 1_000_000;
  const prices = (priceMinor: number) =>
    [priceMinor, 0].map((p, n) => ({ key: `${n}`, priceMinor: p }));
  const sold = new Sold([0, 1], true, { categories: prices(dearest) });
  let moves = 0;
  for (;;) {
    sold.configure({ categories: prices(dearest - 1 - moves) });
    const { reply } = sold.move(0, moves % 2 === 0 ? 2 : 0);
    if (reply.kind === "refused") break;
    moves += 1;
  }
  assert.equal(moves, ITEM_IDS_PER_HOLD - 2);
  sold.cancel([0]);
  sold.cancel([1]);
  assert.equal(sold.refunds().length, ITEM_IDS_PER_HOLD);
  assert.equal(
    sold.refunds().reduce((sum, refund) => sum + refund, 0),
    2 * dearest,
  );
});

test("a seat that a cancelled ticket had of an allotment is not kept for the others", () => {
  const bench = new Sold([9]);
  bench.allot([5, 6]);
  const hold = { ...bench.bench.holdCommand([5, 6]), channel: "press" };
  bench.bench.run(hold);
  const bookingId = bench.bench.booked(hold.holdId);
  const of = { bookingId, userId: ALICE, asOrganizer: false, key: null };
  const [first, second] = [itemIdOf(hold.holdId, 0), itemIdOf(hold.holdId, 1)];
  bench.bench.run({ kind: "cancel", ...of, tickets: [first], reason: null });
  bench.allot([6]);
  const moved = bench.bench.run({ kind: "moveTicket", ...of, ticketId: second, seat: 5 });
  changeOf(moved, "ticket_moved");
  assert.equal(bench.bench.statuses(), "fffffsbffs");
  bench.bench.run({ kind: "cancel", ...of, tickets: null, reason: null });
  assert.equal(bench.bench.statuses(), "ffffffbffs");
});

test("tickets are cancelled one by one, and the same again changes nothing", () => {
  const sold = new Sold([0, 1, FLOOR]);
  const { tickets, booking } = changeOf(sold.cancel([0, 2]), "cancelled");
  assert.deepEqual(tickets, [0, 2]);
  assert.equal(booking.later?.status, "confirmed");
  assert.equal(sold.bench.statuses(), "fsffffffff");
  assert.equal(sold.bench.state.placesByUser.get(ALICE), 1);
  assert.equal(sold.cancel([0]).reply.kind, "booking");
  assert.deepEqual(changeOf(sold.cancel([0, 1]), "cancelled").tickets, [1]);
  assert.equal(sold.record.later?.status, "cancelled");
  assert.equal(sold.cancel(null).reply.kind, "booking");
  assert.deepEqual(refusalOf(sold.cancel([9])), { code: "ticket_not_found" });
});

test("buyers cancel before the last moment for it, organisers at any time", () => {
  const sold = new Sold([0, 1], false, { cancelUntilMs: NOON + 10 });
  sold.bench.nowMs = NOON + 9;
  changeOf(sold.cancel([0]), "cancelled");
  sold.bench.nowMs += 1;
  assert.deepEqual(refusalOf(sold.cancel([1])), {
    code: "cancellation_closed",
    closedAtMs: NOON + 10,
  });
  assert.equal(sold.cancel([0]).reply.kind, "booking");
  changeOf(sold.cancel([1], { asOrganizer: true, userId: BOB }), "cancelled");
});

test("a ticket lets somebody in once, until that is taken back", () => {
  const sold = new Sold([0, 1]);
  assert.deepEqual(refusalOf(sold.checkIn(0, true)), { code: "not_checked_in" });
  changeOf(sold.checkIn(0), "checked_in");
  assert.equal(fateOf(sold.record, 0).checkedInAtMs, NOON);
  sold.bench.nowMs += 5;
  assert.deepEqual(refusalOf(sold.checkIn(0)), { code: "already_checked_in", atMs: NOON });
  assert.equal(refusalOf(sold.cancel([0])).code, "already_checked_in");
  changeOf(sold.checkIn(0, true), "check_in_undone");
  changeOf(sold.checkIn(0), "checked_in");
  assert.equal(fateOf(sold.record, 0).checkedInAtMs, NOON + 5);
  const unknown = { kind: "checkIn", ticketCode: "x", by: CAROL, undo: false, key: null } as const;
  assert.deepEqual(refusalOf(sold.bench.run(unknown)), { code: "ticket_not_found" });
});

test("a ticket that was cancelled, or waits for money, lets nobody in", () => {
  const sold = new Sold([0, 1]);
  sold.cancel([0]);
  assert.deepEqual(refusalOf(sold.checkIn(0)), { code: "ticket_cancelled" });
  sold.cancel(null);
  assert.deepEqual(refusalOf(sold.checkIn(1)), { code: "booking_cancelled" });
  const bench = new EventBench();
  const pay = bench.payCommand(bench.held([0]));
  bench.run(pay);
  const [ticketCode = ""] = pay.ticketCodes;
  const entering = { kind: "checkIn", ticketCode, by: CAROL, undo: false, key: null } as const;
  assert.deepEqual(refusalOf(bench.run(entering)), { code: "booking_pending" });
});

test("a booking is handed over with its places and the use of its code", () => {
  const everything = { categories: null, fromMs: null, untilMs: null, usesMax: null };
  const promo = {
    ...everything,
    code: "ONCE",
    kind: "amount",
    value: 1,
    usesPerUserMax: 1,
  } as const;
  const bench = new EventBench({ perUserMax: 2, promoCodes: [promo] });
  const hold = { ...bench.holdCommand([0, 1]), promoCode: "ONCE" };
  factOf(bench.run(hold), "held");
  bench.held([4], BOB);
  const of = { bookingId: bench.booked(hold.holdId), asOrganizer: false, key: null };
  const to = { toUserId: BOB, email: "b@x.org" };
  const transfer = bench.drafts.transfer({ ...of, userId: ALICE, ...to });
  const { booking } = changeOf(bench.run(transfer), "transferred");
  assert.deepEqual([booking.userId, booking.email], [BOB, "b@x.org"]);
  // Whoever is given something may have more than they may buy.
  assert.equal(bench.state.placesByUser.get(BOB), 3);
  assert.equal(bench.state.promoUses.usesBy("ONCE", ALICE), 0);
  assert.equal(bench.state.promoUses.usesBy("ONCE", BOB), 1);
  assert.deepEqual(refusalOf(bench.run(transfer)), { code: "booking_not_found" });
  assert.equal(bench.run({ ...transfer, userId: BOB }).reply.kind, "booking");
  // To another address of his: it is his still, and printed tickets admit.
  const his = bench.drafts.transfer({ ...of, userId: BOB, toUserId: BOB, email: "bob@x.org" });
  const moved = changeOf(bench.run(his), "transferred").booking;
  assert.deepEqual([moved.email, moved.ticketCodes], ["bob@x.org", booking.ticketCodes]);
});

test("what somebody has entered with, or is cancelled, is not handed over", () => {
  const sold = new Sold([0, 1]);
  sold.checkIn(1);
  assert.deepEqual(refusalOf(sold.transfer()), { code: "already_checked_in", atMs: NOON });
  sold.cancel(null, { asOrganizer: true });
  assert.deepEqual(refusalOf(sold.transfer()), { code: "booking_cancelled" });
  assert.deepEqual(refusalOf(sold.transfer(BOB, BOB)), { code: "booking_not_found" });
});

test("a ticket that was used and then cancelled does not keep the others from their heir", () => {
  const sold = new Sold([0, 1]);
  sold.checkIn(0);
  changeOf(sold.cancel([0], { asOrganizer: true }), "cancelled");
  changeOf(sold.transfer(), "transferred");
  assert.equal(fateOf(sold.record, 0).checkedInAtMs, NOON);
  assert.deepEqual(changeOf(sold.checkIn(1), "checked_in").tickets, [1]);
});

test("who is given a booking has other codes for its tickets, and the old ones open nothing", () => {
  const sold = new Sold([0, 1, 2]);
  sold.cancel([1]);
  const { ticketCodes: old } = sold.record;
  // The doors have asked before: what they know of the codes is there already.
  sold.checkIn(0);
  sold.checkIn(0, true);
  const { booking, tickets } = changeOf(sold.transfer(), "transferred");
  assert.deepEqual(tickets, [0, 1, 2]);
  assert.equal(new Set([...old, ...booking.ticketCodes]).size, 6);
  for (const code of old) {
    assert.deepEqual(refusalOf(sold.enter(code)), { code: "ticket_not_found" });
    assert.deepEqual(refusalOf(sold.enter(code, true)), { code: "ticket_not_found" });
  }
  assert.deepEqual(changeOf(sold.checkIn(0), "checked_in").tickets, [0]);
  assert.deepEqual(refusalOf(sold.checkIn(1)), { code: "ticket_cancelled" });
  assert.deepEqual(changeOf(sold.checkIn(2), "checked_in").tickets, [2]);
});

test("the old codes open nothing, whether or not the doors have asked before", () => {
  const sold = new Sold([0]);
  const [old] = sold.record.ticketCodes;
  sold.transfer();
  assert.deepEqual(refusalOf(sold.enter(old)), { code: "ticket_not_found" });
  changeOf(sold.checkIn(0), "checked_in");
});

test("a booking that goes back to who had it has other codes again", () => {
  const sold = new Sold([0]);
  const codes = [sold.record.ticketCodes[0]];
  sold.checkIn(0);
  sold.checkIn(0, true);
  sold.transfer();
  codes.push(sold.record.ticketCodes[0]);
  sold.transfer(ALICE, BOB, "alice@example.org");
  for (const code of codes) assert.equal(refusalOf(sold.enter(code)).code, "ticket_not_found");
  changeOf(sold.checkIn(0), "checked_in");
});

test("handing a booking to who has it already changes no code", () => {
  const sold = new Sold([0]);
  const { ticketCodes } = changeOf(sold.transfer(), "transferred").booking;
  const { reply, facts } = sold.transfer(BOB, BOB);
  assert.ok(reply.kind === "booking" && facts.length === 0);
  assert.deepEqual(reply.booking.record.ticketCodes, ticketCodes);
  assert.deepEqual(sold.record.ticketCodes, ticketCodes);
});
