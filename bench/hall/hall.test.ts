import assert from "node:assert/strict";
import { test } from "node:test";
import { decodeSeatMap } from "../../engine/seat-map.ts";
import { seatMapOf, zoneNamesOf } from "../../gateway/catalogue/plan-geometry.ts";
import { parseSeatingPlan } from "../../gateway/catalogue/seating-plan.ts";
import { arenaOf } from "./arena.ts";
import { choiceFault, type Wish } from "./hall.ts";
import { smallHall } from "./testing/small-hall.ts";

for (const seats of [2, 650, 18_000]) {
  test(`what the bench knows of an arena of ${seats} seats is what a server makes of it`, () => {
    const { plan, hall } = arenaOf({ seats, hasWheelchairs: true });
    const parsed = parseSeatingPlan(JSON.parse(JSON.stringify(plan)), "seatingPlan");
    assert.ok(parsed.ok);
    const { seats: known, categories } = parsed.value;
    const map = decodeSeatMap(seatMapOf(parsed.value), known.length);
    const isFirst = new Set(map.runStarts);
    const neighbours = known.flatMap((_, seat) => {
      const next = (map.positions[seat] ?? 0) + 1;
      return isFirst.has(next) ? [] : [[seat, map.seats[next]]];
    });
    const bySpot = new Map(hall.ids.map((_, seat) => [hall.spots[seat] ?? -1, seat]));
    const expected = hall.ids.flatMap((_, seat) => {
      const next = bySpot.get((hall.spots[seat] ?? 0) + 1);
      return next === undefined ? [] : [[seat, next]];
    });
    assert.deepEqual(neighbours, expected);
    assert.deepEqual(
      known.map(({ id, category, accessible }) => [id, category, accessible ? 1 : 0]),
      hall.ids.map((id, seat) => [id, hall.categories[seat], hall.wheelchairs[seat]]),
    );
    assert.deepEqual(categories, hall.categoryNames);
    assert.deepEqual(zoneNamesOf(known), hall.zoneNames);
    assert.deepEqual(
      known.map(({ zone }) => hall.zoneNames.indexOf(zone)),
      [...hall.zones],
    );
  });
}

const hall = smallHall;
const pair: Wish = { quantity: 2, category: null, zone: null, adjacent: true, accessible: false };

test("a choice is as many seats as were wished, of the kind and side by side", () => {
  const good: readonly (readonly [Partial<Wish>, number[][]])[] = [
    [{}, [[0, 1]]],
    [{}, [[6, 5]]],
    [{ category: 1, zone: 1 }, [[4, 5]]],
    [{ adjacent: false }, [[0], [5]]],
    [{ quantity: 3, adjacent: false }, [[0, 1], [2]]],
    [{ accessible: true }, [[2, 3]]],
  ];
  for (const [wish, groups] of good) {
    assert.equal(choiceFault(hall, { ...pair, ...wish }, groups), null);
  }
  const bad: readonly (readonly [Partial<Wish>, number[][], RegExp])[] = [
    [{}, [[0]], /1 seats for 2/],
    [{}, [[0, 1, 2]], /3 seats for 2/],
    [{ adjacent: false }, [[0], [0]], /one seat twice/],
    [{ category: 1 }, [[0, 1]], /seat a1, which is not of the kind/],
    [{ zone: 1 }, [[0, 1]], /seat a1, which is not of the kind/],
    [{}, [[2, 3]], /seat a4, which is not of the kind/],
    [{ accessible: true }, [[0, 1]], /no seat for the wheelchair/],
    [{}, [[0, 2]], /not side by side: a1, a3/],
    [{ accessible: true }, [[3, 4]], /not side by side: a4, b1/],
    [{}, [[0], [1]], /2 groups that should be one/],
    [{ quantity: 3, adjacent: false }, [[0, 2], [1]], /not side by side: a1, a3/],
  ];
  for (const [wish, groups, fault] of bad) {
    assert.match(choiceFault(hall, { ...pair, ...wish }, groups) ?? "", fault);
  }
});
