/** The server chooses the places, and promo codes change what they cost. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { BoxOffice, best, floor, refused, seats } from "../support/box-office.ts";
import { LiveClient } from "../support/client.ts";
import type { Problem } from "../support/shapes.ts";
import { auditOf, ok, openStudio, openTheatre } from "../support/venue.ts";

const office = BoxOffice.forThisFile();

test("four seats beside each other come with the reason why", async () => {
  const event = await openTheatre(office.api);
  const { token } = await office.register();
  const wish = best({ quantity: 4, category: "stalls" });
  const hold = await office.hold(event, token, [wish]);
  const names = hold.items.map(({ seat }) => seat);
  assert.equal(new Set(names).size, 4);
  assert.ok(hold.items.every(({ category }) => category === "stalls"));
  const [group, ...others] = hold.bestAvailable ?? [];
  assert.deepEqual(others, []);
  assert.ok(group !== undefined && group.row !== null && group.zone !== null);
  assert.deepEqual(group.seats, names);
  const path = `/api/v1/holds/${hold.id}`;
  assert.deepEqual(ok(await office.api.get(path, { token })), hold);
  const next = await office.hold(event, (await office.register()).token, [wish]);
  assert.ok(next.items.every(({ seat }) => !names.includes(seat)));
  await auditOf(office.api, event.id);
});

test("a zone is wished for by its name; one that there is not is refused by its path", async () => {
  const event = await openStudio(office.api);
  const { token } = await office.register();
  const hold = await office.hold(event, token, [best({ quantity: 2, zone: "Hall" })]);
  assert.equal(hold.bestAvailable?.[0]?.zone, "Hall");
  const unknown = await office.tryHold(event, token, [best({ quantity: 2, zone: "Roof" })]);
  const { errors } = refused(unknown, 400, "validation_failed");
  assert.deepEqual(
    errors?.map(({ path }) => path),
    ["items[0].bestAvailable.zone"],
  );
  const royal = await office.tryHold(event, token, [best({ quantity: 2, category: "royal" })]);
  assert.deepEqual(refused(royal, 400, "unknown_category").categories, ["royal"]);
});

test("where seats are not side by side, an alternative can be asked for as it is", async () => {
  const event = await openStudio(office.api);
  const [first, second] = [await office.register(), await office.register()];
  await office.hold(event, first.token, seats("A-2", "A-4", "A-6", "A-8"));
  const pair = best({ quantity: 2, category: "stalls" });
  const { alternatives } = refused(
    await office.tryHold(event, second.token, [pair]),
    409,
    "no_adjacent_seats",
  );
  const [items] = alternatives ?? [];
  assert.ok(items !== undefined && items.length === 2);
  const hold = await office.hold(event, second.token, items);
  assert.deepEqual(
    hold.items.map(({ seat }) => seat),
    items.map(({ seat }) => seat),
  );
  const apart = best({ quantity: 2, category: "stalls", adjacent: false });
  await office.hold(event, (await office.register()).token, [apart]);
  const gone = await office.tryHold(event, second.token, [pair]);
  assert.deepEqual(refused(gone, 409, "insufficient_capacity").available, 0);
});

test("named places and wishes are one hold; any place of an area is as good as another", async () => {
  const event = await openStudio(office.api);
  const { token } = await office.register();
  const items = [...seats("A-1"), floor(1), best({ quantity: 2, category: "standing" })];
  const hold = await office.hold(event, token, items);
  assert.deepEqual(
    hold.items.map(({ seat, area }) => seat ?? area),
    ["A-1", "floor", "floor", "floor"],
  );
});

test("what is left is told in numbers, by either door, and a huge party hears the limit", async () => {
  const event = await openStudio(office.api);
  const { token } = await office.register();
  const live = await LiveClient.open(office.node.url, token);
  const askedFor = async (items: readonly object[]) => {
    const body = { items, promoCode: null };
    const reply = await office.api.post<Problem>(`/api/v1/events/${event.id}/holds`, {
      token,
      body,
    });
    live.send({ op: "hold", id: 1, eventId: event.id, ...body });
    const told = await live.next("reply", 1);
    const { requestId: _, ...problem } = reply.body;
    assert.deepEqual([told.status, told.body], [reply.status, problem]);
    return reply;
  };
  const standing = await askedFor([best({ quantity: 6, category: "standing", zone: null })]);
  assert.equal(refused(standing, 409, "insufficient_capacity").available, 5);
  const beside = await askedFor([floor(2), best({ quantity: 4, category: "standing" })]);
  assert.equal(refused(beside, 409, "insufficient_capacity").available, 3);
  for (const items of [[floor(5_000)], [best({ quantity: 5_000 })]]) {
    const { scope, limit, current } = refused(await askedFor(items), 409, "limit_exceeded");
    assert.deepEqual([scope, limit, current], ["perOrder", 10, 5_000]);
  }
  const { detail } = refused(await askedFor(seats("Z-1")), 400, "unknown_seat");
  assert.equal(detail, 'This event has no "Z-1"');
  live.close();
});

test("a promo code makes places cheaper, as often as it may be used", async () => {
  const promo = { code: "early", percent: "10", categories: ["stalls"], uses: 1 };
  const event = await openStudio(office.api, { promoCodes: [promo] });
  const { token } = await office.register();
  const items = [...seats("A-1"), floor(1)];
  const hold = ok(await office.tryHold(event, token, items, { promoCode: " Early " }), 201);
  assert.equal(hold.promoCode, "EARLY");
  assert.deepEqual(
    hold.items.map(({ price, discount = 0 }) => [price, discount]),
    [
      [4500, 450],
      [3000, 0],
    ],
  );
  assert.deepEqual(hold.total, { amount: 7050, currency: "EUR" });
  const again = await office.tryHold(event, token, seats("A-2"), { promoCode: "EARLY" });
  assert.equal(refused(again, 409, "promo_not_valid").reason, "used_up");
  const booked = ok(await office.tryBook(event, token, hold.id), 201);
  assert.deepEqual([booked.total, booked.promoCode], [hold.total, "EARLY"]);
  assert.deepEqual(await office.booking(booked.id, token), booked);
  ok(await office.api.post(`/api/v1/bookings/${booked.id}/cancel`, { token }));
  const free = await office.tryHold(event, token, seats("A-2"), { promoCode: "EARLY" });
  assert.equal(ok(free, 201).promoCode, "EARLY", "a cancelled order gives its use back");
  await auditOf(office.api, event.id);
});

test("codes that are none, unknown ones, and places they don't apply to", async () => {
  const promo = { code: "CLUB", amount: 500, categories: ["stalls"] };
  const event = await openStudio(office.api, { promoCodes: [promo] });
  const { token } = await office.register();
  const held = (promoCode: unknown, items: readonly object[] = seats("A-1")) =>
    office.tryHold(event, token, items, { promoCode });
  assert.equal(refused(await held("NONE"), 409, "promo_not_valid").reason, "unknown");
  const standing = refused(await held("CLUB", [floor(1)]), 409, "promo_not_valid");
  assert.equal(standing.reason, "no_place_it_applies_to");
  for (const wrong of ["", "two words", 7]) {
    refused(await held(wrong), 400, "validation_failed");
  }
});
