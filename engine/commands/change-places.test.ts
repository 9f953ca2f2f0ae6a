import assert from "node:assert/strict";
import { test } from "node:test";
import { decodeFact, encodeFact } from "../fact-codec.ts";
import { AREA_CAPACITY_MAX, AREAS_PER_EVENT_MAX } from "../limits.ts";
import { placeOfArea } from "../place.ts";
import { restore, snapshotOf } from "../snapshot.ts";
import { snapshotHash } from "../snapshot-comparison.ts";
import { ALICE, BOB, definition, EventBench } from "../testing/fixtures.ts";
import { factOf, refusalOf } from "../testing/replies.ts";
import type { ChangePlaces } from "./change-places.ts";

const FLOOR = placeOfArea(0);

function change(bench: EventBench, changes: Partial<ChangePlaces>) {
  const none = { block: [], unblock: [], allotments: [], capacities: [], key: null };
  return bench.run({ kind: "changePlaces", by: BOB, ...none, ...changes });
}

const press = (seats: readonly number[], quantity: number | null = null) => ({
  channel: "press",
  seats,
  areas: quantity === null ? [] : [{ area: 0, quantity }],
});

test("blocked seats are for nobody until they are unblocked", () => {
  const bench = new EventBench();
  factOf(change(bench, { block: [2, 3, 3] }), "placesChanged");
  assert.equal(bench.statuses(), "ffbbffffff");
  assert.equal(refusalOf(bench.hold([2])).code, "seat_unavailable");
  assert.equal(bench.state.inventory?.blocked, 2);
  assert.deepEqual(change(bench, { block: [2], unblock: [9] }).reply, { kind: "unchanged" });
  factOf(change(bench, { unblock: [2, 3] }), "placesChanged");
  assert.equal(bench.statuses(), "ffffffffff");
});

test("what is held or sold is not blocked, and all happens or nothing", () => {
  const bench = new EventBench();
  bench.held([0]);
  bench.booked(bench.held([1]));
  const refused = refusalOf(change(bench, { block: [5, 0, 1] }));
  assert.deepEqual(refused, { code: "seat_unavailable", seats: [0, 1] });
  assert.equal(bench.statuses(), "hsffffffff");
  assert.equal(refusalOf(change(bench, { unblock: [0] })).code, "seat_unavailable");
  assert.deepEqual(refusalOf(change(bench, { block: [10] })), {
    code: "unknown_place",
    places: [10],
  });
  assert.equal(refusalOf(change(bench, { block: [FLOOR] })).code, "unknown_place");
});

test("an event that nobody configured has no places to change", () => {
  const refused = refusalOf(change(new EventBench(null), { block: [0] }));
  assert.deepEqual(refused, { code: "event_not_found" });
});

test("an allotment is all that its channel has: what it is not given again returns", () => {
  const bench = new EventBench();
  factOf(change(bench, { allotments: [press([0, 1], 3)] }), "placesChanged");
  assert.equal(bench.state.inventory?.area(0).blocked, 3);
  factOf(change(bench, { allotments: [press([1, 2], 1)] }), "placesChanged");
  assert.equal(bench.statuses(), "fbbfffffff");
  assert.equal(bench.state.inventory?.area(0).free, 4);
  assert.deepEqual(change(bench, { allotments: [press([2, 1], 1)] }).reply, { kind: "unchanged" });
  assert.equal(refusalOf(change(bench, { block: [1] })).code, "seat_unavailable");
});

test("what an allotment has sold stays its own", () => {
  const bench = new EventBench();
  change(bench, { allotments: [press([0], 2)] });
  const hold = { ...bench.holdCommand([0, FLOOR]), channel: "press" };
  bench.run(hold);
  const seats = refusalOf(change(bench, { allotments: [press([], 2)] }));
  assert.deepEqual(seats, { code: "seat_unavailable", seats: [0] });
  const area = refusalOf(change(bench, { allotments: [press([0], 0)] }));
  assert.deepEqual(area, { code: "capacity_in_use", area: 0, inUse: 1 });
  factOf(change(bench, { allotments: [press([0], 1)] }), "placesChanged");
  bench.run({ kind: "release", holdId: hold.holdId, userId: ALICE });
  factOf(change(bench, { allotments: [press([], 0)] }), "placesChanged");
  assert.equal(bench.state.inventory?.free, 15);
});

test("two allotments share what an area has free", () => {
  const bench = new EventBench();
  const club = { channel: "club", seats: [], areas: [{ area: 0, quantity: 3 }] };
  const refused = refusalOf(change(bench, { allotments: [press([], 3), club] }));
  assert.deepEqual(refused, { code: "insufficient_capacity", area: 0, available: 2 });
  factOf(change(bench, { allotments: [press([], 2), club] }), "placesChanged");
  assert.equal(bench.state.inventory?.area(0).free, 0);
});

test("an area keeps what is in use, kept places among it, and gives up what is free", () => {
  const bench = new EventBench();
  bench.held([FLOOR]);
  change(bench, { allotments: [press([], 2)] });
  const refused = refusalOf(change(bench, { capacities: [{ area: 0, capacity: 2 }] }));
  assert.deepEqual(refused, { code: "capacity_in_use", area: 0, inUse: 3 });
  const both = { allotments: [press([], 3)], capacities: [{ area: 0, capacity: 3 }] };
  assert.deepEqual(refusalOf(change(bench, both)), { code: "capacity_in_use", area: 0, inUse: 4 });
  factOf(change(bench, { capacities: [{ area: 0, capacity: 3 }] }), "placesChanged");
  assert.equal(bench.state.inventory?.capacity, 13);
  const grown = { allotments: [press([], 2)], capacities: [{ area: 0, capacity: 8 }] };
  factOf(change(bench, grown), "placesChanged");
  assert.equal(bench.state.definition?.areas[0]?.capacity, 8);
  assert.equal(
    refusalOf(change(bench, { capacities: [{ area: 1, capacity: 8 }] })).code,
    "unknown_place",
  );
});

test("a configuration that comes later leaves the capacities as they are", () => {
  const bench = new EventBench();
  change(bench, { capacities: [{ area: 0, capacity: 8 }] });
  const areas = [{ key: "floor", category: 1, capacity: 5 }];
  bench.run({ kind: "configure", definition: definition({ areas, perUserMax: 1 }) });
  assert.equal(bench.state.definition?.areas[0]?.capacity, 8);
  assert.equal(bench.state.inventory?.area(0).capacity, 8);
});

test("limits that are lowered below what is there take nothing away", () => {
  const bench = new EventBench();
  const holdId = bench.held([0, 1, 2]);
  const lower = definition({ perUserMax: 1, perOrderMax: 1, holdTtlMs: 1_000 });
  bench.run({ kind: "configure", definition: lower });
  assert.equal(refusalOf(bench.hold([5])).code, "limit_exceeded");
  bench.booked(holdId);
  assert.equal(bench.state.placesByUser.get(ALICE), 3);
});

test("what validation should have refused is a bug, and does nothing", () => {
  const bench = new EventBench();
  change(bench, { allotments: [press([5], 1)] });
  const twice = [press([1]), press([2])];
  assert.throws(() => change(bench, { allotments: twice }));
  const areas = [
    { area: 0, quantity: 2 },
    { area: 0, quantity: 3 },
  ];
  assert.throws(() => change(bench, { allotments: [{ ...press([5]), areas }] }));
  assert.throws(() => change(bench, { allotments: [{ ...press([5], 1), channel: "" }] }));
  assert.throws(() => change(bench, { allotments: [press([5], -1)] }));
  assert.equal(bench.statuses(), "fffffbffff");
});

test("the largest allotments there may be are one small fact", () => {
  const areas = Array.from({ length: AREAS_PER_EVENT_MAX }, (_, area) => {
    return { key: `area ${area}`, category: 1, capacity: AREA_CAPACITY_MAX };
  });
  const bench = new EventBench({ areas });
  const allot = (quantity: number) => {
    const parts = areas.map((_, area) => ({ area, quantity }));
    const allotments = [{ channel: "press", seats: [], areas: parts }];
    return factOf(change(bench, { allotments }), "placesChanged");
  };
  const fact = allot(AREA_CAPACITY_MAX);
  assert.ok(JSON.stringify(encodeFact(fact)).length < 100 * AREAS_PER_EVENT_MAX);
  assert.deepEqual(decodeFact(JSON.parse(JSON.stringify(encodeFact(fact)))), fact);
  assert.equal(bench.state.inventory?.free, 10);
  assert.equal(bench.state.inventory?.blocked, AREAS_PER_EVENT_MAX * AREA_CAPACITY_MAX);
  const snapshot = snapshotOf(bench.state);
  const restored = restore(snapshot);
  assert.equal(restored.inventory?.freeIn(1), bench.state.inventory?.freeIn(1));
  assert.equal(snapshotHash(snapshotOf(restored)), snapshotHash(snapshot));
  allot(1);
  assert.equal(bench.state.inventory?.blocked, AREAS_PER_EVENT_MAX);
});
