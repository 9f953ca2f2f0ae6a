import assert from "node:assert/strict";
import { test } from "node:test";
import type { BookingId, HoldId } from "./ids.ts";
import { placeOfArea } from "./place.ts";
import { ALICE, BOB, definition, EventBench, NOON } from "./testing/fixtures.ts";
import { refusalOf as refusal } from "./testing/replies.ts";

const FLOOR = placeOfArea(0);
const NOBODYS_HOLD = "018f3c9a-7b10-7000-8000-0007a4b1c2d3" as HoldId;

test("an event that nobody configured is not found", () => {
  const bench = new EventBench(null);
  assert.deepEqual(refusal(bench.hold([0])), { code: "event_not_found" });
});

test("a hold takes seats and units of an area in one step, at the prices of now", () => {
  const bench = new EventBench();
  const { reply } = bench.hold([0, 8, FLOOR, FLOOR]);
  assert.ok(reply.kind === "done" && reply.fact.kind === "held");
  assert.deepEqual(
    reply.fact.items.map((item) => [item.place, item.category, item.priceMinor]),
    [
      [0, 0, 4500],
      [8, 1, 3000],
      [FLOOR, 1, 3000],
      [FLOOR, 1, 3000],
    ],
  );
  assert.equal(reply.fact.expiresAtMs, NOON + 600_000);
  assert.equal(reply.fact.seq, 2);
  assert.equal(bench.statuses(), "hfffffffhf");
  assert.deepEqual(bench.state.inventory?.area(0), {
    capacity: 5,
    free: 3,
    held: 2,
    sold: 0,
    blocked: 0,
  });
});

test("a hold takes all of its places or none, and names the seats that are gone", () => {
  const bench = new EventBench();
  bench.held([2, 3]);
  assert.deepEqual(refusal(bench.hold([1, 2, 3], BOB)), {
    code: "seat_unavailable",
    seats: [2, 3],
  });
  assert.equal(bench.statuses(), "ffhhffffff");
});

test("a seat that is asked for twice in one hold is refused", () => {
  const bench = new EventBench();
  assert.deepEqual(refusal(bench.hold([1, 1])), { code: "seat_unavailable", seats: [1] });
});

test("an area gives no more than it has", () => {
  const bench = new EventBench();
  bench.held([FLOOR, FLOOR, FLOOR], BOB);
  const refused = refusal(bench.hold([FLOOR, FLOOR, FLOOR]));
  assert.deepEqual(refused, { code: "insufficient_capacity", area: 0, available: 2 });
});

test("places that do not exist are refused", () => {
  const bench = new EventBench();
  const refused = refusal(bench.hold([10, placeOfArea(1)]));
  assert.deepEqual(refused, { code: "unknown_place", places: [10, placeOfArea(1)] });
});

test("an order has a limit, and so has a buyer; what goes back counts no more", () => {
  const bench = new EventBench();
  const order = refusal(bench.hold([0, 1, 2, 3, 4]));
  assert.deepEqual(order, { code: "limit_exceeded", scope: "perOrder", limit: 4, current: 5 });
  const first = bench.held([0, 1, 2, 3]);
  const buyer = refusal(bench.hold([4, 5, 6]));
  assert.deepEqual(buyer, { code: "limit_exceeded", scope: "perUser", limit: 6, current: 4 });
  bench.run({ kind: "release", holdId: first, userId: ALICE });
  bench.held([4, 5, 6]);
});

test("tickets count towards the buyer's limit until they are cancelled", () => {
  const bench = new EventBench();
  const bookingId = bench.booked(bench.held([0, 1, 2, 3]));
  assert.equal(refusal(bench.hold([4, 5, 6])).code, "limit_exceeded");
  const cancel = {
    kind: "cancel",
    tickets: null,
    bookingId,
    userId: ALICE,
    asOrganizer: false,
  } as const;
  bench.run({ ...cancel, reason: null, key: null });
  bench.held([4, 5, 6]);
});

test("sales open and close at their instants", () => {
  const bench = new EventBench({ salesOpenMs: NOON + 10, salesCloseMs: NOON + 20 });
  const early = refusal(bench.hold([0]));
  assert.deepEqual(early, { code: "sales_not_open", opensAtMs: NOON + 10 });
  bench.nowMs = NOON + 10;
  bench.held([0]);
  bench.nowMs = NOON + 19;
  const last = bench.held([1]);
  bench.nowMs = NOON + 20;
  assert.deepEqual(refusal(bench.hold([2])), { code: "sales_closed" });
  bench.booked(last);
});

test("a cancelled event sells nothing, not even what is held", () => {
  const bench = new EventBench();
  const holdId = bench.held([0]);
  bench.run({ kind: "configure", definition: definition({ status: "cancelled" }) });
  assert.deepEqual(refusal(bench.hold([1])), { code: "event_cancelled" });
  assert.deepEqual(refusal(bench.run(bench.bookCommand(holdId))), { code: "event_cancelled" });
});

test("a configuration may not change the places of an event", () => {
  const bench = new EventBench();
  const fewer = definition({ seatCategories: Uint8Array.from([0]) });
  const refused = refusal(bench.run({ kind: "configure", definition: fewer }));
  assert.deepEqual(refused, { code: "inventory_fixed" });
});

test("a hold ends at its instant: not a millisecond before, and for everyone at once", () => {
  const bench = new EventBench();
  const holdId = bench.held([0]);
  bench.nowMs += 599_999;
  assert.equal(refusal(bench.hold([0], BOB)).code, "seat_unavailable");
  bench.nowMs += 1;
  bench.held([0], BOB);
  assert.deepEqual(refusal(bench.run(bench.bookCommand(holdId))), { code: "hold_expired" });
  const end = bench.facts.find((fact) => fact.kind === "holdEnded");
  assert.equal(end?.reason, "expired");
});

test("a hold is extended once, by its time once more", () => {
  const bench = new EventBench();
  const holdId = bench.held([0]);
  const extend = { kind: "extend", holdId, userId: ALICE, key: null } as const;
  const { reply } = bench.run(extend);
  assert.ok(reply.kind === "done" && reply.fact.kind === "extended");
  assert.equal(reply.fact.expiresAtMs, NOON + 1_200_000);
  assert.deepEqual(refusal(bench.run(extend)), { code: "hold_not_extendable" });
  bench.nowMs = NOON + 1_199_999;
  bench.expire();
  assert.equal(bench.state.holds.count, 1, "the old instant has no effect");
  bench.nowMs += 1;
  bench.expire();
  assert.equal(bench.state.holds.count, 0);
});

test("releasing is repeatable and returns the places once", () => {
  const bench = new EventBench();
  const holdId = bench.held([0, FLOOR]);
  const release = { kind: "release", holdId, userId: ALICE } as const;
  assert.equal(bench.run(release).facts.length, 1);
  const again = bench.run(release);
  assert.deepEqual(again, { facts: [], reply: { kind: "unchanged" } });
  assert.equal(bench.state.inventory?.free, 15);
});

test("another buyer's hold does not exist", () => {
  const bench = new EventBench();
  const holdId = bench.held([0]);
  const notFound = { code: "hold_not_found" };
  assert.deepEqual(refusal(bench.run({ kind: "release", holdId, userId: BOB })), notFound);
  assert.deepEqual(refusal(bench.run(bench.bookCommand(holdId, BOB))), notFound);
  assert.deepEqual(refusal(bench.run(bench.bookCommand(NOBODYS_HOLD))), notFound);
  bench.run({ kind: "release", holdId, userId: ALICE });
  assert.deepEqual(refusal(bench.run({ kind: "release", holdId, userId: BOB })), notFound);
});

test("a booking sells the hold's places once", () => {
  const bench = new EventBench();
  const holdId = bench.held([0, FLOOR]);
  const bookingId = bench.booked(holdId);
  assert.equal(bench.statuses(), "sfffffffff");
  assert.equal(bench.state.inventory?.sold, 2);
  const again = refusal(bench.run(bench.bookCommand(holdId)));
  assert.deepEqual(again, { code: "hold_booked", bookingId });
});

test("what costs money is not booked unpaid, unless the organisation sends invoices", () => {
  const bench = new EventBench();
  const holdId = bench.held([0]);
  const unpaid = { ...bench.bookCommand(holdId), invoiceAllowed: false };
  assert.deepEqual(refusal(bench.run(unpaid)), { code: "payment_required" });
  const free = new EventBench({
    categories: [0, 0].map((p, n) => ({ key: `${n}`, priceMinor: p })),
  });
  const command = { ...free.bookCommand(free.held([0])), invoiceAllowed: false };
  assert.equal(free.run(command).reply.kind, "done");
});

test("cancelling returns the places, and answers the same when repeated", () => {
  const bench = new EventBench();
  const bookingId = bench.booked(bench.held([0, FLOOR]));
  const cancel = {
    kind: "cancel",
    tickets: null,
    bookingId,
    asOrganizer: false,
    reason: "ill",
    key: null,
  } as const;
  assert.deepEqual(refusal(bench.run({ ...cancel, userId: BOB })), { code: "booking_not_found" });
  const first = bench.run({ ...cancel, userId: ALICE });
  const second = bench.run({ ...cancel, userId: ALICE, reason: "another" });
  assert.ok(first.reply.kind === "done" && first.reply.fact.kind === "bookingChanged");
  const booking = { record: first.reply.fact.booking, seq: 3 };
  assert.deepEqual(second, { facts: [], reply: { kind: "booking", booking } });
  assert.equal(bench.state.inventory?.free, 15);
});

test("an organiser may cancel what is not theirs", () => {
  const bench = new EventBench();
  const bookingId = bench.booked(bench.held([0]));
  const asOrganizer = true;
  const decision = bench.run({
    kind: "cancel",
    tickets: null,
    bookingId,
    userId: BOB,
    asOrganizer,
    reason: null,
    key: null,
  });
  assert.equal(decision.reply.kind, "done");
  const unknown = "018f3c9a-7b10-7000-8000-0007a4b1c2d4" as BookingId;
  const cancel = {
    kind: "cancel",
    tickets: null,
    bookingId: unknown,
    userId: BOB,
    asOrganizer,
  } as const;
  const refused = refusal(bench.run({ ...cancel, reason: null, key: null }));
  assert.deepEqual(refused, { code: "booking_not_found" });
});

test("the same key finds the first outcome; with another request it is refused", () => {
  const bench = new EventBench();
  const key = { digest: "k", fingerprint: "a" };
  const first = bench.hold([0], ALICE, key);
  assert.ok(first.reply.kind === "done");
  const again = bench.hold([0], ALICE, key);
  assert.deepEqual(again, { facts: [], reply: { kind: "replay", seq: 2 } });
  const other = bench.hold([1], ALICE, { digest: "k", fingerprint: "b" });
  assert.deepEqual(refusal(other), { code: "idempotency_key_reused" });
});

test("a refused request may be tried again under its key", () => {
  const bench = new EventBench();
  const key = { digest: "k", fingerprint: "a" };
  const theirs = bench.held([0], BOB);
  assert.equal(refusal(bench.hold([0], ALICE, key)).code, "seat_unavailable");
  bench.run({ kind: "release", holdId: theirs, userId: BOB });
  assert.equal(bench.hold([0], ALICE, key).reply.kind, "done");
});

test("keys are forgotten after their time, not before", () => {
  const bench = new EventBench({ holdTtlMs: 1_000 });
  const key = { digest: "k", fingerprint: "a" };
  bench.hold([0], ALICE, key);
  bench.nowMs += 25 * 3_600_000;
  bench.held([1]);
  assert.equal(bench.hold([0], ALICE, key).reply.kind, "replay");
  bench.nowMs += 1;
  bench.hold([2], ALICE, { digest: "later", fingerprint: "a" });
  assert.equal(bench.hold([0], ALICE, key).reply.kind, "done");
});

test("a key whose time is over is new again, though nothing made room for it", () => {
  const bench = new EventBench({ holdTtlMs: 1_000 });
  const key = { digest: "k", fingerprint: "a" };
  bench.hold([0], ALICE, key);
  bench.nowMs += 25 * 3_600_000 + 1;
  assert.equal(bench.hold([0], ALICE, { ...key, fingerprint: "b" }).reply.kind, "done");
  assert.equal(bench.hold([1], ALICE, { ...key, fingerprint: "b" }).reply.kind, "replay");
});
