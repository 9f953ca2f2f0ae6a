/** The organiser changes what is for sale while it is on sale. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { BoxOffice, best, floor, refused, seats } from "../support/box-office.ts";
import { LiveClient } from "../support/client.ts";
import type { AvailabilityShape, EventShape } from "../support/shapes.ts";
import { auditOf, availabilityOf, ok, openStudio } from "../support/venue.ts";

const office = BoxOffice.forThisFile();

const change = (event: EventShape, body: object, token = office.admin) =>
  office.api.patch<AvailabilityShape>(`/api/v1/events/${event.id}/inventory`, { token, body });

test("blocked seats are not for sale until they are given back", async () => {
  const event = await openStudio(office.api);
  const { token } = await office.register();
  const blocked = ok(await change(event, { block: ["A-1", "A-2"] }));
  assert.deepEqual([blocked.blocked, blocked.free, blocked.capacity], [2, 13, 15]);
  const shown = await availabilityOf(office.api, event.id);
  assert.equal(shown.statuses, "bbffffffff");
  assert.ok(blocked.seq <= shown.seq);
  const taken = await office.tryHold(event, token, seats("A-1"));
  assert.deepEqual(refused(taken, 409, "seat_unavailable").seats, ["A-1"]);
  ok(await change(event, { unblock: ["A-1"] }));
  await office.book(event, token, seats("A-1"));
  const sold = await change(event, { block: ["A-1", "A-3"] });
  assert.deepEqual(refused(sold, 409, "seat_unavailable").seats, ["A-1"]);
  assert.equal((await availabilityOf(office.api, event.id)).statuses, "sbffffffff");
  await auditOf(office.api, event.id);
});

test("an area grows and shrinks down to what is in use, and the event shows it", async () => {
  const event = await openStudio(office.api);
  const { token } = await office.register();
  const path = `/api/v1/events/${event.id}`;
  const before = await office.api.get(path);
  await office.book(event, token, [floor(2)]);
  await office.hold(event, token, [floor(1)]);
  const few = await change(event, { areas: [{ key: "floor", capacity: 2 }] });
  assert.deepEqual(refused(few, 409, "capacity_in_use").inUse, 3);
  const grown = ok(await change(event, { areas: [{ key: "floor", capacity: 8 }] }));
  assert.deepEqual(grown.areas, [{ key: "floor", capacity: 8, free: 5, held: 1, sold: 2 }]);
  const after = await office.api.get<EventShape & { areas: { capacity: number }[] }>(path);
  assert.deepEqual([after.body.areas[0]?.capacity, after.body.capacity], [8, 18]);
  assert.notEqual(after.headers.etag, before.headers.etag);
  ok(await change(event, { areas: [{ key: "floor", capacity: 3 }] }));
  refused(await office.tryHold(event, token, [floor(1)]), 409, "insufficient_capacity");
  await auditOf(office.api, event.id);
});

test("an allotment is sold to who comes by its channel", async () => {
  const event = await openStudio(office.api);
  const { token } = await office.register();
  const allotment = { key: "club", seats: ["A-1"], areas: [{ key: "floor", quantity: 3 }] };
  const kept = ok(await change(event, { allotments: [allotment] }));
  assert.equal(kept.blocked, 4);
  assert.deepEqual(kept.areas, [
    { key: "floor", capacity: 5, free: 2, held: 0, sold: 0, blocked: 3 },
  ]);
  refused(await office.tryHold(event, token, seats("A-1")), 409, "seat_unavailable");
  refused(await office.tryHold(event, token, [floor(3)]), 409, "insufficient_capacity");
  const items = [...seats("A-1"), floor(2)];
  const hold = ok(await office.tryHold(event, token, items, { channel: "club" }), 201);
  ok(await office.api.delete(`/api/v1/holds/${hold.id}`, { token }), 204);
  assert.equal((await availabilityOf(office.api, event.id)).blocked, 4, "it returns to its own");
  ok(
    await change(event, { allotments: [{ key: "club", areas: [{ key: "floor", quantity: 0 }] }] }),
  );
  assert.equal((await availabilityOf(office.api, event.id)).blocked, 0);
  await auditOf(office.api, event.id);
});

test("an allotment is nobody else's: not by choice, by change, by move, or over WebSocket", async () => {
  const event = await openStudio(office.api);
  const [club, other] = [await office.register(), await office.register()];
  ok(await change(event, { allotments: [{ key: "club", seats: ["A-4", "A-5"] }] }));
  const wish = { quantity: 2, category: "stalls" };
  const chosen = ok(await office.tryHold(event, other.token, [best(wish)]), 201);
  assert.ok(chosen.items.every(({ seat }) => seat !== "A-4" && seat !== "A-5"));
  const nobodys = await office.tryHold(event, other.token, seats("A-4"), { channel: "clubs" });
  refused(nobodys, 409, "seat_unavailable");
  const { id } = await office.hold(event, other.token, seats("A-9"));
  const added = { token: other.token, body: { add: seats("A-4") } };
  refused(await office.api.patch(`/api/v1/holds/${id}`, added), 409, "seat_unavailable");
  const booked = await office.book(event, other.token, seats("A-10"));
  const move = `/api/v1/bookings/${booked.id}/tickets/${booked.tickets[0]?.id}/move`;
  const wanted = { token: other.token, body: { seat: "A-4" } };
  refused(await office.api.post(move, wanted), 409, "seat_unavailable");

  const live = await LiveClient.open(office.node.url, club.token);
  const eventId = event.id;
  live.send({ op: "hold", id: 1, eventId, items: seats("A-4") });
  assert.equal((await live.next("reply", 1)).status, 409);
  live.send({ op: "hold", id: 2, eventId, items: [best(wish)], channel: "club" });
  const held = await live.next("reply", 2);
  assert.deepEqual(held.body?.items.map(({ seat }) => seat).sort(), ["A-4", "A-5"]);
  live.send({ op: "book", id: 3, eventId, holdId: held.body?.id, payment: { provider: "none" } });
  const sold = await live.next("reply", 3);
  assert.equal(sold.status, 201);
  refused(
    await change(event, { allotments: [{ key: "club", seats: [] }] }),
    409,
    "seat_unavailable",
  );
  live.send({ op: "cancel", id: 4, bookingId: sold.body?.id });
  assert.equal((await live.next("reply", 4)).status, 200);
  live.close();
  assert.equal((await availabilityOf(office.api, event.id)).statuses?.slice(3, 5), "bb");
  ok(await change(event, { allotments: [{ key: "club", seats: [] }] }));
  assert.equal((await availabilityOf(office.api, event.id)).statuses?.slice(3, 5), "ff");
  await auditOf(office.api, event.id);
});

test("what does not exist is named; who does not organise the event changes nothing", async () => {
  const event = await openStudio(office.api);
  const { token } = await office.register();
  assert.deepEqual(refused(await change(event, { block: ["Z-1"] }), 400, "unknown_seat").seats, [
    "Z-1",
  ]);
  const areas = [{ key: "roof", capacity: 1 }];
  assert.deepEqual(refused(await change(event, { areas }), 400, "unknown_area").areas, ["roof"]);
  refused(await change(event, { block: ["A-1"] }, token), 403, "forbidden");
  const both = {
    areas: [{ key: "floor", capacity: 5 }],
    allotments: [{ key: "club", areas: [{ key: "floor", quantity: 1 }] }],
  };
  refused(await change(event, both), 400, "validation_failed");
});
