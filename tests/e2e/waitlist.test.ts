/** Who comes too late waits, and is offered what others give back. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { BoxOffice, best, floor, refused } from "../support/box-office.ts";
import { LiveClient } from "../support/client.ts";
import type { EventShape, Page, WaitingShape } from "../support/shapes.ts";
import { auditOf, ok, openStudio } from "../support/venue.ts";

const office = BoxOffice.forThisFile();

const join = (event: EventShape, token: string, body: object) =>
  office.api.post<WaitingShape>(`/api/v1/events/${event.id}/waitlist`, { token, body });
const mine = (event: EventShape): string => `/api/v1/events/${event.id}/waitlist/me`;
const STANDING = { quantity: 2, categories: ["standing"] };

/** An event whose floor is sold: five places, of one booking. */
async function soldOut() {
  const event = await openStudio(office.api);
  const owner = await office.register();
  const booked = await office.book(event, owner.token, [floor(5)]);
  return { event, owner, booked };
}

test("freed places are offered to the first whose wish they meet, who is told and books them", async () => {
  const { event, owner, booked } = await soldOut();
  const [first, second] = [await office.register(), await office.register()];
  const live = await LiveClient.open(office.node.url, second.token);
  const waiting = ok(await join(event, first.token, STANDING), 201);
  assert.deepEqual([waiting.position, waiting.status], [1, "waiting"]);
  assert.deepEqual(ok(await join(event, first.token, STANDING)), waiting, "the same again");
  refused(await join(event, first.token, { quantity: 3 }), 409, "already_waiting");
  const sooner = ok(await join(event, second.token, { ...STANDING, priority: 5 }), 201);
  assert.equal(sooner.position, 1, "priority comes before arrival");
  const now = ok(await office.api.get<WaitingShape>(mine(event), { token: first.token }));
  assert.equal(now.position, 2);
  const path = `/api/v1/events/${event.id}/waitlist`;
  const line = ok(await office.api.get<Page<object>>(path, { token: office.admin }));
  assert.equal(line.data.length, 2);
  refused(await office.api.get(path, { token: first.token }), 403, "forbidden");

  const ticketIds = booked.tickets.slice(0, 2).map(({ id }) => id);
  const cancel = { token: owner.token, body: { ticketIds } };
  ok(await office.api.post(`/api/v1/bookings/${booked.id}/cancel`, cancel));
  const { hold } = await live.next("waitlist.offer");
  assert.ok(hold !== undefined);
  assert.deepEqual([hold.source, hold.items.length], ["waitlist", 2]);
  const offered = await office.api.get<WaitingShape>(mine(event), { token: second.token });
  const { status, position, id, offer } = ok(offered);
  assert.deepEqual([status, position, id], ["offered", 0, sooner.id]);
  assert.deepEqual(offer, hold);
  const left = ok(await office.api.get<WaitingShape>(mine(event), { token: first.token }));
  assert.equal(left.position, 1);
  const taken = await office.tryHold(event, owner.token, [floor(1)]);
  refused(taken, 409, "insufficient_capacity");
  ok(await office.tryBook(event, second.token, hold.id), 201);
  refused(await office.api.get(mine(event), { token: second.token }), 404, "not_waiting");
  live.close();
  await auditOf(office.api, event.id);
});

test("an offer that is not wanted passes to the next", async () => {
  const { event, owner, booked } = await soldOut();
  const first = await office.register();
  const second = await office.register();
  const third = await office.register();
  const live = [
    await LiveClient.open(office.node.url, first.token),
    await LiveClient.open(office.node.url, second.token),
    await LiveClient.open(office.node.url, third.token),
  ] as const;
  for (const { token } of [first, second, third]) ok(await join(event, token, STANDING), 201);
  const ticketIds = booked.tickets.slice(0, 2).map(({ id }) => id);
  const cancel = { token: owner.token, body: { ticketIds } };
  ok(await office.api.post(`/api/v1/bookings/${booked.id}/cancel`, cancel));
  const { hold } = await live[0].next("waitlist.offer");
  const given = await office.api.delete(`/api/v1/holds/${hold?.id}`, { token: first.token });
  assert.equal(given.status, 204);
  const next = await live[1].next("waitlist.offer");
  assert.equal(next.hold?.items.length, 2);
  const gone = await office.api.delete(mine(event), { token: second.token });
  assert.equal(gone.status, 204, "who leaves gives back what they were offered");
  refused(
    await office.api.get(`/api/v1/holds/${next.hold?.id}`, { token: second.token }),
    410,
    "hold_released",
  );
  assert.equal((await live[2].next("waitlist.offer")).hold?.items.length, 2);
  for (const client of live) client.close();
  await auditOf(office.api, event.id);
});

test("where places are free at once, the answer is the offer; who leaves waits no longer", async () => {
  const event = await openStudio(office.api);
  const { token } = await office.register();
  const entry = ok(await join(event, token, { quantity: 2 }), 201);
  assert.deepEqual([entry.status, entry.position], ["offered", 0]);
  assert.deepEqual([entry.offer?.source, entry.offer?.items.length], ["waitlist", 2]);
  const other = await office.register();
  await office.hold(event, other.token, [best({ quantity: 2, category: "balcony" }), floor(5)]);
  const waiting = ok(await join(event, other.token, { quantity: 9 }), 201);
  assert.equal(waiting.status, "waiting");
  for (let n = 0; n < 2; n += 1) {
    assert.equal((await office.api.delete(mine(event), { token: other.token })).status, 204);
  }
  refused(await office.api.get(mine(event), { token: other.token }), 404, "not_waiting");
});
