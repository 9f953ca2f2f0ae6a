import assert from "node:assert/strict";
import { test } from "node:test";
import { EVENT_ID } from "../../engine/testing/fixtures.ts";
import { ADMIN, CUSTOMER, type Document, EngineDesk, request } from "./testing/desk-bench.ts";

/** A desk whose availability is what a test says: others have changed it meanwhile. */
const desk = (): EngineDesk =>
  new EngineDesk({}, { availabilityOf: async () => ({ free: 7, seq: 70 }) });

const change = (at: EngineDesk, body: object) =>
  at.done((open, s) => open.inventory.change(EVENT_ID, request(body, ADMIN), s));
const refused = (at: EngineDesk, body: object, identity = ADMIN) =>
  at.refused((open, s) => open.inventory.change(EVENT_ID, request(body, identity), s));

test("seats are kept from the sale and given back; the answer is what is for sale", async () => {
  const at = desk();
  const before = at.engine.state.seq;
  const blocked = await change(at, { block: ["A-1", "A-2"] });
  assert.deepEqual(blocked, [200, { free: 7, seq: before + 1 }], "the seq is the change's own");
  assert.equal(at.engine.statuses(), "bbffffffff");
  await change(at, { unblock: ["A-1"], block: ["A-3"] });
  assert.equal(at.engine.statuses(), "fbbfffffff");
  assert.deepEqual(await change(at, {}), [200, { free: 7, seq: 70 }], "nothing to do is no fault");
  assert.deepEqual(at.forgotten, []);
});

test("an area gets another capacity, and the event is read anew", async () => {
  const at = desk();
  await change(at, { areas: [{ key: "floor", capacity: 8 }] });
  assert.equal(at.engine.state.inventory?.area(0).capacity, 8);
  assert.deepEqual(at.forgotten, [EVENT_ID]);
});

test("seats and places are kept for a channel", async () => {
  const at = desk();
  const allotment = { key: "club", seats: ["A-1"], areas: [{ key: "floor", quantity: 2 }] };
  await change(at, { allotments: [allotment] });
  const { inventory } = at.engine.state;
  assert.deepEqual([at.engine.statuses(), inventory?.area(0).blocked], ["bfffffffff", 2]);
  await change(at, { allotments: [{ key: "club" }] });
  assert.deepEqual([at.engine.statuses(), inventory?.area(0).blocked], ["ffffffffff", 2]);
});

test("what is in use stays, and is named", async () => {
  const at = desk();
  at.engine.held([0, -1, -1, -1]);
  assert.deepEqual(await refused(at, { block: ["A-1", "A-2"] }), [
    "seat_unavailable",
    { seats: ["A-1"] },
  ]);
  assert.equal(at.engine.statuses(), "hfffffffff", "all or nothing");
  assert.deepEqual(await refused(at, { areas: [{ key: "floor", capacity: 2 }] }), [
    "capacity_in_use",
    { area: "floor", inUse: 3 },
  ]);
  const allotment = { key: "club", areas: [{ key: "floor", quantity: 3 }] };
  assert.deepEqual(await refused(at, { allotments: [allotment] }), [
    "insufficient_capacity",
    { area: "floor", available: 2 },
  ]);
});

test("the words for people name what does not exist", async () => {
  const at = desk();
  for (const body of [{ block: ["Z-1"] }, { areas: [{ key: "Z-1", capacity: 1 }] }]) {
    const asked = request(body, ADMIN);
    const result = await at.ask((desk, s) => desk.inventory.change(EVENT_ID, asked, s));
    assert.ok(result.kind === "problem");
    assert.match(String(result.members.detail), /"Z-1"/);
  }
});

test("what does not exist, or is said in two ways, is named; others may change nothing", async () => {
  const at = desk();
  assert.deepEqual(await refused(at, { block: ["Z-1"], unblock: ["Z-2"] }), [
    "unknown_seat",
    { seats: ["Z-1", "Z-2"] },
  ]);
  assert.deepEqual(await refused(at, { areas: [{ key: "roof", capacity: 1 }] }), [
    "unknown_area",
    { areas: ["roof"] },
  ]);
  assert.deepEqual(await refused(at, { block: ["A-1"] }, CUSTOMER), ["forbidden", {}]);
  const floor = { key: "floor", quantity: 1 };
  for (const [body, path] of [
    [{ block: ["A-1"], unblock: ["A-1"] }, "unblock[0]"],
    [
      { areas: [{ key: "floor", capacity: 5 }], allotments: [{ key: "club", areas: [floor] }] },
      "allotments[0].areas[0].key",
    ],
    [{ allotments: [{ key: "club", areas: [floor, floor] }] }, "allotments[0].areas[1].key"],
    [{ allotments: [{ key: "club" }, { key: "club" }] }, "allotments[1].key"],
    [{ allotments: [{ key: "" }] }, "allotments[0].key"],
    [{ areas: [{ key: "floor", capacity: -1 }] }, "areas[0].capacity"],
    [
      {
        areas: [
          { key: "floor", capacity: 5 },
          { key: "floor", capacity: 6 },
        ],
      },
      "areas[1].key",
    ],
  ] as const) {
    const [code, members] = await refused(at, body);
    assert.equal(code, "validation_failed");
    assert.deepEqual(
      (members.errors as Document[]).map((error) => error.path),
      [path],
    );
  }
});

test("a change whose availability can't be told now is no busy, which changes nothing", async () => {
  const logError = () => undefined;
  const failed = () => Promise.reject(new Error("away"));
  for (const availabilityOf of [async () => null, failed]) {
    const at = new EngineDesk({}, { availabilityOf, logError });
    assert.deepEqual(await refused(at, { block: ["A-1"] }), ["timeout", {}]);
    assert.equal(at.engine.statuses(), "bfffffffff");
    assert.deepEqual(await refused(at, {}), ["busy", {}], "nothing was to be done");
  }
});
