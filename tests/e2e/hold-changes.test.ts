/** A hold changes what it has, and loses nothing of the rest. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { BoxOffice, floor, refused, seats } from "../support/box-office.ts";
import type { HoldShape } from "../support/shapes.ts";
import { auditOf, availabilityOf, ok, openStudio } from "../support/venue.ts";

const office = BoxOffice.forThisFile();

const change = (hold: HoldShape, token: string, body: object, key?: string) =>
  office.api.patch<HoldShape>(`/api/v1/holds/${hold.id}`, {
    token,
    body,
    ...(key === undefined ? {} : { key }),
  });

test("items are dropped and others added; what stays keeps its id, and all of it is booked", async () => {
  const event = await openStudio(office.api);
  const { token } = await office.register();
  const hold = await office.hold(event, token, [...seats("A-1", "A-2"), floor(2)]);
  const [first, second, third] = hold.items;
  const body = { remove: [first?.id, third?.id], add: [...seats("A-5"), floor(1)] };
  const reply = await change(hold, token, body, "k");
  const changed = ok(reply);
  assert.deepEqual([changed.id, changed.expiresAt], [hold.id, hold.expiresAt]);
  assert.ok(changed.seq > hold.seq);
  assert.deepEqual(
    changed.items.map(({ seat, area }) => seat ?? area),
    ["A-2", "floor", "A-5", "floor"],
  );
  assert.equal(changed.items[0]?.id, second?.id);
  assert.equal(new Set([...hold.items, ...changed.items].map(({ id }) => id)).size, 6);
  const replayed = await change(hold, token, body, "k");
  assert.deepEqual(replayed.body, changed);
  assert.equal(replayed.headers["idempotent-replayed"], "true");
  assert.equal((await availabilityOf(office.api, event.id)).statuses, "fhffhfffff");
  const booked = ok(await office.tryBook(event, token, hold.id), 201);
  assert.deepEqual(
    booked.tickets.map(({ id }) => id),
    changed.items.map(({ id }) => id),
  );
  assert.deepEqual(await office.booking(booked.id, token), booked);
  await auditOf(office.api, event.id);
});

test("a change that can't be made whole is not made at all", async () => {
  const event = await openStudio(office.api);
  const [mine, other] = [await office.register(), await office.register()];
  const hold = await office.hold(event, mine.token, seats("A-1", "A-2"));
  await office.hold(event, other.token, seats("A-3"));
  const ids = hold.items.map(({ id }) => id);
  const asked = (body: object, token = mine.token) => change(hold, token, body);
  const taken = await asked({ remove: [ids[0]], add: seats("A-3") });
  assert.deepEqual(refused(taken, 409, "seat_unavailable").seats, ["A-3"]);
  refused(await asked({ remove: ids }), 409, "hold_would_be_empty");
  refused(await asked({ remove: [event.id] }), 404, "item_not_found");
  refused(await asked({ add: seats("A-4") }, other.token), 404, "hold_not_found");
  refused(await asked({}), 400, "validation_failed");
  refused(await asked({ add: [floor(20)] }), 409, "limit_exceeded");
  const now = await office.api.get<HoldShape>(`/api/v1/holds/${hold.id}`, { token: mine.token });
  assert.deepEqual(ok(now), hold);
  await auditOf(office.api, event.id);
});
