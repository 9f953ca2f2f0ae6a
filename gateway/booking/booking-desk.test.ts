import assert from "node:assert/strict";
import { test } from "node:test";
import type { Fact } from "../../engine/facts.ts";
import { type BookingId, type EventId, type HoldId, itemIdOf } from "../../engine/ids.ts";
import { ALICE, BOB, EVENT_ID, NOON } from "../../engine/testing/fixtures.ts";
import type { Operation } from "../../workers/shard-messages.ts";
import type { EventEntry } from "../catalogue/event-directory.ts";
import { ProblemError } from "../http/problem.ts";
import type { Identity } from "../identity/tokens.ts";
import type { Answered, Done } from "../shard-router.ts";
import { BookingDesk } from "./booking-desk.ts";
import type { DeskResult, Settle } from "./desk-result.ts";
import { eventEntry } from "./testing/event-entry.ts";

const HOLD_ID = "0197f3c9-7b10-7001-8aaa-aa07a4b1c2d3" as HoldId;
const BOOKING_ID = "0197f3c9-7b10-7005-8aaa-aa07a4b1c2d3" as BookingId;
const OTHER_EVENT = "018f3c9a-7b10-7000-8000-0007a4b1c2d4" as EventId;
const CUSTOMER: Identity = { userId: ALICE, role: "customer" };
const GUEST: Identity = { userId: BOB, role: "guest" };
const SHARD = 5;

interface DeskOptions {
  readonly event?: EventEntry | null;
  /** False: the event must be looked up. */
  readonly isAtHand?: boolean;
  readonly failure?: Error;
}

/** A desk with one event; `commands` has what reached the actor. */
function deskWith({ event = eventEntry(), isAtHand = true, failure }: DeskOptions = {}) {
  const commands: { operation: Operation; done: Done }[] = [];
  const notes: unknown[][] = [];
  const errors: string[] = [];
  const find = async (): Promise<EventEntry | null> => {
    if (failure !== undefined) throw failure;
    return event;
  };
  const known = (isAtHand ? event : null) ?? undefined;
  const desk = new BookingDesk({
    router: {
      execute: (_eventId, operation, done) => commands.push({ operation, done }),
      shardOf: () => SHARD,
      refusesHolds: () => false,
      refusesAllHolds: () => false,
    },
    directory: {
      peek: (eventId) => (eventId === EVENT_ID ? known : undefined),
      peekByTag: (tag) => (EVENT_ID.endsWith(tag) ? known : undefined),
      get: (eventId) => (eventId === EVENT_ID ? find() : Promise.resolve(null)),
      getByTag: (tag) => (EVENT_ID.endsWith(tag) ? find() : Promise.resolve(null)),
    },
    recentWrites: { note: (...noted) => notes.push(noted) },
    isOrganizer: async (identity) => identity.role === "admin",
    logError: (message) => errors.push(message),
    nodeBits: 3,
  });
  return { desk, commands, notes, errors };
}

/** Runs one request to its result, answering its command; a second result throws. */
async function settle(
  { commands }: ReturnType<typeof deskWith>,
  run: (settle: Settle) => void,
  answer?: Answered,
): Promise<DeskResult> {
  const results: DeskResult[] = [];
  run((result) => results.push(result));
  await new Promise((resolve) => setImmediate(resolve));
  if (answer !== undefined) commands[0]?.done(answer, 77);
  const [result, ...others] = results;
  assert.ok(result !== undefined && others.length === 0, `${results.length} results`);
  return result;
}

const request = (body: unknown, identity = CUSTOMER, idempotencyKey = "") => ({
  identity,
  body,
  idempotencyKey,
});
const codeOf = (result: DeskResult): string =>
  result.kind === "problem" ? result.code : String(result.status);
const seat = (id: string) => ({ items: [{ seat: id }] });
const booking = (changes: object = {}) => ({
  holdId: HOLD_ID,
  payment: { provider: "none" },
  ...changes,
});
const ITEMS = [{ place: 2, category: 0, priceMinor: 4500 }];
const HELD: Fact = {
  kind: "held",
  seq: 9,
  atMs: NOON,
  key: null,
  holdId: HOLD_ID,
  userId: ALICE,
  items: ITEMS,
  expiresAtMs: NOON + 600_000,
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
    ticketCodes: ["T1"],
    bookedAtMs: NOON,
  },
};
const done = (fact: Fact, replayed = false): Answered => ({ kind: "done", fact, replayed });

test("a hold becomes a command with places, and its fact the contract's answer", async () => {
  const at = deskWith();
  const ask = request(seat("A-3"));
  const result = await settle(at, (s) => at.desk.hold(EVENT_ID, ask, s), done(HELD));
  const command = at.commands[0]?.operation;
  assert.ok(command?.kind === "hold");
  assert.deepEqual([command.places, command.userId, command.key], [[2], ALICE, null]);
  assert.ok(command.holdId.endsWith(EVENT_ID.slice(-10)), "the id knows its event");
  assert.deepEqual(result, {
    kind: "ok",
    status: 201,
    replayed: false,
    body: {
      id: HOLD_ID,
      eventId: EVENT_ID,
      items: [{ id: itemIdOf(HOLD_ID, 0), seat: "A-3", category: "stalls", price: 4500 }],
      total: { amount: 4500, currency: "EUR" },
      expiresAt: new Date(NOON + 600_000).toISOString(),
      status: "active",
      seq: 9,
    },
  });
});

test("a booking carries fresh codes for every place an order may have", async () => {
  const at = deskWith();
  const ask = request(booking({ email: "a@example.org" }));
  const result = await settle(at, (s) => at.desk.book(EVENT_ID, ask, s), done(BOOKED));
  const command = at.commands[0]?.operation;
  assert.ok(command?.kind === "book");
  assert.equal(new Set(command.ticketCodes).size, 4);
  assert.equal(command.invoiceAllowed, true);
  assert.ok(result.kind === "ok" && result.status === 201);
  assert.deepEqual(at.notes, [[ALICE, SHARD, 77]], "the buyer's next read waits for this");
  const { tickets, status, code } = result.body as {
    tickets: object[];
    status: string;
    code: string;
  };
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
  const result = await settle(at, (s) => at.desk.hold(EVENT_ID, ask, s), done(HELD, true));
  assert.ok(result.kind === "ok" && result.replayed);
  const command = at.commands[0]?.operation;
  assert.ok(command?.kind === "hold" && command.key !== null);
});

test("an event that is not at hand is looked up, and then asked", async () => {
  const at = deskWith({ isAtHand: false });
  const ask = request(seat("A-3"));
  const result = await settle(at, (s) => at.desk.hold(EVENT_ID, ask, s), done(HELD));
  assert.equal(codeOf(result), "201");
});

test("events that do not exist, and drafts, are not found by whatever leads to them", async () => {
  for (const at of [
    deskWith({ event: null }),
    deskWith({ event: null, isAtHand: false }),
    deskWith({ event: eventEntry({ status: "draft" }) }),
  ]) {
    const codes = [
      await settle(at, (s) => at.desk.hold(EVENT_ID, request(seat("A-3")), s)),
      await settle(at, (s) => at.desk.book(EVENT_ID, request(booking()), s)),
      await settle(at, (s) => at.desk.getHold(HOLD_ID, CUSTOMER, s)),
      await settle(at, (s) => at.desk.release(HOLD_ID, CUSTOMER, s)),
      await settle(at, (s) => at.desk.extend(HOLD_ID, request(undefined), s)),
      await settle(at, (s) => at.desk.cancel(BOOKING_ID, request(undefined), s)),
    ].map(codeOf);
    const [event, hold, cancelled] = ["event_not_found", "hold_not_found", "booking_not_found"];
    assert.deepEqual(codes, [event, event, hold, hold, hold, cancelled]);
    assert.equal(at.commands.length, 0);
  }
});

test("ids that are none are not found", async () => {
  const at = deskWith();
  for (const id of ["", "x", "../..", HOLD_ID.toUpperCase(), "0".repeat(36)]) {
    const held = await settle(at, (s) => at.desk.getHold(id, CUSTOMER, s));
    assert.equal(codeOf(held), "hold_not_found", id);
    const cancelled = await settle(at, (s) => at.desk.cancel(id, request(undefined), s));
    assert.equal(codeOf(cancelled), "booking_not_found", id);
  }
  const unknown = await settle(at, (s) => at.desk.hold(OTHER_EVENT, request(seat("A-3")), s));
  assert.equal(codeOf(unknown), "event_not_found");
});

test("a hold of another event is not found by this event's bookings", async () => {
  const at = deskWith();
  const foreign = `${HOLD_ID.slice(0, -1)}4`;
  const ask = request(booking({ holdId: foreign }));
  assert.equal(codeOf(await settle(at, (s) => at.desk.book(EVENT_ID, ask, s))), "hold_not_found");
});

test("a database out of reach is answered busy, once, and logged", async () => {
  const at = deskWith({ isAtHand: false, failure: new Error("connection lost") });
  const result = await settle(at, (s) => at.desk.hold(EVENT_ID, request(seat("A-3")), s));
  assert.equal(codeOf(result), "busy");
  assert.equal(at.errors.length, 1);
});

test("a guest books with an email address, a customer without", async () => {
  const at = deskWith();
  const guest = await settle(at, (s) => at.desk.book(EVENT_ID, request(booking(), GUEST), s));
  assert.equal(codeOf(guest), "validation_failed");
  const ask = request(booking());
  assert.equal(
    codeOf(await settle(at, (s) => at.desk.book(EVENT_ID, ask, s), done(BOOKED))),
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
    const result = await settle(at, (s) => at.desk.book(EVENT_ID, ask, s));
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
  const result = await settle(at, (s) => at.desk.hold(EVENT_ID, ask, s));
  assert.equal(codeOf(result), "validation_failed");
  assert.equal(at.commands.length, 0);
});

test("refusals speak of names, not of indexes", async () => {
  const ask = request(seat("A-3"));
  const refused = async (refusal: Extract<Answered, { kind: "refused" }>["refusal"]) => {
    const at = deskWith();
    const answer: Answered = { kind: "refused", refusal };
    const result = await settle(at, (s) => at.desk.hold(EVENT_ID, ask, s), answer);
    assert.ok(result.kind === "problem");
    return [result.code, result.members];
  };
  assert.deepEqual(await refused({ code: "seat_unavailable", seats: [2, 9] }), [
    "seat_unavailable",
    { seats: ["A-3", "A-10"] },
  ]);
  assert.deepEqual(await refused({ code: "insufficient_capacity", area: 0, available: 1 }), [
    "insufficient_capacity",
    { area: "floor", available: 1 },
  ]);
  assert.deepEqual(await refused({ code: "sales_not_open", opensAtMs: NOON }), [
    "sales_not_open",
    { opensAt: new Date(NOON).toISOString() },
  ]);
});

test("an answer that never came is a timeout, a contained bug internal", async () => {
  const ask = request(seat("A-3"));
  for (const [kind, code] of [
    ["timeout", "timeout"],
    ["failed", "internal"],
  ] as const) {
    const at = deskWith();
    const result = await settle(at, (s) => at.desk.hold(EVENT_ID, ask, s), { kind });
    assert.equal(codeOf(result), code);
  }
});

test("releasing answers 204 without a body, and again", async () => {
  for (const answer of [
    done({ ...HELD, kind: "holdEnded", reason: "released" }),
    { kind: "unchanged" } as const,
  ]) {
    const at = deskWith();
    const result = await settle(at, (s) => at.desk.release(HOLD_ID, CUSTOMER, s), answer);
    assert.ok(result.kind === "ok" && result.body === null);
  }
});

test("a booking is cancelled whole, and the answer shows when and why", async () => {
  const at = deskWith();
  const part = request({ ticketIds: [] });
  const refused = await settle(at, (s) => at.desk.cancel(BOOKING_ID, part, s));
  assert.equal(codeOf(refused), "validation_failed");
  assert.ok(BOOKED.kind === "booked");
  const fact: Fact = {
    kind: "cancelled",
    seq: 11,
    atMs: NOON + 1,
    key: null,
    booking: BOOKED.booking,
    cancelledBy: ALICE,
    reason: "ill",
  };
  const ask = request({ reason: "ill" });
  const result = await settle(at, (s) => at.desk.cancel(BOOKING_ID, ask, s), done(fact));
  assert.ok(result.kind === "ok" && result.status === 200);
  const body = result.body as Record<string, unknown>;
  assert.deepEqual(
    [body.status, body.cancelReason, body.seq, body.cancelledAt],
    ["cancelled", "ill", 11, new Date(NOON + 1).toISOString()],
  );
  assert.equal(at.notes.length, 1);
});

test("a look-up that is told to wait is busy, which is nothing to log", async () => {
  const { desk, errors, ...rest } = deskWith({
    isAtHand: false,
    failure: new ProblemError("busy"),
  });
  const result = await settle({ desk, errors, ...rest }, (done) =>
    desk.hold(EVENT_ID, request(seat("A-1")), done),
  );
  assert.equal(codeOf(result), "busy");
  assert.deepEqual(errors, []);
});
