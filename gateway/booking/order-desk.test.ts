import assert from "node:assert/strict";
import { test } from "node:test";
import type { HoldId, IntentId, UserId } from "../../engine/ids.ts";
import {
  HOLD_TTL_MS_MAX,
  PAYMENT_WINDOW_MS_MAX,
  PLACES_PER_HOLD_MAX,
} from "../../engine/limits.ts";
import { ALICE, BOB, CAROL, EVENT_ID, NOON, TAG } from "../../engine/testing/fixtures.ts";
import { ProblemError } from "../http/problem.ts";
import type { ProblemCode } from "../http/problem-codes.ts";
import { PaymentSettlement } from "./payment-settlement.ts";
import type { BeginPayment, PaymentsPort } from "./payments-port.ts";
import {
  ADMIN,
  CUSTOMER,
  type Document,
  deskPorts,
  deskWith,
  EngineDesk,
  GUEST,
  OTHER,
  request,
  SHARD,
  settle,
} from "./testing/desk-bench.ts";
import { eventEntry } from "./testing/event-entry.ts";

const EUR = (amount: number) => ({ amount, currency: "EUR" });
const AT = new Date(NOON).toISOString();
const PAY_UNTIL = new Date(NOON + 900_000).toISOString();
const NOBODY = "0197f3c9-7b10-7005-8aaa-aa07a4b1c2d3";

/** A provider that answers, until it is told not to. */
class FakePayments implements PaymentsPort {
  readonly providers = ["sandbox"];
  readonly begun: BeginPayment[] = [];
  failure: ProblemCode | null = null;
  async begin(asked: BeginPayment) {
    this.begun.push(asked);
    if (this.failure !== null) throw new ProblemError(this.failure);
    return { clientSecret: "secret", status: "open" };
  }
}

/** A desk that takes payments, and the news of them. */
function paying() {
  const payments = new FakePayments();
  const at = new EngineDesk({}, { payments });
  const ports = deskPorts();
  const settlement = new PaymentSettlement({
    directory: ports.directory,
    recentWrites: { note: (...noted) => at.notes.push(noted) },
    logError: ports.logError,
    router: {
      shardOf: () => SHARD,
      ask: async (_eventId, operation) => {
        assert.ok(operation.kind === "settlePayment" || operation.kind === "settleRefund");
        const { reply } = at.engine.run(operation);
        assert.ok(reply.kind !== "replay");
        return { answer: reply, lsn: at.engine.state.seq };
      },
    },
  });
  return { at, payments, settlement };
}

const book = (holdId: HoldId, provider: string, more: object = {}) =>
  request({ holdId, payment: { provider }, ...more });

async function pending(at: EngineDesk): Promise<Document & { payment: Document }> {
  const asked = book(at.engine.held([0, 1]), "sandbox");
  const [status, body] = await at.done((desk, s) => desk.orders.book(EVENT_ID, asked, s));
  assert.equal(status, 202);
  return { ...body, payment: body.payment as Document };
}

test("a booking that is to be paid for is pending, and says how to pay", async () => {
  const { at, payments } = paying();
  const { payment, ...booking } = await pending(at);
  const [begun] = payments.begun;
  assert.ok(begun !== undefined);
  assert.deepEqual(payment, {
    provider: "sandbox",
    intentId: begun.intentId,
    amount: EUR(9000),
    status: "pending",
    payUntil: PAY_UNTIL,
    refunds: [],
    clientSecret: "secret",
  });
  assert.deepEqual(begun, {
    provider: "sandbox",
    intentId: begun.intentId,
    eventId: EVENT_ID,
    bookingId: booking.id,
    amountMinor: 9000,
    currency: "EUR",
    description: `A night out (${booking.code})`,
    payUntilMs: NOON + 900_000,
  });
  assert.ok(begun.intentId.endsWith(TAG), "the intent knows its event");
  const tickets = booking.tickets as Document[];
  assert.deepEqual(
    [booking.status, tickets.map(({ status }) => status)],
    ["pending_payment", ["pending", "pending"]],
  );
  assert.deepEqual(at.notes, [[ALICE, SHARD, 3]], "the buyer's next read waits for this");
});

test("a provider that is down is told so, and the same key goes on where it stopped", async () => {
  const { at, payments } = paying();
  payments.failure = "payment_provider_unavailable";
  const holdId = at.engine.held([0]);
  const asked = { ...book(holdId, "sandbox"), idempotencyKey: "k" };
  assert.deepEqual(await at.refused((desk, s) => desk.orders.book(EVENT_ID, asked, s)), [
    "payment_provider_unavailable",
    {},
  ]);
  const [known] = at.engine.state.bookings.all();
  assert.equal(known?.record.later?.status, "pending_payment");
  const again = await at.refused((desk, s) =>
    desk.orders.book(EVENT_ID, book(holdId, "sandbox"), s),
  );
  assert.deepEqual(again, ["hold_paying", { bookingId: known?.record.bookingId }]);
});

test("too many who wait for a provider: no busy, as the booking is pending by then", async () => {
  const { at, payments } = paying();
  payments.failure = "busy";
  const asked = book(at.engine.held([0]), "sandbox");
  assert.deepEqual(await at.refused((desk, s) => desk.orders.book(EVENT_ID, asked, s)), [
    "timeout",
    {},
  ]);
  const [known] = at.engine.state.bookings.all();
  assert.equal(known?.record.later?.status, "pending_payment");
});

test("where nothing is owed, a booking is confirmed at once, whoever was to be paid", async () => {
  const payments = new FakePayments();
  const free = [
    { key: "stalls", priceMinor: 0 },
    { key: "standing", priceMinor: 0 },
  ];
  const at = new EngineDesk({ categories: free }, { payments });
  const asked = book(at.engine.held([0]), "sandbox");
  const [status, body] = await at.done((desk, s) => desk.orders.book(EVENT_ID, asked, s));
  assert.deepEqual([status, body.status, body.payment], [201, "confirmed", undefined]);
  assert.deepEqual(payments.begun, []);
});

test("a provider that there is not is refused by its path, with those that there are", async () => {
  const { at } = paying();
  const asked = book(at.engine.held([0]), "stripe");
  const [code, members] = await at.refused((desk, s) => desk.orders.book(EVENT_ID, asked, s));
  assert.equal(code, "validation_failed");
  assert.deepEqual(members.errors, [
    { path: "payment.provider", message: "must be one of none, sandbox" },
  ]);
});

test("a hold that a payment has kept is booked, though orders may have fewer places since", async (t) => {
  const hourMs = HOLD_TTL_MS_MAX / 24;
  const lasting = { holdTtlMs: HOLD_TTL_MS_MAX, paymentWindowMs: PAYMENT_WINDOW_MS_MAX };
  const since = { perOrderMax: 2, version: 2, updatedMs: NOON + hourMs };
  const { directory } = deskPorts();
  const event = eventEntry({ ...lasting, ...since });
  const ports = { payments: new FakePayments(), directory: { ...directory, peek: () => event } };
  const at = new EngineDesk(lasting, ports);
  t.mock.method(Date, "now", () => at.engine.nowMs);
  const holdId = at.engine.held([0, 1, 2, 3]);
  at.engine.nowMs += 23 * hourMs;
  at.engine.run({ kind: "extend", holdId, userId: ALICE, key: null });
  at.engine.nowMs += 24 * hourMs;
  const order = (provider: string) =>
    at.done((desk, s) => desk.orders.book(EVENT_ID, book(holdId, provider), s));
  const [, { payment }] = await order("sandbox");
  const { intentId } = payment as { intentId: IntentId };
  at.engine.nowMs += 23 * hourMs;
  at.engine.run({ kind: "settlePayment", intentId, outcome: "failed" });
  const [status, body] = await order("none");
  assert.deepEqual([status, (body.tickets as Document[]).length], [201, 4]);
});

test("money confirms its booking once; what goes back is settled once", async () => {
  const { at, settlement } = paying();
  const { payment, id } = await pending(at);
  const intentId = String(payment.intentId);
  assert.equal(await settlement.settle({ intentId, outcome: "succeeded" }), "done");
  assert.equal(await settlement.settle({ intentId, outcome: "succeeded" }), "done");
  assert.equal(await settlement.settle({ intentId, outcome: "canceled" }), "done");
  assert.deepEqual(at.notes.at(-1), [ALICE, SHARD, 4]);
  const [, body] = await at.done((desk, s) =>
    desk.orders.cancel(String(id), request({ reason: "ill" }), s),
  );
  const cancelled = body.payment as { status: string; refunds: Document[] };
  const [refund] = cancelled.refunds;
  assert.deepEqual(body.status, "cancelled");
  assert.deepEqual(cancelled, {
    provider: "sandbox",
    intentId,
    amount: EUR(9000),
    status: "paid",
    payUntil: PAY_UNTIL,
    refunds: [{ id: refund?.id, amount: EUR(9000), reason: "ill", status: "due" }],
  });
  const news = { intentId, refundId: String(refund?.id), outcome: "succeeded" } as const;
  assert.equal(await settlement.refunded(news), "done");
  assert.equal(await settlement.refunded(news), "done");
  const [, again] = await at.done((desk, s) => desk.orders.cancel(String(id), request(), s));
  assert.equal(again.status, "refunded");
});

test("news of money that nobody waits for is unknown, and of an event out of reach busy", async () => {
  const { settlement } = paying();
  const ports = deskPorts();
  const succeeded = { outcome: "succeeded" } as const;
  assert.equal(await settlement.settle({ ...succeeded, intentId: NOBODY }), "unknown");
  assert.equal(await settlement.settle({ ...succeeded, intentId: "x" }), "unknown");
  const other = `${NOBODY.slice(0, -1)}4`;
  assert.equal(await settlement.settle({ ...succeeded, intentId: other }), "unknown");
  const refund = { intentId: NOBODY, refundId: NOBODY, ...succeeded };
  assert.equal(await settlement.refunded(refund), "unknown");
  const errors: string[] = [];
  for (const kind of ["timeout", "failed"] as const) {
    const away = new PaymentSettlement({
      ...ports,
      router: { shardOf: () => SHARD, ask: async () => ({ answer: { kind }, lsn: 0 }) },
    });
    assert.equal(await away.settle({ ...succeeded, intentId: NOBODY }), "busy");
  }
  const lost = new PaymentSettlement({
    directory: { ...ports.directory, getByTag: () => Promise.reject(new Error("lost")) },
    recentWrites: ports.recentWrites,
    logError: (message) => errors.push(message),
    router: { shardOf: () => SHARD, ask: () => Promise.reject(new Error("never asked")) },
  });
  assert.equal(await lost.settle({ ...succeeded, intentId: NOBODY }), "busy");
  assert.equal(errors.length, 1);
});

test("single tickets are cancelled, then the rest, and then nothing changes any more", async () => {
  const at = new EngineDesk();
  const { bookingId, ticketIds } = at.booked([0, 1, 2]);
  const cancel = (body: object) =>
    at.done((desk, s) => desk.orders.cancel(bookingId, request(body), s));
  const statuses = (body: Document) => (body.tickets as Document[]).map(({ status }) => status);
  const [status, part] = await cancel({ ticketIds: [ticketIds[1]], reason: "ill" });
  assert.deepEqual(
    [status, part.status, part.cancelledAt, statuses(part)],
    [200, "confirmed", undefined, ["valid", "cancelled", "valid"]],
  );
  const [, whole] = await cancel({ reason: "all ill" });
  assert.deepEqual(
    [whole.status, whole.cancelledAt, whole.cancelReason, statuses(whole)],
    ["cancelled", AT, "all ill", ["cancelled", "cancelled", "cancelled"]],
  );
  assert.deepEqual(await cancel({}), [200, whole], "repeated: the same answer");
});

test("cancellations that can't be made say why", async () => {
  const at = new EngineDesk({ cancelUntilMs: NOON });
  const { bookingId, record } = at.booked([0, 1]);
  const cancel = (body: object, identity = CUSTOMER, id: string = bookingId) =>
    at.refused((desk, s) => desk.orders.cancel(id, request(body, identity), s));
  assert.deepEqual(await cancel({}), ["cancellation_closed", { closedAt: AT }]);
  assert.deepEqual(await cancel({ ticketIds: [NOBODY] }), ["ticket_not_found", {}]);
  assert.deepEqual(await cancel({ ticketIds: ["x"] }), ["ticket_not_found", {}]);
  assert.equal((await cancel({ ticketIds: [] }))[0], "validation_failed");
  assert.equal((await cancel({ reason: 7 }))[0], "validation_failed");
  assert.deepEqual(await cancel({}, OTHER), ["booking_not_found", {}]);
  assert.deepEqual(await cancel({}, CUSTOMER, NOBODY), ["booking_not_found", {}]);
  // The organiser may at any time.
  const [, body] = await at.done((desk, s) =>
    desk.orders.cancel(bookingId, request({ reason: "rain\0" }, ADMIN), s),
  );
  const told = [body.status, body.code, body.cancelReason];
  assert.deepEqual(told, ["cancelled", record.code, "rain\uFFFD"]);
  assert.deepEqual(at.notes.at(-1), [BOB, SHARD, at.engine.state.seq]);
});

test("tickets of a booking whose money is awaited can't be cancelled one by one", async () => {
  const { at } = paying();
  const { id, tickets } = await pending(at);
  const [first] = tickets as Document[];
  const part = request({ ticketIds: [first?.id] });
  assert.deepEqual(await at.refused((desk, s) => desk.orders.cancel(String(id), part, s)), [
    "booking_pending",
    {},
  ]);
});

const withCodes = ({ tickets }: Document, codes: readonly string[]) =>
  (tickets as Document[]).map((ticket, n) => ({ ...ticket, code: codes[n] }));

test("who hands a booking over is shown no code that opens the door; who organises is", async () => {
  for (const [identity, isShown] of [
    [CUSTOMER, false],
    [ADMIN, true],
  ] as const) {
    const userIdOf = async (): Promise<UserId> => CAROL;
    // Today's orders may have fewer places than the booking has tickets.
    const at = new EngineDesk({ perOrderMax: 10 }, { userIdOf });
    const { bookingId, record } = at.booked([0, 1, 2]);
    const transfer = request({ email: "carol@example.org" }, identity);
    const [, body] = await at.done((desk, s) => desk.orders.transfer(bookingId, transfer, s));
    const codes = at.engine.state.bookings.get(bookingId)?.record.ticketCodes ?? [];
    assert.equal(new Set([...record.ticketCodes, ...codes]).size, 6);
    const shown = (body.tickets as Document[]).map((ticket) => ticket.code);
    assert.deepEqual(shown, isShown ? codes : [undefined, undefined, undefined]);
  }
});

test("a transfer's outcome shows codes by whose the booking was then, replayed or not", async () => {
  const engine = new EngineDesk().engine;
  const bookingId = engine.booked(engine.held([0]));
  const of = { bookingId, userId: ALICE, asOrganizer: false, key: null };
  engine.run(engine.drafts.transfer({ ...of, toUserId: CAROL, email: "carol@example.org" }));
  const fact = engine.facts.at(-1);
  assert.ok(fact?.kind === "bookingChanged");
  for (const [identity, code] of [
    [CUSTOMER, undefined],
    [OTHER, undefined],
    [{ ...OTHER, userId: CAROL }, fact.booking.ticketCodes[0]],
    [ADMIN, fact.booking.ticketCodes[0]],
  ] as const) {
    const bench = deskWith();
    const transfer = request({ email: "carol@example.org" }, identity, "key");
    const result = await settle(bench, (s) => bench.desk.orders.transfer(bookingId, transfer, s), {
      kind: "done",
      fact,
      replayed: true,
    });
    assert.ok(result.kind === "ok");
    const { tickets } = JSON.parse(String(result.body)) as Document;
    assert.deepEqual(
      (tickets as Document[]).map((ticket) => ticket.code),
      [code],
    );
  }
});

test("a transfer brings codes for the most tickets that a booking may have", async () => {
  const bench = deskWith({ event: eventEntry({ perOrderMax: 1 }) });
  const { bookingId } = new EngineDesk().booked([0]);
  const transfer = request({ email: "bob@example.org" });
  bench.desk.orders.transfer(bookingId, transfer, () => undefined);
  await new Promise((resolve) => setImmediate(resolve));
  const [command] = bench.commands.map(({ operation }) => operation);
  assert.ok(command?.kind === "transfer");
  assert.equal(new Set(command.ticketCodes).size, PLACES_PER_HOLD_MAX);
});

test("a booking goes to whoever has the address, and again to the same one changes nothing", async () => {
  const asked: string[] = [];
  const at = new EngineDesk(
    {},
    {
      userIdOf: async (email) => {
        asked.push(email);
        return BOB;
      },
    },
  );
  const { bookingId } = at.booked([0]);
  const transfer = request({ email: " Bob@Example.org" });
  const [status, body] = await at.done((desk, s) => desk.orders.transfer(bookingId, transfer, s));
  assert.deepEqual([status, body.email, asked], [200, "bob@example.org", ["bob@example.org"]]);
  const codes = at.engine.state.bookings.get(bookingId)?.record.ticketCodes ?? [];
  const readers = at.notes.map(([userId]) => userId as UserId);
  assert.deepEqual(readers.sort(), [ALICE, BOB].sort(), "both wait for what they were told");
  const again = request({ email: "bob@example.org" }, GUEST);
  const [, theirs] = await at.done((desk, s) => desk.orders.transfer(bookingId, again, s));
  assert.deepEqual(theirs, { ...body, tickets: withCodes(body, codes) });
  assert.deepEqual(at.engine.state.bookings.get(bookingId)?.record.ticketCodes, codes);
  const late = await at.refused((desk, s) => desk.orders.transfer(bookingId, transfer, s));
  assert.deepEqual(late, ["booking_not_found", {}]);
  const wrong = request({ email: "bob" }, GUEST);
  const [code] = await at.refused((desk, s) => desk.orders.transfer(bookingId, wrong, s));
  assert.equal(code, "validation_failed");
});

test("a booking that is cancelled, pending or in use is not handed over", async () => {
  const { at } = paying();
  const transfer = (id: unknown) =>
    at.refused((desk, s) =>
      desk.orders.transfer(String(id), request({ email: "b@example.org" }), s),
    );
  const { id } = await pending(at);
  assert.deepEqual(await transfer(id), ["booking_pending", {}]);
  const { bookingId } = at.booked([4]);
  await at.done((desk, s) => desk.orders.cancel(bookingId, request(), s));
  assert.deepEqual(await transfer(bookingId), ["booking_cancelled", {}]);
  const other = at.booked([5]);
  const [ticketCode] = other.record.ticketCodes;
  const entered = request({ ticketCode }, ADMIN);
  await at.done((desk, s) => desk.tickets.checkIn(EVENT_ID, entered, s));
  assert.deepEqual(await transfer(other.bookingId), ["already_checked_in", { checkedInAt: AT }]);
});
