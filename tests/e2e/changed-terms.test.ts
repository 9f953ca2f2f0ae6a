/** An organiser changes the terms of an event that is on sale; the sale goes by them at once. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { ApiClient } from "../support/client.ts";
import { TestNode } from "../support/server.ts";
import type { BookingShape, EventShape, HoldShape, Problem } from "../support/shapes.ts";
import {
  adminToken,
  auditOf,
  availabilityOf,
  guestToken,
  ok,
  openStudio,
} from "../support/venue.ts";

let node: TestNode;
let api: ApiClient;
before(async () => {
  node = await TestNode.start();
  api = new ApiClient(() => node.url);
});
after(async () => {
  assert.deepEqual(node.errors, [], "nothing went wrong inside");
  api.close();
  await node.remove();
});

const hold = <Body = HoldShape>(event: EventShape, token: string, ...seats: string[]) =>
  api.post<Body>(`/api/v1/events/${event.id}/holds`, {
    token,
    body: { items: seats.map((seat) => ({ seat })) },
  });

async function change(event: EventShape, body: object): Promise<void> {
  const token = await adminToken(api);
  ok(await api.request("PATCH", `/api/v1/events/${event.id}`, { token, body }));
}

test("a new price is for new holds, and what was held keeps its own", async () => {
  const event = await openStudio(api);
  const token = await guestToken(api);
  const dear = ok(await hold(event, token, "A-1"), 201);
  await change(event, { priceCategories: [{ key: "stalls", price: 4000 }] });
  const cheap = ok(await hold(event, token, "A-2"), 201);
  assert.deepEqual([dear.total.amount, cheap.total.amount], [4500, 4000]);
  const { categories } = await availabilityOf(api, event.id);
  assert.equal(categories.find(({ key }) => key === "stalls")?.price, 4000);
  const body = { holdId: dear.id, payment: { provider: "none" }, email: "a@example.org" };
  const path = `/api/v1/events/${event.id}/bookings`;
  const booked = ok(await api.post<BookingShape>(path, { token, body }), 201);
  assert.equal(booked.total.amount, 4500);
  assert.equal((await auditOf(api, event.id)).ok, true);
});

test("a sale window, a limit and the time of a hold are changed while the event is on sale", async () => {
  const event = await openStudio(api);
  const token = await guestToken(api);
  await change(event, { holdTtlSeconds: 60, limits: { perOrder: 1 } });
  const held = ok(await hold(event, token, "A-1"), 201);
  assert.ok(Date.parse(held.expiresAt) <= Date.now() + 60_000);
  const two = await hold<Problem>(event, token, "A-2", "A-3");
  assert.equal(two.body.code, "limit_exceeded");
  await change(event, { salesCloseAt: "2020-01-01T00:00" });
  const late = await hold<Problem>(event, token, "A-2");
  assert.equal(late.body.code, "sales_closed");
  await change(event, { salesCloseAt: null });
  ok(await hold(event, token, "A-2"), 201);
});
