import assert from "node:assert/strict";
import { test } from "node:test";
import { type HoldId, itemIdOf } from "../ids.ts";
import { ITEM_IDS_PER_HOLD } from "../limits.ts";
import { type Place, placeOfArea } from "../place.ts";
import { ALICE, BOB, definition, EventBench, NOON } from "../testing/fixtures.ts";
import { factOf, refusalOf } from "../testing/replies.ts";

const FLOOR = placeOfArea(0);

function change(bench: EventBench, holdId: HoldId, add: readonly Place[], drop: readonly number[]) {
  const items = drop.map((ordinal) => itemIdOf(holdId, ordinal));
  return bench.run({ kind: "changeHold", holdId, userId: ALICE, add, drop: items, key: null });
}

test("items are dropped and places added in one step; what stays keeps its id and price", () => {
  const bench = new EventBench();
  const holdId = bench.held([0, 1, FLOOR]);
  const categories = [9900, 100].map((priceMinor, n) => ({ key: `${n}`, priceMinor }));
  bench.run({ kind: "configure", definition: definition({ categories }) });
  const fact = factOf(change(bench, holdId, [5, FLOOR], [0]), "holdChanged");
  assert.deepEqual(fact.ordinals, [1, 2, 3, 4]);
  assert.deepEqual(
    fact.items.map(({ place, priceMinor }) => [place, priceMinor]),
    [
      [1, 4500],
      [FLOOR, 3000],
      [5, 9900],
      [FLOOR, 100],
    ],
  );
  assert.equal(bench.statuses(), "fhfffhffff");
  assert.equal(fact.expiresAtMs, NOON + 600_000);
});

test("a hold keeps at least one place", () => {
  const bench = new EventBench();
  const holdId = bench.held([0]);
  assert.deepEqual(refusalOf(change(bench, holdId, [], [0])), { code: "hold_would_be_empty" });
  factOf(change(bench, holdId, [1], [0]), "holdChanged");
});

test("only what is in it is dropped, and only what is free is added", () => {
  const bench = new EventBench();
  const holdId = bench.held([0]);
  bench.held([1], BOB);
  const items = [itemIdOf(holdId, 1)];
  assert.deepEqual(refusalOf(change(bench, holdId, [], [1])), { code: "item_not_found", items });
  assert.equal(refusalOf(change(bench, holdId, [1], [])).code, "seat_unavailable");
  assert.equal(refusalOf(change(bench, holdId, [77], [])).code, "unknown_place");
  assert.equal(refusalOf(change(bench, holdId, [0], [])).code, "seat_unavailable");
});

test("limits count what the hold would have, not what it drops", () => {
  const bench = new EventBench({ perOrderMax: 3, perUserMax: 4 });
  const holdId = bench.held([0, 1]);
  bench.held([2, 3]);
  assert.equal(refusalOf(change(bench, holdId, [4, 5], [])).code, "limit_exceeded");
  assert.equal(refusalOf(change(bench, holdId, [4], [])).code, "limit_exceeded");
  factOf(change(bench, holdId, [4], [0]), "holdChanged");
});

test("what is dropped is dropped at any time; added is only while sales are open", () => {
  const bench = new EventBench({ salesCloseMs: NOON + 10 });
  const holdId = bench.held([0, 1]);
  bench.nowMs = NOON + 10;
  assert.deepEqual(refusalOf(change(bench, holdId, [2], [])), { code: "sales_closed" });
  factOf(change(bench, holdId, [], [0]), "holdChanged");
});

test("a hold has ids for so many items, and then no more", () => {
  const bench = new EventBench();
  const holdId = bench.held([0]);
  for (let n = 1; n < ITEM_IDS_PER_HOLD; n += 1) {
    factOf(change(bench, holdId, [n % 2], [n - 1]), "holdChanged");
  }
  const last = ITEM_IDS_PER_HOLD - 1;
  assert.deepEqual(refusalOf(change(bench, holdId, [0], [last])), {
    code: "hold_changed_too_often",
  });
  factOf(change(bench, holdId, [], []), "holdChanged");
});

test("a hold that waits for money stays what it is", () => {
  const bench = new EventBench();
  const holdId = bench.held([0, 1]);
  const pay = bench.payCommand(holdId);
  bench.run(pay);
  const paying = { code: "hold_paying", bookingId: pay.bookingId };
  assert.deepEqual(refusalOf(change(bench, holdId, [2], [])), paying);
  const extend = { kind: "extend", holdId, userId: ALICE, key: null } as const;
  assert.deepEqual(refusalOf(bench.run(extend)), { code: "hold_not_extendable" });
});

test("an area's places in one hold are all its channel's, or none", () => {
  const bench = new EventBench();
  const command = { ...bench.holdCommand([FLOOR]), channel: "press" };
  bench.run(command);
  const allotments = [{ channel: "press", seats: [], areas: [{ area: 0, quantity: 2 }] }];
  const none = { block: [], unblock: [], capacities: [], key: null };
  bench.run({ kind: "changePlaces", by: BOB, ...none, allotments });
  const refused = refusalOf(change(bench, command.holdId, [FLOOR], []));
  assert.deepEqual(refused, { code: "insufficient_capacity", area: 0, available: 0 });
});

test("changed as often as one likes, a hold is due once", () => {
  const bench = new EventBench();
  const holdId = bench.held([0]);
  for (let n = 0; n < 5_000; n += 1) change(bench, holdId, [], []);
  bench.nowMs += 600_000;
  bench.expire();
  assert.equal(bench.facts.filter(({ kind }) => kind === "holdEnded").length, 1);
  assert.equal(bench.statuses(), "ffffffffff");
});
