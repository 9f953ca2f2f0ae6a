import assert from "node:assert/strict";
import { test } from "node:test";
import type { Fact } from "../../engine/facts.ts";
import { type BookingId, type EventId, type HoldId, itemIdOf } from "../../engine/ids.ts";
import { ALICE, EVENT_ID, NOON } from "../../engine/testing/fixtures.ts";
import { ProblemError } from "../http/problem.ts";
import type { Answered } from "../shard-router.ts";
import { CUSTOMER, codeOf, deskWith, GUEST, request, SHARD, settle } from "./testing/desk-bench.ts";
import { eventEntry } from "./testing/event-entry.ts";

const HOLD_ID = "0197f3c9-7b10-7001-8aaa-aa07a4b1c2d3" as HoldId;
const BOOKING_ID = "0197f3c9-7b10-7005-8aaa-aa07a4b1c2d3" as BookingId;
const OTHER_EVENT = "018f3c9a-7b10-7000-8000-0007a4b1c2d4" as EventId;
const seat = (id: string) => ({ items: [{ seat: id }] });
const booking = (changes: object = {}) => ({
  holdId: HOLD_ID,
  payment: { provider: "none" },
  ...changes,
});
const ITEMS = [{ place: 2, category: 0, priceMinor: 4500, charge: null }];
const HELD: Fact = {
  kind: "held",
  seq: 9,
  atMs: NOON,
  key: null,
  holdId: HOLD_ID,
  userId: ALICE,
  items: ITEMS,
  ordinals: null,
  terms: null,
  expiresAtMs: NOON + 600_000,
};
const ENDED: Fact = {
  kind: "holdEnded",
  seq: 10,
  atMs: NOON,
  key: null,
  reason: "released",
  holdId: HOLD_ID,
  userId: ALICE,
  items: ITEMS,
  ordinals: null,
  terms: null,
};
const BOOKED: Fact = {
  kind: "booked",
  seq: 10,
  atMs: NOON,
  key: null,
  booking: {
    bookingId: BOOKING_ID,
    holdId: HOLD_ID,
    userId: ALICE,
    email: "a@example.org",
    code: "CODE",
    items: ITEMS,
    ordinals: null,
    ticketCodes: ["T1"],
    bookedAtMs: NOON,
    terms: null,
    later: null,
  },
};
const done = (fact: Fact, replayed = false): Answered => ({ kind: "done", fact, replayed });

test("a hold becomes a command with places, and its fact the contract's answer", async () => {
  const at = deskWith();
  const ask = request(seat("A-3"));
  const result = await settle(at, (s) => at.desk.holds.hold(EVENT_ID, ask, s), done(HELD));
  const command = at.commands[0]?.operation;
  assert.ok(command?.kind === "hold");
  assert.deepEqual([command.places, command.userId, command.key], [[2], ALICE, null]);
  assert.ok(command.holdId.endsWith(EVENT_ID.slice(-10)), "the id knows its event");
  assert.ok(result.kind === "ok" && typeof result.body === "string");
  assert.deepEqual([result.status, result.replayed], [201, false]);
  assert.deepEqual(JSON.parse(result.body), {
    id: HOLD_ID,
    eventId: EVENT_ID,
    items: [{ id: itemIdOf(HOLD_ID, 0), seat: "A-3", category: "stalls", price: 4500 }],
    total: { amount: 4500, currency: "EUR" },
    expiresAt: new Date(NOON + 600_000).toISOString(),
    status: "active",
    seq: 9,
  });
});

test("a booking carries fresh codes for every place an order may have", async () => {
  const at = deskWith();
  const ask = request(booking({ email: "a@example.org" }));
  const result = await settle(at, (s) => at.desk.orders.book(EVENT_ID, ask, s), done(BOOKED));
  const command = at.commands[0]?.operation;
  assert.ok(command?.kind === "book");
  assert.equal(new Set(command.ticketCodes).size, 4);
  assert.equal(command.invoiceAllowed, true);
  assert.ok(result.kind === "ok" && result.status === 201);
  assert.deepEqual(at.notes, [[ALICE, SHARD, 77]], "the buyer's next read waits for this");
  const { tickets, status, code } = JSON.parse(String(result.body));
  assert.deepEqual([status, code], ["confirmed", "CODE"]);
  assert.deepEqual(tickets, [
    {
      id: itemIdOf(HOLD_ID, 0),
      code: "T1",
      seat: "A-3",
      category: "stalls",
      price: 4500,
      status: "valid",
    },
  ]);
});

test("a replayed outcome says so", async () => {
  const at = deskWith();
  const ask = request(seat("A-3"), CUSTOMER, "key");
  const result = await settle(at, (s) => at.desk.holds.hold(EVENT_ID, ask, s), done(HELD, true));
  assert.ok(result.kind === "ok" && result.replayed);
  const command = at.commands[0]?.operation;
  assert.ok(command?.kind === "hold" && command.key !== null);
});

test("an event that is not at hand is looked up, and then asked", async () => {
  const at = deskWith({ isAtHand: false });
  const ask = request(seat("A-3"));
  const result = await settle(at, (s) => at.desk.holds.hold(EVENT_ID, ask, s), done(HELD));
  assert.equal(codeOf(result), "201");
});

test("events that do not exist, and drafts, are not found by whatever leads to them", async () => {
  for (const at of [
    deskWith({ event: null }),
    deskWith({ event: null, isAtHand: false }),
    deskWith({ event: eventEntry({ status: "draft" }) }),
  ]) {
    const codes = [
      await settle(at, (s) => at.desk.holds.hold(EVENT_ID, request(seat("A-3")), s)),
      await settle(at, (s) => at.desk.orders.book(EVENT_ID, request(booking()), s)),
      await settle(at, (s) => at.desk.holds.find(HOLD_ID, CUSTOMER, s)),
      await settle(at, (s) => at.desk.holds.release(HOLD_ID, CUSTOMER, s)),
      await settle(at, (s) => at.desk.holds.extend(HOLD_ID, request(undefined), s)),
      await settle(at, (s) => at.desk.orders.cancel(BOOKING_ID, request(undefined), s)),
    ].map(codeOf);
    const [event, hold, cancelled] = ["event_not_found", "hold_not_found", "booking_not_found"];
    assert.deepEqual(codes, [event, event, hold, hold, hold, cancelled]);
    assert.equal(at.commands.length, 0);
  }
});

test("ids that are none are not found", async () => {
  const at = deskWith();
  for (const id of ["", "x", "../..", HOLD_ID.toUpperCase(), "0".repeat(36)]) {
    const held = await settle(at, (s) => at.desk.holds.find(id, CUSTOMER, s));
    assert.equal(codeOf(held), "hold_not_found", id);
    const cancelled = await settle(at, (s) => at.desk.orders.cancel(id, request(undefined), s));
    assert.equal(codeOf(cancelled), "booking_not_found", id);
  }
  const unknown = await settle(at, (s) => at.desk.holds.hold(OTHER_EVENT, request(seat("A-3")), s));
  assert.equal(codeOf(unknown), "event_not_found");
});

test("a hold of another event is not found by this event's bookings", async () => {
  const at = deskWith();
  const foreign = `${HOLD_ID.slice(0, -1)}4`;
  const ask = request(booking({ holdId: foreign }));
  assert.equal(
    codeOf(await settle(at, (s) => at.desk.orders.book(EVENT_ID, ask, s))),
    "hold_not_found",
  );
});

test("a database out of reach is answered busy, once, and logged", async () => {
  const at = deskWith({ isAtHand: false, failure: new Error("connection lost") });
  const result = await settle(at, (s) => at.desk.holds.hold(EVENT_ID, request(seat("A-3")), s));
  assert.equal(codeOf(result), "busy");
  assert.equal(at.errors.length, 1);
});

test("a guest books with an email address, a customer without", async () => {
  const at = deskWith();
  const guest = await settle(at, (s) =>
    at.desk.orders.book(EVENT_ID, request(booking(), GUEST), s),
  );
  assert.equal(codeOf(guest), "validation_failed");
  const ask = request(booking());
  assert.equal(
    codeOf(await settle(at, (s) => at.desk.orders.book(EVENT_ID, ask, s), done(BOOKED))),
    "201",
  );
});

test("other payment providers, wrong emails and wrong hold ids are refused by their path", async () => {
  const at = deskWith();
  for (const [changes, path] of [
    [{ payment: { provider: "sandbox" } }, "payment.provider"],
    [{ payment: 7 }, "payment"],
    [{ email: "nobody" }, "email"],
    [{ holdId: "x" }, "holdId"],
  ] as const) {
    const ask = request(booking(changes));
    const result = await settle(at, (s) => at.desk.orders.book(EVENT_ID, ask, s));
    assert.ok(result.kind === "problem" && result.code === "validation_failed");
    const { errors } = result.members as { errors: { path: string }[] };
    assert.deepEqual(
      errors.map((error) => error.path),
      [path],
    );
  }
});

test("a key that is none is refused before anything is asked", async () => {
  const at = deskWith();
  const ask = request(seat("A-3"), CUSTOMER, "ä");
  const result = await settle(at, (s) => at.desk.holds.hold(EVENT_ID, ask, s));
  assert.equal(codeOf(result), "validation_failed");
  assert.equal(at.commands.length, 0);
});

test("an answer that never came is a timeout, a contained bug internal", async () => {
  const ask = request(seat("A-3"));
  for (const [kind, code] of [
    ["timeout", "timeout"],
    ["failed", "internal"],
  ] as const) {
    const at = deskWith();
    const result = await settle(at, (s) => at.desk.holds.hold(EVENT_ID, ask, s), { kind });
    assert.equal(codeOf(result), code);
  }
});

test("releasing answers 204 without a body, and again", async () => {
  for (const answer of [done(ENDED), { kind: "unchanged" } as const]) {
    const at = deskWith();
    const result = await settle(at, (s) => at.desk.holds.release(HOLD_ID, CUSTOMER, s), answer);
    assert.ok(result.kind === "ok" && result.body === null);
  }
});

test("a look-up that is told to wait is busy, which is nothing to log", async () => {
  const at = deskWith({ isAtHand: false, failure: new ProblemError("busy") });
  const ask = request(seat("A-1"));
  const result = await settle(at, (s) => at.desk.holds.hold(EVENT_ID, ask, s));
  assert.equal(codeOf(result), "busy");
  assert.deepEqual(at.errors, []);
});
