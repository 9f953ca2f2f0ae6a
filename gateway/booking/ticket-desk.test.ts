import assert from "node:assert/strict";
import { test } from "node:test";
import { itemIdOf } from "../../engine/ids.ts";
import { EVENT_ID, NOON } from "../../engine/testing/fixtures.ts";
import { ticketCodes } from "./codes.ts";
import { ADMIN, CUSTOMER, deskPorts, EngineDesk, OTHER, request } from "./testing/desk-bench.ts";

const AT = new Date(NOON).toISOString();
const NOBODY = "0197f3c9-7b10-7005-8aaa-aa07a4b1c2d3";

test("a ticket gets another seat, and the answer says what that costs", async () => {
  const at = new EngineDesk();
  const { bookingId, ticketIds, record } = at.booked([0, 1]);
  const [, ticketId = ""] = ticketIds;
  const move = (seat: string) =>
    at.done((desk, s) => desk.tickets.move({ bookingId, ticketId }, request({ seat }), s));
  const [status, body] = await move("A-10");
  assert.equal(status, 200);
  assert.deepEqual(body, {
    id: bookingId,
    code: record.code,
    eventId: EVENT_ID,
    holdId: record.holdId,
    status: "confirmed",
    email: null,
    tickets: [
      {
        id: ticketIds[0],
        seat: "A-1",
        category: "stalls",
        price: 4500,
        code: record.ticketCodes[0],
        status: "valid",
      },
      {
        id: ticketId,
        seat: "A-10",
        category: "standing",
        price: 3000,
        code: record.ticketCodes[1],
        status: "valid",
      },
    ],
    total: { amount: 7500, currency: "EUR" },
    createdAt: AT,
    seq: 4,
    priceDifference: { amount: -1500, currency: "EUR" },
  });
  const [, back] = await move("A-3");
  assert.deepEqual(back.priceDifference, { amount: 1500, currency: "EUR" });
  assert.equal(at.engine.statuses(), "sfsfffffff");
});

test("moves that can't be made say why", async () => {
  const at = new EngineDesk();
  const { bookingId, ticketIds } = at.booked([0]);
  const [ticketId = ""] = ticketIds;
  at.engine.held([1], OTHER.userId);
  const move = (seat: string, named: object = {}, identity = CUSTOMER) => {
    const ids = { bookingId, ticketId, ...named };
    return at.refused((desk, s) => desk.tickets.move(ids, request({ seat }, identity), s));
  };
  assert.deepEqual(await move("A-2"), ["seat_unavailable", { seats: ["A-2"] }]);
  assert.deepEqual(await move("Z-9"), ["unknown_seat", { seats: ["Z-9"] }]);
  assert.deepEqual(await move("A-3", { ticketId: NOBODY }), ["ticket_not_found", {}]);
  assert.deepEqual(await move("A-3", { ticketId: "x" }), ["ticket_not_found", {}]);
  assert.deepEqual(await move("A-3", { bookingId: NOBODY }), ["booking_not_found", {}]);
  assert.deepEqual(await move("A-3", {}, OTHER), ["booking_not_found", {}]);
  const standing = at.booked([-1]);
  assert.deepEqual(await move("A-3", { ...standing, ticketId: standing.ticketIds[0] }), [
    "ticket_not_movable",
    {},
  ]);
});

test("a dearer seat for a ticket that was paid for is the organiser's to give", async () => {
  const at = new EngineDesk();
  const holdId = at.engine.held([8]);
  const { bookingId, intentId, ...pay } = at.engine.payCommand(holdId);
  at.engine.run({ ...pay, bookingId, intentId });
  at.engine.run({ kind: "settlePayment", intentId, outcome: "succeeded" });
  const ids = { bookingId, ticketId: itemIdOf(holdId, 0) };
  const refused = await at.refused((desk, s) =>
    desk.tickets.move(ids, request({ seat: "A-1" }), s),
  );
  assert.deepEqual(refused, [
    "price_differs",
    { priceDifference: { amount: 1500, currency: "EUR" } },
  ]);
  const [, given] = await at.done((desk, s) =>
    desk.tickets.move(ids, request({ seat: "A-1" }, ADMIN), s),
  );
  assert.deepEqual(given.priceDifference, { amount: 0, currency: "EUR" }, "it is waived");
});

test("a ticket lets somebody in once, until that is undone", async () => {
  const at = new EngineDesk();
  const { bookingId, record, ticketIds } = at.booked([0]);
  const [code] = record.ticketCodes;
  const checkIn = request({ ticketCode: code }, ADMIN);
  const undo = request({ ticketCode: code, undo: true }, ADMIN);
  const ticket = {
    id: ticketIds[0],
    seat: "A-1",
    category: "stalls",
    price: 4500,
    code,
    status: "valid",
  };
  const booking = { id: bookingId, code: record.code };
  assert.deepEqual(await at.done((desk, s) => desk.tickets.checkIn(EVENT_ID, checkIn, s)), [
    200,
    { ticket: { ...ticket, checkedInAt: AT }, checkedInAt: AT, booking, seq: 4 },
  ]);
  assert.deepEqual(await at.refused((desk, s) => desk.tickets.checkIn(EVENT_ID, checkIn, s)), [
    "already_checked_in",
    { checkedInAt: AT },
  ]);
  assert.deepEqual(await at.done((desk, s) => desk.tickets.checkIn(EVENT_ID, undo, s)), [
    200,
    { ticket, checkedInAt: null, booking, seq: 5 },
  ]);
  assert.deepEqual(await at.refused((desk, s) => desk.tickets.checkIn(EVENT_ID, undo, s)), [
    "not_checked_in",
    {},
  ]);
});

test("who is not of the staff lets nobody in, and a wrong code opens nothing", async () => {
  const at = new EngineDesk();
  const { bookingId, record } = at.booked([0]);
  const [code = ""] = record.ticketCodes;
  const enter = (body: object, identity = ADMIN) =>
    at.refused((desk, s) => desk.tickets.checkIn(EVENT_ID, request(body, identity), s));
  assert.deepEqual(await enter({ ticketCode: code }, CUSTOMER), ["forbidden", {}]);
  assert.deepEqual(await enter({ ticketCode: ticketCodes(1)[0] }), ["ticket_not_found", {}]);
  assert.deepEqual(await enter({ ticketCode: "%" }), ["ticket_not_found", {}]);
  assert.equal((await enter({}))[0], "validation_failed");
  await at.done((desk, s) => desk.orders.cancel(bookingId, request(), s));
  assert.deepEqual(await enter({ ticketCode: code }), ["booking_cancelled", {}]);
  const two = at.booked([2, 3]);
  const [cancelled] = two.ticketIds;
  const part = request({ ticketIds: [cancelled] });
  await at.done((desk, s) => desk.orders.cancel(two.bookingId, part, s));
  const [first] = two.record.ticketCodes;
  assert.deepEqual(await enter({ ticketCode: first }), ["ticket_cancelled", {}]);
});

test("a code is read as people type it", async () => {
  const typed = ticketCodes(1)[0] ?? "";
  const spaced = `${typed.slice(0, 4)}-${typed.slice(4, 8)} ${typed.slice(8)}`.toLowerCase();
  const asked: string[] = [];
  const watched = new EngineDesk(
    {},
    {
      router: {
        ...deskPorts().router,
        execute: (_eventId, operation, done) => {
          if (operation.kind === "checkIn") asked.push(operation.ticketCode);
          queueMicrotask(() => done({ kind: "timeout" }, 0));
        },
      },
    },
  );
  const body = request({ ticketCode: ` ${spaced}` }, ADMIN);
  await watched.ask((desk, s) => desk.tickets.checkIn(EVENT_ID, body, s));
  assert.deepEqual(asked, [typed]);
});
