/** Facts as bytes, today's and those that an older program has written. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { apply } from "./apply.ts";
import { statusOf } from "./booking.ts";
import { withDefaults } from "./definition.ts";
import { EventState } from "./event-state.ts";
import { decodeFact, encodeFact } from "./fact-codec.ts";
import type { Fact } from "./facts.ts";
import { itemIdOf } from "./ids.ts";
import { placeOfArea } from "./place.ts";
import { snapshotOf } from "./snapshot.ts";
import { snapshotHash } from "./snapshot-comparison.ts";
import { ALICE, BOB, CAROL, definition, EventBench } from "./testing/fixtures.ts";

const FLOOR = placeOfArea(0);
const KEY = { digest: "d", fingerprint: "f" };

const again = (fact: Fact): Fact => decodeFact(structuredClone(encodeFact(fact)));

/** A run that has every kind of fact, under all the terms that there are. */
function everyFact(): EventBench {
  const promo = {
    code: "P",
    kind: "amount",
    value: 5,
    usesMax: null,
    usesPerUserMax: null,
  } as const;
  const bench = new EventBench({
    charges: { fees: [{ name: "fee", kind: "fixed", minor: 7 }], tax: null },
    promoCodes: [{ ...promo, categories: null, fromMs: null, untilMs: null }],
    seatMap: Uint8Array.from([]),
  });
  const places = { kind: "changePlaces", by: BOB, unblock: [], key: KEY } as const;
  const allotments = [{ channel: "press", seats: [3], areas: [{ area: 0, quantity: 2 }] }];
  bench.run({ ...places, block: [9], allotments, capacities: [] });
  bench.run({
    ...places,
    key: null,
    block: [],
    allotments: [],
    capacities: [{ area: 0, capacity: 6 }],
  });
  const wish = { quantity: 1, category: 0, zone: null, adjacent: true, accessible: false };
  const hold = { ...bench.holdCommand([3, FLOOR]), promoCode: "P", channel: "press", best: [wish] };
  bench.run(hold);
  bench.run({ kind: "extend", holdId: hold.holdId, userId: ALICE, key: { ...KEY, digest: "e" } });
  const drop = [itemIdOf(hold.holdId, 2)];
  bench.run({ kind: "changeHold", holdId: hold.holdId, userId: ALICE, add: [5], drop, key: null });
  const pay = bench.payCommand(hold.holdId);
  bench.run({ ...pay, email: "ann@example.org" });
  bench.run({ kind: "settlePayment", intentId: pay.intentId, outcome: "failed" });
  bench.run({ kind: "settlePayment", intentId: pay.intentId, outcome: "succeeded" });
  const by = { bookingId: pay.bookingId, userId: ALICE, asOrganizer: true, key: null };
  bench.run({ kind: "moveTicket", ...by, ticketId: itemIdOf(hold.holdId, 3), seat: 6 });
  const [ticketCode = ""] = pay.ticketCodes;
  bench.run({ kind: "checkIn", ticketCode, by: CAROL, undo: false, key: null });
  bench.run({ kind: "checkIn", ticketCode, by: CAROL, undo: true, key: null });
  bench.run(bench.drafts.transfer({ ...by, toUserId: BOB, email: "bob@example.org" }));
  bench.run({ kind: "cancel", ...by, tickets: [itemIdOf(hold.holdId, 1)], reason: "ill" });
  bench.run({ kind: "release", holdId: bench.held([0]), userId: ALICE });
  bench.run(bench.joinCommand(1, CAROL));
  bench.held([FLOOR], CAROL);
  bench.run({ ...bench.joinCommand(4, BOB), categories: [1], priority: 2 });
  bench.run({ kind: "leaveWaitlist", userId: BOB });
  bench.booked(bench.held([1]));
  bench.run({ kind: "configure", definition: { ...bench.definition, status: "cancelled" } });
  bench.windUp();
  return bench;
}

test("every fact is after a journey what it was before", () => {
  const { facts } = everyFact();
  const kinds = new Set(facts.map(({ kind }) => kind));
  assert.equal(kinds.size, 11, [...kinds].join(", "));
  for (const fact of facts) assert.deepEqual(again(fact), fact);
});

test("a replay of what was written is the state that wrote it", () => {
  const bench = everyFact();
  const replayed = new EventState();
  for (const fact of bench.facts) apply(replayed, again(fact));
  assert.deepEqual(snapshotOf(replayed), snapshotOf(bench.state));
  assert.equal(snapshotHash(snapshotOf(replayed)), snapshotHash(snapshotOf(bench.state)));
});

test("what is plain is written as it always was, without a field more", () => {
  const bench = new EventBench();
  const holdId = bench.held([0]);
  bench.run({ kind: "extend", holdId, userId: ALICE, key: null });
  bench.booked(holdId);
  bench.run({ kind: "release", holdId: bench.held([1]), userId: ALICE });
  const lengths = bench.facts.slice(1).map((fact) => encodeFact(fact).length);
  assert.deepEqual(lengths, [8, 8, 5, 8, 8]);
  const [, , , booked] = bench.facts;
  assert.ok(booked !== undefined);
  assert.deepEqual((encodeFact(booked)[4] as unknown[]).length, 8);
});

test("what an older program wrote is read as what it meant", () => {
  const { eventId, status, currency, salesOpenMs, salesCloseMs, ...rest } = definition();
  const { charges: _, promoCodes: __, churn: ___, cancelUntilMs: ____, ...older } = rest;
  const { paymentWindowMs: _____, seatMap: ______, ...oldest } = older;
  const stored = { eventId, status, currency, salesOpenMs, salesCloseMs, ...oldest };
  const holdId = "018f3c9a-7b10-7000-8000-0007a4b1c2d3";
  const bookingId = "018f3c9a-7b10-7001-8000-0007a4b1c2d3";
  const items = [0, 0, 4500, FLOOR, 1, 3000];
  const booking = [bookingId, holdId, ALICE, null, "CODE", items, ["t0", "t1"], 12];
  const written = [
    [1, 1, 10, null, stored],
    [2, 2, 11, ["d", "f"], holdId, ALICE, items, 1_000],
    [3, 3, 11, null, holdId, ALICE, items, 2_000],
    [5, 4, 12, null, booking],
    [6, 5, 13, null, booking, BOB, "ill"],
  ];
  const state = new EventState();
  for (const row of written) apply(state, decodeFact(row));
  assert.deepEqual(state.definition, withDefaults(stored));
  const known = state.bookings.all()[0];
  assert.ok(known !== undefined);
  assert.equal(statusOf(known.record), "cancelled");
  assert.deepEqual(known.record.later?.cancelled, { atMs: 13, by: BOB, reason: "ill" });
  assert.equal(state.inventory?.free, 15);
  assert.equal(state.placesByUser.size, 0);
  const fact = decodeFact(written[4]);
  assert.ok(fact.kind === "bookingChanged" && fact.change === "cancelled");
  assert.deepEqual(fact.tickets, [0, 1]);
  assert.deepEqual(again(fact), fact);
});

test("the end of a hold keeps its reason", () => {
  const bench = new EventBench();
  const holdId = bench.held([0]);
  for (const [number, reason] of ["released", "expired", "cancelled"].entries()) {
    const fact = decodeFact([4, 3, 5, null, number, holdId, ALICE, [0, 0, 4500]]);
    assert.ok(fact.kind === "holdEnded" && fact.terms === null && fact.ordinals === null);
    assert.equal(fact.reason, reason);
  }
  assert.throws(() => decodeFact([99, 3, 5, null]), /newer version/);
});
