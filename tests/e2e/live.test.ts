/** The WebSocket: subscriptions that add up, the desk's second door, and news for owners. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { AvailabilityReader } from "../../gateway/live/testing/availability-reader.ts";
import { ApiClient, LiveClient } from "../support/client.ts";
import { TestNode, until } from "../support/server.ts";
import type { AvailabilityShape, EventShape, HoldShape } from "../support/shapes.ts";
import { adminToken, availabilityOf, guestToken, ok, openStudio } from "../support/venue.ts";

let node: TestNode;
let api: ApiClient;
const open: LiveClient[] = [];
before(async () => {
  node = await TestNode.start();
  api = new ApiClient(() => node.url);
});
after(async () => {
  for (const live of open) live.close();
  api.close();
  assert.deepEqual(node.errors, []);
  await node.remove();
});

async function connect(token?: string): Promise<LiveClient> {
  const live = await LiveClient.open(node.url, token);
  open.push(live);
  return live;
}

async function subscriber(event: EventShape, token?: string): Promise<LiveClient> {
  const live = await connect(token);
  live.send({ op: "subscribe", eventId: event.id });
  await live.next("snapshot");
  return live;
}

async function hold(event: EventShape, token: string, ...items: object[]): Promise<HoldShape> {
  const path = `/api/v1/events/${event.id}/holds`;
  return ok(await api.post<HoldShape>(path, { token, body: { items } }), 201);
}

/** Waits until the client has everything that a fresh look shows, and compares. */
async function agrees(live: LiveClient, event: EventShape): Promise<AvailabilityShape> {
  const shown = await availabilityOf(api, event.id);
  await until("the deltas have arrived", () => live.reader.seq >= shown.seq);
  assert.deepEqual(live.faults, []);
  assert.equal(live.reader.statuses, shown.statuses);
  const { free, held, sold, blocked } = shown;
  assert.deepEqual(live.reader.totals, { free, held, sold, blocked });
  for (const area of shown.areas) {
    const { key, free: freeHere, held: heldHere, sold: soldHere } = area;
    const expected = { free: freeHere, held: heldHere, sold: soldHere };
    assert.deepEqual(live.reader.areas.get(key), expected);
  }
  return shown;
}

test("a subscriber gets the state, then every change of seats and areas", async () => {
  const event = await openStudio(api);
  const token = await guestToken(api);
  const live = await subscriber(event);
  assert.deepEqual([live.reader.statuses, live.reader.capacity], ["ffffffffff", 15]);
  const held = await hold(event, token, { seat: "A-2" }, { area: "floor", quantity: 2 });
  const shown = await agrees(live, event);
  assert.equal(shown.statuses, "fhffffffff");
  const body = { holdId: held.id, payment: { provider: "none" }, email: "a@example.org" };
  ok(await api.post(`/api/v1/events/${event.id}/bookings`, { token, body }), 201);
  assert.equal((await agrees(live, event)).sold, 3);
  assert.equal(live.reader.snapshots, 1);
});

test("who comes in the middle of a rush joins the deltas exactly", async () => {
  const event = await openStudio(api, {
    areas: [{ key: "floor", name: "Floor", capacity: 5_000, priceCategory: "standing" }],
    limits: { perUser: 10_000 },
  });
  const token = await guestToken(api);
  const lives: LiveClient[] = [await subscriber(event)];
  const rush = Array.from({ length: 400 }, async (_, n) => {
    await hold(event, token, { area: "floor", quantity: 1 });
    if (n % 50 === 0) lives.push(await subscriber(event));
  });
  await Promise.all(rush);
  for (const live of lives) await agrees(live, event);
  assert.equal(lives.length, 9);
});

test("who was away resumes with the missed deltas and no snapshot", async () => {
  const event = await openStudio(api);
  const token = await guestToken(api);
  const stays = await subscriber(event);
  const leaves = await subscriber(event);
  await hold(event, token, { seat: "A-1" });
  await agrees(leaves, event);
  leaves.close();
  await hold(event, token, { seat: "A-2" });
  await agrees(stays, event);
  await hold(event, token, { seat: "A-3" });
  await agrees(stays, event);

  const back = await connect();
  back.reader = leaves.reader;
  const { epoch, seq } = back.reader;
  back.send({ op: "subscribe", eventId: event.id, since: { epoch, seq } });
  const first = await back.next("delta");
  assert.equal(first.eventId, event.id);
  await until("it has caught up", () => back.reader.seq === stays.reader.seq);
  assert.deepEqual(back.faults, []);
  await hold(event, token, { seat: "A-4" });
  await agrees(back, event);
  assert.equal(back.reader.snapshots, 1, "the one of before");
});

test("a client that resumes from an unknown place gets a snapshot", async () => {
  const event = await openStudio(api);
  const live = await subscriber(event);
  const { epoch, seq } = live.reader;
  for (const since of [
    { epoch: epoch - 1, seq },
    { epoch, seq: seq + 1_000 },
    { epoch, seq: -1 },
  ]) {
    const other = await connect();
    other.send({ op: "subscribe", eventId: event.id, since });
    assert.equal((await other.next("snapshot")).seq, seq);
  }
});

test("who unsubscribes hears no more", async () => {
  const event = await openStudio(api);
  const token = await guestToken(api);
  const [leaves, stays] = [await subscriber(event), await subscriber(event)];
  leaves.send({ op: "unsubscribe", eventId: event.id });
  assert.equal((await leaves.next("unsubscribed")).eventId, event.id);
  await hold(event, token, { seat: "A-1" });
  await agrees(stays, event);
  assert.equal(leaves.untaken("delta").length, 0);
});

test("one connection watches several events", async () => {
  const [first, second] = [await openStudio(api), await openStudio(api)];
  const token = await guestToken(api);
  const live = await connect();
  const readers = new Map<string, AvailabilityReader>();
  live.socket.on("message", (data) => {
    const { eventId } = JSON.parse(String(data)) as { eventId: string };
    const reader = readers.get(eventId) ?? new AvailabilityReader();
    readers.set(eventId, reader);
    reader.read(String(data));
  });
  for (const event of [first, second]) live.send({ op: "subscribe", eventId: event.id });
  await hold(first, token, { seat: "A-1" });
  await hold(second, token, { seat: "A-2" });
  await until("both have arrived", () =>
    [first, second].every(({ id }) => readers.get(id)?.totals.held === 1),
  );
  assert.equal(readers.get(first.id)?.statuses, "hfffffffff");
  assert.equal(readers.get(second.id)?.statuses, "fhffffffff");
});

test("an event that is cancelled is shown anew to its subscribers", async () => {
  const event = await openStudio(api);
  const live = await subscriber(event);
  const token = await adminToken(api);
  ok(await api.post(`/api/v1/events/${event.id}/cancel`, { token }));
  await live.next("snapshot");
  await agrees(live, event);
});

test("places are held, extended, booked and released over the WebSocket as over HTTP", async () => {
  const event = await openStudio(api);
  const token = await guestToken(api);
  const live = await connect(token);
  const items = [{ seat: "A-1" }, { area: "floor", quantity: 1 }];
  const ask = { op: "hold", eventId: event.id, items, idempotencyKey: "k" };
  live.send({ ...ask, id: 1 });
  const held = await live.next("reply", 1);
  assert.equal(held.status, 201);
  const holdId = held.body?.id ?? "";
  const path = `/api/v1/holds/${holdId}`;
  assert.deepEqual(ok(await api.get<HoldShape>(path, { token })), held.body);

  live.send({ ...ask, id: "again" });
  const again = await live.next("reply", "again");
  assert.deepEqual([again.status, again.replayed, again.body], [201, true, held.body]);
  const http = { token, key: "k", body: { items } };
  const overHttp = await api.post<HoldShape>(`/api/v1/events/${event.id}/holds`, http);
  assert.deepEqual(ok(overHttp, 201), held.body, "one key, whichever door");

  await until("the hold is a millisecond old", () => {
    return Date.now() > Date.parse(held.body?.expiresAt ?? "") - 600_000;
  });
  live.send({ op: "extend", id: 2, eventId: event.id, holdId });
  assert.equal((await live.next("reply", 2)).status, 200);
  const payment = { provider: "none" };
  live.send({ op: "book", id: 3, eventId: event.id, holdId, payment, email: "a@example.org" });
  const booked = await live.next("reply", 3);
  assert.deepEqual([booked.status, booked.body?.status], [201, "confirmed"]);
  const listed = ok(await api.get<{ data: object[] }>("/api/v1/bookings", { token }));
  assert.deepEqual(listed.data, [booked.body]);

  live.send({ ...ask, id: 4, items: [{ seat: "A-2" }], idempotencyKey: "l" });
  const other = await live.next("reply", 4);
  live.send({ op: "release", id: 5, eventId: event.id, holdId: other.body?.id });
  assert.equal((await live.next("reply", 5)).status, 204);
  live.send({ op: "hold", id: 6, eventId: event.id, items: [{ seat: "A-1" }] });
  const refused = await live.next("reply", 6);
  assert.deepEqual([refused.status, refused.body?.code], [409, "seat_unavailable"]);
});

test("an answer is never ahead of the availability", async () => {
  const event = await openStudio(api);
  const token = await guestToken(api);
  const live = await subscriber(event, token);
  await hold(event, token, { seat: "A-7" });
  const shown = await availabilityOf(api, event.id);
  assert.equal(shown.statuses?.[6], "h");
  await agrees(live, event);
});

test("the owner of a hold is told that it expired, and nobody else is", async () => {
  const event = await openStudio(api, { holdTtlSeconds: 1 });
  const [owner, stranger] = [await guestToken(api), await guestToken(api)];
  const mine = [await connect(owner), await connect(owner)];
  const other = await connect(stranger);
  const held = await hold(event, owner, { seat: "A-1" });
  for (const live of mine) {
    const told = await live.next("hold.expired");
    assert.deepEqual([told.holdId, told.eventId], [held.id, event.id]);
    assert.ok(Date.now() >= Date.parse(held.expiresAt), "never earlier");
  }
  assert.equal(other.untaken("hold.expired").length, 0);
  assert.equal((await availabilityOf(api, event.id)).free, 15);
});
