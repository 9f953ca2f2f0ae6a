/** The organiser changes what is for sale while it is on sale. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { BoxOffice, floor, refused, seats } from "../support/box-office.ts";
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
