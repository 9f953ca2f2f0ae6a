/** An event that is cancelled gives everything back: places, money, and word of it. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { BoxOffice, floor, type Person, refused, seats } from "../support/box-office.ts";
import { LiveClient } from "../support/client.ts";
import { until } from "../support/server.ts";
import type { BookingShape, EventShape, HistoryShape, Page } from "../support/shapes.ts";
import { auditOf, availabilityOf, ok, openOrganization, openStudio } from "../support/venue.ts";

const office = BoxOffice.forThisFile();
const { api } = office;

/** Of each kind of booking. */
const COUNT = 12;
const AREAS = [{ key: "floor", name: "Floor", capacity: 500, priceCategory: "standing" }];
const LIMITS = { perOrder: 10, perUser: 500 };

const times = <T>(make: () => Promise<T>): Promise<T[]> =>
  Promise.all(Array.from({ length: COUNT }, make));

async function pending(event: EventShape, { token }: Person): Promise<BookingShape> {
  const { id } = await office.hold(event, token, [floor(2)]);
  return ok(await office.tryBook(event, token, id, { provider: "sandbox" }), 202);
}

const pay = async ({ payment }: BookingShape) =>
  ok(await api.post(`/api/v1/payments/sandbox/${payment?.intentId}/succeed`));

async function paid(event: EventShape, buyer: Person): Promise<BookingShape> {
  const booking = await pending(event, buyer);
  await pay(booking);
  return booking;
}

test("holds end, bookings are cancelled and paid back once, and everybody hears of it", async () => {
  const event = await openStudio(api, { areas: AREAS, limits: LIMITS });
  const [buyer, other] = [await office.register(), await office.register()];
  const { token } = buyer;
  const invoiced = await times(() => office.book(event, token, [floor(1)]));
  const settled = await times(() => paid(event, buyer));
  const waiting = await times(() => pending(event, buyer));
  const hold = await office.hold(event, other.token, seats("A-1"));
  const [partly] = settled;
  const body = { ticketIds: [partly?.tickets[0]?.id], reason: "ill" };
  ok(await api.post(`/api/v1/bookings/${partly?.id}/cancel`, { token, body }));
  const live = await LiveClient.open(office.node.url, token);
  const theirs = await LiveClient.open(office.node.url, other.token);

  const path = `/api/v1/events/${event.id}`;
  const { status } = ok(await api.post<EventShape>(`${path}/cancel`, { token: office.admin }));
  assert.equal(status, "cancelled");
  refused(await office.tryHold(event, token, [floor(1)]), 409, "event_cancelled");
  refused(await office.tryBook(event, other.token, hold.id), 409, "event_cancelled");
  const [late] = waiting;
  assert.ok(late !== undefined && partly !== undefined);
  await pay(late);

  const told = await theirs.next("hold.expired");
  assert.deepEqual([told.holdId, told.reason], [hold.id, "event_cancelled"]);
  const unheard = new Set([...invoiced, ...settled, ...waiting].map(({ id }) => id));
  while (unheard.size > 0) {
    const { booking } = await live.next("booking.updated");
    const isOver = booking?.status === "cancelled" || booking?.status === "refunded";
    if (isOver) unheard.delete(booking.id);
  }
  for (const { id } of [...settled, late]) {
    await until("the money is back", async () => {
      return (await office.booking(id, token)).status === "refunded";
    });
    const { payment, cancelReason } = await office.booking(id, token);
    // Money that was quicker than the cancellation's own work has ended its booking itself.
    if (id !== late.id) assert.equal(cancelReason, "event_cancelled");
    const amounts = payment?.refunds.map(({ amount }) => amount.amount);
    assert.deepEqual(amounts, id === partly.id ? [3000, 3000] : [6000]);
  }
  for (const { id } of [...invoiced, ...waiting.slice(1)]) {
    const { status: ended, cancelReason } = await office.booking(id, token);
    assert.deepEqual([ended, cancelReason], ["cancelled", "event_cancelled"]);
  }
  const historyPath = `/api/v1/bookings/${waiting[1]?.id}/history`;
  const history = ok(await api.get<Page<HistoryShape>>(historyPath, { token })).data;
  assert.deepEqual(
    history.map(({ change, by, reason }) => [change, by.who, reason]),
    [
      ["payment_started", "you", null],
      ["cancelled", "system", "event_cancelled"],
    ],
  );
  const { free, capacity } = await availabilityOf(api, event.id);
  assert.equal(free, capacity);
  live.close();
  theirs.close();
  await auditOf(api, event.id);
});

test("a cancellation that a kill interrupts goes on after the restart, and pays back once", async () => {
  const event = await openStudio(api, { areas: AREAS, limits: LIMITS });
  const buyer = await office.register();
  const settled = await times(() => paid(event, buyer));
  const waiting = await times(() => pending(event, buyer));
  const path = `/api/v1/events/${event.id}/cancel`;
  ok(await api.post<EventShape>(path, { token: office.admin }));
  await office.node.kill9();
  await office.node.start();
  for (const booking of waiting) await pay(booking);
  for (const { id } of [...settled, ...waiting]) {
    await until("the money is back", async () => {
      return (await office.booking(id, buyer.token)).status === "refunded";
    });
    const { payment } = await office.booking(id, buyer.token);
    assert.deepEqual(
      payment?.refunds.map(({ amount, status }) => [amount.amount, status]),
      [[6000, "done"]],
    );
  }
  await auditOf(api, event.id);
});

test("a draft that is cancelled stays unseen by all who did not see the draft", async () => {
  const [owner, stranger] = [await office.register(), await office.register()];
  const organizationId = await openOrganization(api, owner.token);
  const body = {
    organizationId,
    title: "Surreptitious gala",
    startsAt: "2040-05-04T19:30:00Z",
    priceCategories: [{ key: "standing", name: "Standing", price: 3000 }],
    areas: AREAS.map((area) => ({ ...area, capacity: 5 })),
  };
  const draft = ok(await api.post<EventShape>("/api/v1/events", { token: owner.token, body }), 201);
  const path = `/api/v1/events/${draft.id}`;
  refused(await api.get(path), 404, "event_not_found");
  ok(await api.post(`${path}/cancel`, owner));
  const asked = { token: stranger.token, body: { items: [floor(1)] } };
  for (const reply of [
    await api.get(path),
    await api.get(path, stranger),
    await api.get(`${path}/seats`),
    await api.get(`${path}/availability`),
    await api.get(`${path}/bookings`, stranger),
    await api.get(`${path}/log`, stranger),
    await api.get(`${path}/waitlist/me`, stranger),
    await api.post(`${path}/holds`, asked),
    await api.post(`${path}/cancel`, stranger),
    await api.patch(path, { token: stranger.token, body: { title: "Mine" } }),
  ]) {
    refused(reply, 404, "event_not_found");
  }
  const live = await LiveClient.open(office.node.url, stranger.token);
  for (const message of [{ op: "subscribe" }, { op: "hold", items: [floor(1)] }]) {
    const { code, body: problem } = await live.ask({ ...message, eventId: draft.id });
    assert.equal(code ?? problem?.code, "event_not_found");
  }
  live.close();
  const search = await api.get<Page<EventShape>>(`/api/v1/events?q=surreptitious`);
  assert.deepEqual(ok(search).data, []);
  const known = await api.get<EventShape>(path, owner);
  assert.equal(ok(known).status, "cancelled");
  assert.match(known.headers["cache-control"] ?? "", /private/);
  const own = `/api/v1/organizations/${organizationId}/events?status=cancelled`;
  assert.equal(ok(await api.get<Page<EventShape>>(own, owner)).data.length, 1);
});
