import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { AssertionFailed } from "./assert.ts";
import { SEATS_PER_EVENT_MAX } from "./limits.ts";
import {
  ACCESSIBLE,
  COMPANION,
  decodeSeatMap,
  encodeSeatMap,
  type RowLayout,
  type SeatSpot,
  SPOT_MAX,
} from "./seat-map.ts";

const spot = (seat: number, more: Partial<SeatSpot> = {}): SeatSpot => ({
  seat,
  distance: seat,
  x: 10 * seat,
  y: 7,
  accessible: false,
  companion: false,
  ...more,
});
const rowOf = (zone: number, neighbour: boolean, ...runs: number[][]): RowLayout => {
  return { zone, neighbour, runs: runs.map((run) => run.map((seat) => spot(seat))) };
};

/** Any layout: sizes of runs in rows in zones, and a seed that shuffles the seats. */
const layouts = fc
  .record({
    zones: fc.array(
      fc.array(fc.array(fc.integer({ min: 1, max: 6 }), { minLength: 1, maxLength: 3 }), {
        minLength: 1,
        maxLength: 4,
      }),
      { minLength: 1, maxLength: 4 },
    ),
    values: fc.array(fc.integer({ min: 0, max: SPOT_MAX }), { minLength: 7, maxLength: 7 }),
    keys: fc.array(fc.nat(), { minLength: 288, maxLength: 288 }),
  })
  .map(({ zones, values, keys }) => {
    const count = zones.flat(2).reduce((sum, size) => sum + size, 0);
    const seats = Array.from({ length: count }, (_, seat) => seat);
    seats.sort((a, b) => (keys[a] ?? 0) - (keys[b] ?? 0));
    const value = (n: number): number => values[n % values.length] ?? 0;
    const next = (): SeatSpot => {
      const seat = seats.pop() ?? 0;
      const at = { distance: value(seat), x: value(seat + 1), y: value(seat + 2) };
      return spot(seat, { ...at, accessible: seat % 5 === 0, companion: seat % 7 === 0 });
    };
    return zones.flatMap((rows, zone) =>
      rows.map((runs, row): RowLayout => {
        const neighbour = row < rows.length - 1 && value(row) % 2 === 0;
        return { zone, neighbour, runs: runs.map((size) => Array.from({ length: size }, next)) };
      }),
    );
  });

/** What `encodeSeatMap` was given. */
function layoutOf(bytes: Uint8Array, seatCount: number): RowLayout[] {
  const map = decodeSeatMap(bytes, seatCount);
  return Array.from(map.rowZones, (zone, row) => {
    const runs: SeatSpot[][] = [];
    for (let run = map.rowRuns[row] ?? 0; run < (map.rowRuns[row + 1] ?? 0); run++) {
      const spots: SeatSpot[] = [];
      for (let at = map.runStarts[run] ?? 0; at < (map.runStarts[run + 1] ?? 0); at++) {
        const seat = map.seats[at] ?? -1;
        assert.equal(map.positions[seat], at);
        spots.push({
          seat,
          distance: map.distances[at] ?? -1,
          x: map.xs[at] ?? -1,
          y: map.ys[at] ?? -1,
          accessible: ((map.flags[at] ?? 0) & ACCESSIBLE) !== 0,
          companion: ((map.flags[at] ?? 0) & COMPANION) !== 0,
        });
      }
      runs.push(spots);
    }
    return { zone, neighbour: map.rowNeighbours[row] === 1, runs };
  });
}

describe("a seat map", () => {
  it("comes out of its bytes as it went in", () => {
    fc.assert(
      fc.property(layouts, (rows) => {
        const count = rows.flatMap((row) => row.runs.flat()).length;
        assert.deepEqual(layoutOf(encodeSeatMap(rows), count), rows);
      }),
    );
  });

  it("has the bytes of its picture, whatever the machine's order", () => {
    const wheel = spot(0x01, { distance: 0x0203, x: 0x0405, y: 0x0607, accessible: true });
    const rows = [{ zone: 0, neighbour: true, runs: [[wheel]] }, rowOf(0, false, [0])];
    assert.equal(
      Buffer.from(encodeSeatMap(rows)).toString("hex"),
      "01000000020000000200000002000000" +
        "0100000100000000" +
        "03020000" +
        "05040000" +
        "07060700" +
        "0100000001000000" +
        "0100008001000000" +
        "0000000000000000",
    );
  });

  it("is read from a window into other bytes, at an odd offset", () => {
    const rows = [rowOf(0, false, [0, 1], [2])];
    const bytes = encodeSeatMap(rows);
    const around = new Uint8Array(bytes.length + 9);
    around.set(bytes, 3);
    assert.deepEqual(layoutOf(around.subarray(3, 3 + bytes.length), 3), rows);
  });

  it("takes at most 12 bytes a seat where rows have ten seats", () => {
    const rows = Array.from({ length: 100 }, (_, row) => {
      const seats = Array.from({ length: 10 }, (_, n) => row * 10 + n);
      return rowOf(0, row < 99, seats);
    });
    assert.ok(encodeSeatMap(rows).length <= 12 * 1_000);
  });

  it("of no bytes is one row in the plan's order, nearest in the middle", () => {
    const map = decodeSeatMap(new Uint8Array(), 5);
    assert.deepEqual([...map.seats], [0, 1, 2, 3, 4]);
    assert.deepEqual([...map.distances], [4, 2, 0, 2, 4]);
    assert.deepEqual([map.rowCount, map.runCount, map.zoneCount], [1, 1, 1]);
    assert.equal(decodeSeatMap(new Uint8Array(), 0).seatCount, 0);
  });

  it("numbers every seat that an event may have", () => {
    assert.ok(SEATS_PER_EVENT_MAX < 2 ** 24);
  });

  const good = encodeSeatMap([rowOf(0, true, [0, 1]), rowOf(0, false, [2])]);
  const changed = (at: number, byte: number): Uint8Array => {
    const bytes = Uint8Array.from(good);
    bytes[at] = byte;
    return bytes;
  };
  const broken: readonly (readonly [what: string, bytes: Uint8Array, seats: number])[] = [
    ["is cut off", good.subarray(0, good.length - 1), 3],
    ["has no header", good.subarray(0, 5), 3],
    ["is of another version", changed(0, 2), 3],
    ["is of another event", good, 4],
    ["has a seat twice", changed(16, 1), 3],
    ["has a seat too many", changed(16, 9), 3],
    ["has an unknown flag", changed(19, 4), 3],
    ["has a run too long", changed(46, 5), 3],
  ];
  for (const [what, bytes, seats] of broken) {
    it(`that ${what} is a bug`, () => {
      assert.throws(() => decodeSeatMap(bytes, seats), AssertionFailed);
    });
  }

  it("is not made of a layout that cannot be", () => {
    const wrong: readonly (readonly RowLayout[])[] = [
      [rowOf(0, false, [0, 0])],
      [rowOf(0, false, [0], [])],
      [rowOf(0, true, [0]), rowOf(1, false, [1])],
      [rowOf(0, false, [0]), rowOf(1, false, [1]), rowOf(0, false, [2])],
      [{ zone: 0, neighbour: false, runs: [[spot(0, { x: SPOT_MAX + 1 })]] }],
    ];
    for (const rows of wrong) assert.throws(() => encodeSeatMap(rows), AssertionFailed);
  });
});
