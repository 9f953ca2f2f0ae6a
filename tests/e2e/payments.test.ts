/** Bookings that are paid for with the sandbox's play money. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { BoxOffice, refused, seats } from "../support/box-office.ts";
import { LiveClient } from "../support/client.ts";
import { until } from "../support/server.ts";
import type { BookingShape, PaymentShape } from "../support/shapes.ts";
import { auditOf, availabilityOf, ok, openStudio } from "../support/venue.ts";

const office = BoxOffice.forThisFile();

const EUR = (amount: number) => ({ amount, currency: "EUR" });
const happens = (payment: PaymentShape, what: "succeed" | "fail", body: object = {}) =>
  office.api.post(`/api/v1/payments/sandbox/${payment.intentId}/${what}`, { body });

/** A booking of whose money is awaited. */
async function pending() {
  const event = await openStudio(office.api);
  const buyer = await office.register();
  const hold = await office.hold(event, buyer.token, seats("A-1", "A-2"));
  const sandbox = { provider: "sandbox", key: "k" };
  const booked = ok(await office.tryBook(event, buyer.token, hold.id, sandbox), 202);
  assert.ok(booked.payment !== undefined);
  return { event, buyer, hold, sandbox, booked, payment: booked.payment };
}

test("money confirms a pending booking, once, and its cancellation gives it back, once", async () => {
  const { event, buyer, hold, sandbox, booked, payment } = await pending();
  const { token } = buyer;
  const live = await LiveClient.open(office.node.url, token);
  assert.deepEqual([booked.status, payment.amount], ["pending_payment", EUR(9000)]);
  assert.ok(booked.tickets.every(({ status }) => status === "pending"));
  assert.equal((await availabilityOf(office.api, event.id)).statuses, "hhffffffff");
  assert.equal((await office.booking(booked.id, token)).status, "pending_payment");
  const replayed = await office.tryBook(event, token, hold.id, sandbox);
  assert.equal(replayed.headers["idempotent-replayed"], "true");
  assert.equal(ok(replayed, 202).payment?.intentId, payment.intentId);
  const again = await office.tryBook(event, token, hold.id, { provider: "sandbox" });
  assert.equal(refused(again, 409, "hold_paying").bookingId, booked.id);

  for (let n = 0; n < 2; n += 1)
    ok(await happens(payment, "succeed", { eventId: `paid-${booked.id}` }));
  const told = await live.next("booking.updated");
  assert.equal(told.booking?.status, "confirmed");
  const confirmed = await office.booking(booked.id, token);
  assert.deepEqual([confirmed.status, confirmed.payment?.status], ["confirmed", "paid"]);
  assert.ok(confirmed.tickets.every(({ status }) => status === "valid"));
  assert.equal((await availabilityOf(office.api, event.id)).statuses, "ssffffffff");

  const [first] = confirmed.tickets;
  const cancel = (body: object) =>
    office.api.post<BookingShape>(`/api/v1/bookings/${booked.id}/cancel`, { token, body });
  const part = ok(await cancel({ ticketIds: [first?.id], reason: "ill" }));
  assert.deepEqual(
    part.payment?.refunds.map(({ amount, reason }) => [amount, reason]),
    [[EUR(4500), "ill"]],
  );
  ok(await cancel({}));
  await until("all of the money is back", async () => {
    return (await office.booking(booked.id, token)).status === "refunded";
  });
  const { refunds = [] } = (await office.booking(booked.id, token)).payment ?? {};
  assert.deepEqual(
    refunds.map(({ amount, status }) => [amount, status]),
    [
      [EUR(4500), "done"],
      [EUR(4500), "done"],
    ],
  );
  live.close();
  await auditOf(office.api, event.id);
});

test("a payment that failed leaves the hold, and late money buys the same places if they are free", async () => {
  const { event, buyer, hold, booked, payment } = await pending();
  const { token } = buyer;
  ok(await happens(payment, "fail"));
  const failed = await office.booking(booked.id, token);
  assert.deepEqual([failed.status, failed.payment?.status], ["cancelled", "failed"]);
  const path = `/api/v1/holds/${hold.id}`;
  ok(await office.api.get(path, { token }));
  assert.equal((await office.api.delete(path, { token })).status, 204);
  assert.equal((await availabilityOf(office.api, event.id)).free, 15);
  ok(await happens(payment, "succeed"));
  const late = await office.booking(booked.id, token);
  assert.deepEqual([late.status, late.payment?.status], ["confirmed", "paid"]);
  assert.equal((await availabilityOf(office.api, event.id)).statuses, "ssffffffff");
  await auditOf(office.api, event.id);
});

test("a hold whose payment failed is paid for again, and its tickets are the second booking's", async () => {
  const { event, buyer, hold, booked, payment } = await pending();
  const { token } = buyer;
  ok(await happens(payment, "fail"));
  const again = await office.tryBook(event, token, hold.id, { provider: "sandbox" });
  const second = ok(again, 202);
  assert.deepEqual(
    second.tickets.map(({ id }) => id),
    booked.tickets.map(({ id }) => id),
  );
  assert.ok(second.payment !== undefined);
  ok(await happens(second.payment, "succeed"));
  for (const { id } of second.tickets) {
    const code = await office.api.get(`/api/v1/tickets/${id}/qr.svg`, { token });
    assert.deepEqual([code.status, /^<svg/.test(code.text)], [200, true], code.text.slice(0, 200));
  }
});

test("money for places that somebody else has by then goes back, once", async () => {
  const { event, buyer, hold, booked, payment } = await pending();
  const { token } = buyer;
  ok(await happens(payment, "fail"));
  assert.equal((await office.api.delete(`/api/v1/holds/${hold.id}`, { token })).status, 204);
  const other = await office.register();
  await office.book(event, other.token, seats("A-2"));
  ok(await happens(payment, "succeed"));
  await until("the money is back", async () => {
    return (await office.booking(booked.id, token)).status === "refunded";
  });
  const { refunds = [] } = (await office.booking(booked.id, token)).payment ?? {};
  assert.deepEqual(
    refunds.map(({ amount, reason, status }) => [amount, reason, status]),
    [[EUR(9000), "paid_too_late", "done"]],
  );
  assert.equal((await availabilityOf(office.api, event.id)).statuses, "fsffffffff");
  await auditOf(office.api, event.id);
});

test("a buyer who cancels while the money is awaited gives the places back", async () => {
  const { event, buyer, booked } = await pending();
  const { token } = buyer;
  const path = `/api/v1/bookings/${booked.id}`;
  const ticketIds = [booked.tickets[0]?.id];
  const part = await office.api.post(`${path}/cancel`, { token, body: { ticketIds } });
  refused(part, 409, "booking_pending");
  const cancelled = ok(await office.api.post<BookingShape>(`${path}/cancel`, { token }));
  assert.equal(cancelled.status, "cancelled");
  assert.deepEqual(await office.booking(booked.id, token), cancelled);
  assert.equal((await availabilityOf(office.api, event.id)).free, 15);
});

test("a provider that there is not is refused, with those that there are", async () => {
  const event = await openStudio(office.api);
  const { token } = await office.register();
  const { id } = await office.hold(event, token, seats("A-1"));
  const reply = await office.tryBook(event, token, id, { provider: "cash" });
  assert.match(refused(reply, 400, "validation_failed").detail, /none, sandbox/);
});

test("a hold lives on for the payment's window; money after it buys what is free, or goes back", async () => {
  const terms = { holdTtlSeconds: 3, paymentWindowSeconds: 4 };
  const event = await openStudio(office.api, terms);
  const { token } = await office.register();
  const live = await LiveClient.open(office.node.url, token);
  const begin = async (...ids: string[]) => {
    const { id } = await office.hold(event, token, seats(...ids));
    const booked = ok(await office.tryBook(event, token, id, { provider: "sandbox" }), 202);
    assert.ok(booked.payment !== undefined);
    return { id: booked.id, holdId: id, payment: booked.payment };
  };
  const [lucky, unlucky] = [await begin("A-1"), await begin("A-2", "A-3")];
  for (const { holdId, payment } of [lucky, unlucky]) {
    const told = await live.next("hold.expired");
    assert.deepEqual([told.holdId, told.reason], [holdId, "expired"]);
    assert.ok(Date.now() >= Date.parse(payment.payUntil), "not before the window's end");
    assert.equal((await live.next("booking.updated")).booking?.payment?.status, "expired");
  }
  assert.equal((await availabilityOf(office.api, event.id)).statuses, "ffffffffff");
  const other = await office.register();
  await office.book(event, other.token, seats("A-3"));
  for (const { payment } of [lucky, unlucky, lucky, unlucky]) ok(await happens(payment, "succeed"));
  assert.equal((await live.next("booking.updated")).booking?.status, "confirmed");
  assert.equal((await availabilityOf(office.api, event.id)).statuses, "sfsfffffff");
  await until("the money is back", async () => {
    return (await office.booking(unlucky.id, token)).status === "refunded";
  });
  const { refunds = [] } = (await office.booking(unlucky.id, token)).payment ?? {};
  assert.deepEqual(
    refunds.map(({ amount, reason, status }) => [amount, reason, status]),
    [[EUR(9000), "paid_too_late", "done"]],
  );
  const heard = [await live.next("booking.updated"), await live.next("booking.updated")];
  assert.deepEqual(
    heard.map(({ booking }) => [booking?.id, booking?.status]),
    [
      [unlucky.id, "cancelled"],
      [unlucky.id, "refunded"],
    ],
  );
  live.close();
  await auditOf(office.api, event.id);
});
