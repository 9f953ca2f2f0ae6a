import assert from "node:assert/strict";
import { test } from "node:test";
import { type HoldId, itemIdOf } from "../../engine/ids.ts";
import { CHURN_WINDOW_MS_DEFAULT, ITEM_IDS_PER_HOLD } from "../../engine/limits.ts";
import { ALICE, EVENT_ID, NOON } from "../../engine/testing/fixtures.ts";
import { CUSTOMER, type Document, EngineDesk, OTHER, request } from "./testing/desk-bench.ts";

const EXPIRES = new Date(NOON + 600_000).toISOString();
const NO_BOUNDS = { categories: null, fromMs: null, untilMs: null };
const EARLY = {
  code: "EARLY",
  kind: "percent",
  value: 1_000,
  ...NO_BOUNDS,
  usesMax: 1,
  usesPerUserMax: null,
} as const;
const FEES = { fees: [{ name: "service", kind: "fixed", minor: 100 }], tax: null } as const;

const hold = (items: readonly object[], more: object = {}, identity = CUSTOMER) =>
  request({ items, ...more }, identity);
const seat = (id: string) => ({ seat: id });
const best = (wish: object) => [{ bestAvailable: wish }];

async function held(at: EngineDesk, ...seats: string[]): Promise<Document & { id: HoldId }> {
  const asked = hold(seats.map(seat));
  const [status, body] = await at.done((desk, s) => desk.holds.hold(EVENT_ID, asked, s));
  assert.equal(status, 201);
  return { ...body, id: body.id as HoldId };
}

test("discount and fee of a place are shown beside its price, and the total is what is due", async () => {
  const at = new EngineDesk({ promoCodes: [EARLY], charges: FEES });
  const asked = hold([seat("A-1"), { area: "floor", quantity: 1 }], { promoCode: " early" });
  const [status, body] = await at.done((desk, s) => desk.holds.hold(EVENT_ID, asked, s));
  const id = body.id as HoldId;
  assert.equal(status, 201);
  assert.deepEqual(body, {
    id,
    eventId: EVENT_ID,
    items: [
      {
        id: itemIdOf(id, 0),
        seat: "A-1",
        category: "stalls",
        price: 4500,
        discount: 450,
        fee: 100,
        due: 4150,
      },
      {
        id: itemIdOf(id, 1),
        area: "floor",
        category: "standing",
        price: 3000,
        discount: 300,
        fee: 100,
        due: 2800,
      },
    ],
    total: { amount: 6950, currency: "EUR" },
    expiresAt: EXPIRES,
    status: "active",
    promoCode: "EARLY",
    seq: 2,
  });
  const again = hold([seat("A-2")], { promoCode: "EARLY" }, OTHER);
  assert.deepEqual(await at.refused((desk, s) => desk.holds.hold(EVENT_ID, again, s)), [
    "promo_not_valid",
    { reason: "used_up" },
  ]);
  const other = hold([seat("A-2")], { promoCode: "LATE" });
  assert.deepEqual(await at.refused((desk, s) => desk.holds.hold(EVENT_ID, other, s)), [
    "promo_not_valid",
    { reason: "unknown" },
  ]);
});

test("the best places come with the reason why", async () => {
  const at = new EngineDesk();
  const asked = hold(best({ quantity: 3, category: "stalls" }));
  const [status, body] = await at.done((desk, s) => desk.holds.hold(EVENT_ID, asked, s));
  assert.equal(status, 201);
  const items = body.items as Document[];
  const [group, ...others] = body.bestAvailable as Document[];
  assert.deepEqual(others, []);
  assert.deepEqual(
    { ...group, distance: typeof group?.distance, orphans: typeof group?.orphans },
    {
      seats: items.map((item) => item.seat),
      row: "A",
      zone: "Stalls",
      distance: "number",
      orphans: "number",
    },
  );
  assert.equal(items.length, 3);
});

test("where too few places are free, or none beside each other, what there is is told", async () => {
  const at = new EngineDesk({ perOrderMax: 20, perUserMax: 40 });
  const many = hold(best({ quantity: 9, category: "stalls" }));
  assert.deepEqual(await at.refused((desk, s) => desk.holds.hold(EVENT_ID, many, s)), [
    "insufficient_capacity",
    { category: "stalls", available: 8 },
  ]);
  // Every other seat of the stalls.
  at.engine.held([1, 3, 5, 7]);
  const pair = hold(best({ quantity: 2, category: "stalls" }));
  const [code, members] = await at.refused((desk, s) => desk.holds.hold(EVENT_ID, pair, s));
  assert.equal(code, "no_adjacent_seats");
  const [items] = members.alternatives as Document[][];
  assert.ok(items !== undefined);
  assert.deepEqual(
    items.map(({ group }) => group),
    [0, 1],
  );
  // An alternative can be asked for as it is.
  const [status] = await at.done((desk, s) => desk.holds.hold(EVENT_ID, hold(items), s));
  assert.equal(status, 201);
});

test("a hold gives items up and takes others, and keeps the ids of the rest", async () => {
  const at = new EngineDesk();
  const { id } = await held(at, "A-1", "A-2");
  const change = request({ add: [seat("A-5")], remove: [itemIdOf(id, 0)] });
  const [status, body] = await at.done((desk, s) => desk.holds.change(id, change, s));
  assert.equal(status, 200);
  assert.deepEqual(body, {
    id,
    eventId: EVENT_ID,
    items: [
      { id: itemIdOf(id, 1), seat: "A-2", category: "stalls", price: 4500 },
      { id: itemIdOf(id, 2), seat: "A-5", category: "stalls", price: 4500 },
    ],
    total: { amount: 9000, currency: "EUR" },
    expiresAt: EXPIRES,
    status: "active",
    seq: 3,
  });
  const [, found] = await at.done((desk, s) => desk.holds.find(id, CUSTOMER, s));
  assert.deepEqual(found, body);
});

test("changes of a hold that can't be made say why", async () => {
  const at = new EngineDesk();
  const { id } = await held(at, "A-1", "A-2");
  at.engine.held([9], OTHER.userId);
  const change = (body: object, identity = CUSTOMER) =>
    at.refused((desk, s) => desk.holds.change(id, request(body, identity), s));
  const foreign = itemIdOf(id, 50);
  assert.deepEqual(await change({ remove: [itemIdOf(id, 0), itemIdOf(id, 1)] }), [
    "hold_would_be_empty",
    {},
  ]);
  assert.deepEqual(await change({ remove: [foreign] }), ["item_not_found", { items: [foreign] }]);
  assert.deepEqual(await change({ remove: ["x"] }), ["item_not_found", { items: ["x"] }]);
  assert.deepEqual(await change({ add: [seat("A-10")] }), [
    "seat_unavailable",
    { seats: ["A-10"] },
  ]);
  assert.deepEqual(await change({ add: [seat("Z-1")] }), ["unknown_seat", { seats: ["Z-1"] }]);
  assert.deepEqual(await change({ add: [seat("A-3"), seat("A-4"), seat("A-5")] }), [
    "limit_exceeded",
    { scope: "perOrder", limit: 4, current: 5 },
  ]);
  assert.equal((await change({}))[0], "validation_failed");
  assert.equal((await change({ add: best({ quantity: 1 }) }))[0], "validation_failed");
  assert.deepEqual(await change({ add: [seat("A-3")] }, OTHER), ["hold_not_found", {}]);
  at.engine.run(at.engine.payCommand(id));
  const [code, members] = await change({ add: [seat("A-3")] });
  assert.equal(code, "hold_paying");
  assert.deepEqual(Object.keys(members), ["bookingId"]);
  const [, found] = await at.done((desk, s) => desk.holds.find(id, CUSTOMER, s));
  assert.equal(found.bookingId, members.bookingId);
});

test("a hold that is changed again and again runs out of ids for its items", async () => {
  const at = new EngineDesk();
  const { id } = await held(at, "A-1", "A-2");
  let next = 1;
  let result = await swap();
  for (; result.kind === "ok"; result = await swap()) next += 1;
  assert.equal(result.code, "hold_changed_too_often");
  assert.equal(next, ITEM_IDS_PER_HOLD - 1);

  function swap() {
    const add = [seat(next % 2 === 0 ? "A-2" : "A-3")];
    const change = request({ add, remove: [itemIdOf(id, next)] });
    return at.ask((desk, s) => desk.holds.change(id, change, s));
  }
});

test("who keeps dropping holds waits, and is told until when", async () => {
  const rule = { freeDrops: 1, windowMs: CHURN_WINDOW_MS_DEFAULT, firstWaitMs: 5_000 };
  const at = new EngineDesk({ churn: { ...rule, waitMsMax: 60_000 } });
  for (let n = 0; n < 2; n += 1) {
    const { id } = await held(at, "A-1");
    const [status] = await at.done((desk, s) => desk.holds.release(id, CUSTOMER, s));
    assert.equal(status, 204);
  }
  const asked = hold([seat("A-1")]);
  assert.deepEqual(await at.refused((desk, s) => desk.holds.hold(EVENT_ID, asked, s)), [
    "hold_churn",
    { retryAt: new Date(NOON + 5_000).toISOString() },
  ]);
});

test("an allotment's seats are for who comes by its channel", async () => {
  const at = new EngineDesk();
  at.engine.run({
    kind: "changePlaces",
    by: ALICE,
    block: [],
    unblock: [],
    allotments: [{ channel: "club", seats: [0], areas: [] }],
    capacities: [],
    key: null,
  });
  const asked = hold([seat("A-1")]);
  assert.deepEqual(await at.refused((desk, s) => desk.holds.hold(EVENT_ID, asked, s)), [
    "seat_unavailable",
    { seats: ["A-1"] },
  ]);
  const byChannel = hold([seat("A-1")], { channel: "club" });
  const [status] = await at.done((desk, s) => desk.holds.hold(EVENT_ID, byChannel, s));
  assert.equal(status, 201);
});
