import assert from "node:assert/strict";
import * as fs from "node:fs";
import { describe, it } from "node:test";
import { ACCESSIBLE, COMPANION, decodeSeatMap } from "../../engine/seat-map.ts";
import { focusOf, seatMapOf, zoneNamesOf } from "./plan-geometry.ts";
import { parseSeatingPlan } from "./seating-plan.ts";
import type { Point } from "./stage-area.ts";

const unplaced = { zone: "Z", row: "1", x: null, y: null, accessible: false, companion: false };
const seat = (row: string | null, x: number, y: number, zone = "Z") => {
  return { ...unplaced, zone, row, x, y };
};
const rowOf = (row: string, y: number, ...xs: number[]) => xs.map((x) => seat(row, x, y));

type Seats = Parameters<typeof seatMapOf>[0]["seats"];
const mapOf = (seats: Seats, focus: Point | null = null) =>
  decodeSeatMap(seatMapOf({ seats, focus }), seats.length);

/** The runs of each row, as seat indexes. */
function rowsOf(seats: Seats, focus: Point | null = null): number[][][] {
  const map = mapOf(seats, focus);
  return Array.from(map.rowZones, (_, row) => {
    const runs: number[][] = [];
    for (let run = map.rowRuns[row] ?? 0; run < (map.rowRuns[row + 1] ?? 0); run++) {
      runs.push([...map.seats.subarray(map.runStarts[run], map.runStarts[run + 1])]);
    }
    return runs;
  });
}

function distancesOf(seats: Seats, focus: Point | null = null): number[] {
  const map = mapOf(seats, focus);
  return Array.from(map.positions, (position) => map.distances[position] ?? -1);
}

describe("seatMapOf", () => {
  it("splits a row where the gap is more than 1.6 times the usual one", () => {
    assert.deepEqual(rowsOf(rowOf("1", 0, 0, 10, 26, 36, 53, 63)), [
      [
        [0, 1, 2, 3],
        [4, 5],
      ],
    ]);
  });

  it("follows a curved row and one that stands upright", () => {
    const arc = Array.from({ length: 9 }, (_, n) => {
      const angle = (Math.PI * n) / 8;
      return seat("1", 100 * Math.cos(angle), 100 * Math.sin(angle));
    });
    assert.deepEqual(rowsOf(arc), [[[0, 1, 2, 3, 4, 5, 6, 7, 8]]]);
    const upright = [0, 10, 20, 40].map((y) => seat("1", 5, y));
    assert.deepEqual(rowsOf(upright), [[[0, 1, 2], [3]]]);
  });

  it("sorts a row that is listed criss-cross, and joins one that is listed in two parts", () => {
    assert.deepEqual(rowsOf(rowOf("1", 0, 0, 20, 40, 10, 30)), [[[0, 3, 1, 4, 2]]]);
    const parts = [...rowOf("1", 0, 0, 10), ...rowOf("2", 10, 0, 10), ...rowOf("1", 0, 20, 30)];
    assert.deepEqual(rowsOf(parts), [[[0, 1, 4, 5]], [[2, 3]]]);
  });

  it("knows a row's neighbour, but not across a cross aisle or in another zone", () => {
    const seats = [
      ...rowOf("1", 0, 0, 10),
      ...rowOf("2", 10, 0, 10),
      ...rowOf("3", 20, 0, 10),
      ...rowOf("4", 45, 0, 10),
      seat("1", 0, 55, "Balcony"),
    ];
    const map = mapOf(seats);
    assert.deepEqual([...map.rowNeighbours], [1, 1, 0, 0, 0]);
    assert.deepEqual([...map.rowZones], [0, 0, 0, 0, 1]);
    assert.deepEqual(zoneNamesOf(seats), ["Z", "Balcony"]);
  });

  it("measures from the focus in units of which the longest length has 65,535", () => {
    const seats = rowOf("1", 10, 0, 10, 20);
    // The row is 20 long, and nothing is longer.
    const corner = Math.round((Math.sqrt(200) / 20) * 65535);
    assert.deepEqual(distancesOf(seats, { x: 10, y: 0 }), [corner, 32768, corner]);
    assert.deepEqual(distancesOf(seats), [32768, 0, 32768]);
  });

  it("puts rows without coordinates behind all others, in the plan's order", () => {
    const lost = [{ ...unplaced, row: "X" }, seat("X", 1, 2), { ...unplaced, row: "X" }];
    const seats = [...lost, ...rowOf("1", 10, 0, 10), ...rowOf("2", 20, 0, 10)];
    assert.deepEqual(rowsOf(seats), [[[0, 1, 2]], [[3, 4]], [[5, 6]]]);
    const distances = distancesOf(seats);
    const placed = Math.max(...distances.slice(3));
    assert.ok(distances.slice(0, 3).every((distance) => distance > placed));
  });

  it("takes a plan without coordinates: the first rows and their middle are nearest", () => {
    const seats = ["1", "1", "1", "2", "2", "2"].map((row) => ({ ...unplaced, row }));
    const distances = distancesOf(seats);
    const order = [0, 1, 2, 3, 4, 5].sort((a, b) => (distances[a] ?? 0) - (distances[b] ?? 0));
    assert.equal(order[0], 1);
    assert.deepEqual(rowsOf(seats), [[[0, 1, 2]], [[3, 4, 5]]]);
    assert.deepEqual([...mapOf(seats).rowNeighbours], [1, 0]);
  });

  it("does not split a row whose seats all stand where the row does", () => {
    const seats = [seat("1", 5, 5), seat("1", 5, 5), seat("1", 5, 5)];
    assert.deepEqual(rowsOf(seats), [[[0, 1, 2]]]);
    assert.deepEqual(distancesOf(seats), [0, 0, 0]);
  });

  it("marks the seats for wheelchairs and for companions", () => {
    const seats = [
      { ...seat("1", 0, 0), accessible: true },
      { ...seat("1", 10, 0), companion: true },
      seat("1", 20, 0),
    ];
    assert.deepEqual([...mapOf(seats).flags], [ACCESSIBLE, COMPANION, 0]);
  });

  it("reads the demo's theatre", () => {
    const url = new URL("../demo/plans/theatre.json", import.meta.url);
    const parsed = parseSeatingPlan(JSON.parse(fs.readFileSync(url, "utf8")), "seatingPlan");
    assert.ok(parsed.ok);
    const bytes = seatMapOf(parsed.value);
    const map = decodeSeatMap(bytes, 1100);
    assert.deepEqual([map.rowCount, map.runCount, map.zoneCount], [40, 40, 3]);
    assert.ok(bytes.length < 11 * 1100);
    // Boxes 6 and 7 are the ends of two walls; the wheelchair row is behind a cross aisle.
    const alone = [...map.rowNeighbours.entries()].filter(([, linked]) => linked === 0);
    assert.deepEqual(
      alone.map(([row]) => row),
      [17, 18, 27, 33, 39],
    );
    const nearest = map.distances.indexOf(Math.min(...map.distances));
    const { zone, row } = parsed.value.seats[map.seats[nearest] ?? -1] ?? {};
    assert.deepEqual([zone, row], ["Stalls", "A"]);
  });
});

describe("focusOf", () => {
  const ring = (from: number, to: number): Point[] =>
    Array.from({ length: 160 }, (_, n) => {
      const angle = from + ((to - from) * n) / 160;
      const radius = 100 + 10 * (n % 4);
      return { x: 500 + radius * Math.cos(angle), y: 300 + radius * Math.sin(angle) };
    });

  it("is the middle of an arena", () => {
    const { x, y } = focusOf(ring(0, 2 * Math.PI));
    assert.ok(Math.abs(x - 500) < 3 && Math.abs(y - 300) < 3, `${x}, ${y}`);
  });

  it("is the middle of the front of a horseshoe and of a hall", () => {
    // y grows downwards: this one is open at the top.
    const horseshoe = focusOf(ring(-0.25 * Math.PI, 1.25 * Math.PI));
    assert.ok(horseshoe.y < 250, `${horseshoe.y}`);
    const hall = Array.from({ length: 400 }, (_, n) => ({ x: n % 20, y: 7 + Math.floor(n / 20) }));
    assert.deepEqual(focusOf(hall), { x: 9.5, y: 7 });
  });
});
