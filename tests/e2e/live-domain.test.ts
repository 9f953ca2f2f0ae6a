/** The desk's second door: the whole walk over one WebSocket, with the answers of HTTP. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { BoxOffice, best, floor, seats } from "../support/box-office.ts";
import { LiveClient } from "../support/client.ts";
import type { BookingShape } from "../support/shapes.ts";
import { auditOf, openStudio } from "../support/venue.ts";

const office = BoxOffice.forThisFile();

test("a door and the organiser ask over a WebSocket, too; a buyer is refused there", async () => {
  const event = await openStudio(office.api);
  const eventId = event.id;
  const buyer = await office.register();
  const [ticket] = (await office.book(event, buyer.token, seats("A-1"))).tickets;
  const door = await LiveClient.open(office.node.url, office.admin);
  const outside = await LiveClient.open(office.node.url, buyer.token);
  const checkIn = { op: "check-in", eventId, ticketCode: ticket?.code };
  const block = { op: "inventory", eventId, block: ["A-2"] };
  for (const [id, message] of [checkIn, block].entries()) {
    outside.send({ id, ...message });
    assert.equal((await outside.next("reply", id)).status, 403);
    door.send({ id, ...message });
    assert.equal((await door.next("reply", id)).status, 200);
  }
  door.send({ id: 2, ...checkIn });
  const again = await door.next("reply", 2);
  assert.deepEqual([again.status, again.body?.code], [409, "already_checked_in"]);
  door.close();
  outside.close();
  await auditOf(office.api, eventId);
});

test("hold, change, extend, book, move, cancel, transfer and the waitlist", async () => {
  const event = await openStudio(office.api);
  const eventId = event.id;
  const [mine, other] = [await office.register(), await office.confirmed()];
  const live = await LiveClient.open(office.node.url, mine.token);
  const theirs = await LiveClient.open(office.node.url, other.token);
  let count = 0;
  /** Sends an op, whose answer must have this status. */
  const ask = async (op: string, message: object, status = 200, by = live) => {
    count += 1;
    by.send({ op, id: count, ...message });
    const reply = await by.next("reply", count);
    assert.equal(reply.status, status, JSON.stringify(reply));
    return reply;
  };
  const items = [best({ quantity: 2, category: "stalls" }), floor(1)];
  const held = (await ask("hold", { eventId, items }, 201)).body;
  assert.ok(held !== undefined && held.bestAvailable?.length === 1);
  const holdId = held.id;
  const remove = [held.items[0]?.id];
  const changed = (await ask("change", { holdId, remove, add: seats("A-9") })).body;
  assert.equal(changed?.items.length, 3);
  await ask("extend", { holdId });
  const payment = { provider: "none" };
  const booked = (await ask("book", { eventId, holdId, payment }, 201)).body;
  assert.ok(booked !== undefined);
  const { id: bookingId, tickets } = booked;
  const ticket = tickets.find(({ seat }) => seat === "A-9");
  const moved = await ask("move", { bookingId, ticketId: ticket?.id, seat: "A-10" });
  assert.deepEqual((moved.body as BookingShape).priceDifference, { amount: 0, currency: "EUR" });
  const ticketIds = [ticket?.id];
  const part = (await ask("cancel", { bookingId, ticketIds, reason: "ill" })).body;
  assert.deepEqual(part?.tickets.map(({ status }) => status).toSorted(), [
    "cancelled",
    "valid",
    "valid",
  ]);
  const handOver = { bookingId, email: other.email, idempotencyKey: "hand-over" };
  const handed = await ask("transfer", handOver);
  const given = await theirs.next("booking.updated");
  assert.equal(given.booking?.id, bookingId);
  // The codes are told to the new owner alone.
  const codesIn = (booking?: BookingShape) => booking?.tickets.map(({ code }) => code);
  const old = codesIn(booked);
  assert.equal(new Set([...(old ?? []), ...(codesIn(given.booking) ?? [])]).size, 6);
  const none = [undefined, undefined, undefined];
  assert.deepEqual(codesIn(handed.body as BookingShape), none);
  const replayed = await ask("transfer", handOver);
  assert.deepEqual([replayed.replayed, replayed.body], [true, handed.body]);
  assert.equal(
    live.take("booking.updated").some(({ booking }) => booking?.email === other.email),
    false,
  );
  await ask("cancel", { bookingId }, 404);
  await office.hold(event, other.token, [floor(4), best({ quantity: 2, category: "balcony" })]);
  await ask("waitlist.join", { eventId, quantity: 10 }, 201);
  await ask("waitlist.leave", { eventId }, 204);
  const released = (await ask("hold", { eventId, items: seats("A-1") }, 201)).body;
  await ask("release", { holdId: released?.id }, 204);
  assert.deepEqual([live.faults, theirs.faults], [[], []]);
  live.close();
  theirs.close();
  await auditOf(office.api, eventId);
});
