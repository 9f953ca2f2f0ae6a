/**
 * Where the seats of an event stand, by indexes only. Bytes, little-endian, no gaps:
 *
 *   u8 version = 1, u8 × 3 zero, u32 seats, u32 rows, u32 runs
 *   seats × u32   seat index | accessible << 24 | companion << 25
 *   seats × u16   distance to the focus
 *   seats × u16   x
 *   seats × u16   y
 *   runs  × u32   seats of the run
 *   rows  × u32   runs of the row | neighbour << 31
 *   rows  × u32   zone
 *
 * Seats come run by run, runs row by row, rows zone by zone from the front to the back. So a seat
 * has a *position*, its place in that list, and seats that sit side by side have positions that
 * follow each other. An aisle splits a row into runs. `neighbour` says that the next row is right
 * behind this one, in the same zone. Distances, x and y are of one unit, whatever it is.
 *
 * Three rows of theatre, seats 0 to 8, an aisle in the first:    [0 1] [2 3 4]
 *   seats 0 1 2 3 4 5 6 7 8                                      [5 6 7]
 *   runs 2 3 3 1, rows 2|neighbour 1 1, zones 0 0 1              [8]
 *
 * 10 bytes a seat, 4 a run, 8 a row: less than 11 a seat where rows have 15 seats.
 */
import { assert } from "./assert.ts";
import { type Indexes, indexesUpTo } from "./indexes.ts";

const VERSION = 1;
const HEADER_BYTES = 16;
const SEAT_BYTES = 10;
const RUN_BYTES = 4;
const ROW_BYTES = 8;
const SEAT_MASK = 0xff_ffff;
const NEIGHBOUR = 0x8000_0000;
/** Largest distance, x and y. */
export const SPOT_MAX = 0xffff;

export const ACCESSIBLE = 1;
export const COMPANION = 2;

/** One seat of a layout. */
export interface SeatSpot {
  readonly seat: number;
  /** To the focus: 0 to SPOT_MAX, as are x and y. */
  readonly distance: number;
  readonly x: number;
  readonly y: number;
  /** For a wheelchair. */
  readonly accessible: boolean;
  /** For who comes with a wheelchair. */
  readonly companion: boolean;
}

/** One physical row; its runs hold seats that sit side by side. */
export interface RowLayout {
  readonly zone: number;
  /** The next row of the layout is right behind this one. */
  readonly neighbour: boolean;
  readonly runs: readonly (readonly SeatSpot[])[];
}

/** Decoded. Everything about a seat is found at its position, not at its index. */
export interface SeatMap {
  readonly seatCount: number;
  readonly rowCount: number;
  readonly runCount: number;
  readonly zoneCount: number;
  /** Position to seat index, and back. */
  readonly seats: Indexes;
  readonly positions: Indexes;
  readonly distances: Indexes;
  readonly xs: Indexes;
  readonly ys: Indexes;
  /** ACCESSIBLE | COMPANION. */
  readonly flags: Uint8Array;
  /** First position of each run; one more: the end. */
  readonly runStarts: Uint32Array;
  /** First run of each row; one more: the end. */
  readonly rowRuns: Uint32Array;
  readonly rowZones: Uint32Array;
  /** 1: the next row is right behind this one. */
  readonly rowNeighbours: Uint8Array;
}

/** Every seat must be there once, and the rows of a zone together. */
export function encodeSeatMap(rows: readonly RowLayout[]): Uint8Array {
  const runs = rows.flatMap((row) => row.runs);
  const spots = runs.flat();
  const bytes = new Uint8Array(bytesOf(spots.length, rows.length, runs.length));
  const view = new DataView(bytes.buffer);
  view.setUint8(0, VERSION);
  view.setUint32(4, spots.length, true);
  view.setUint32(8, rows.length, true);
  view.setUint32(12, runs.length, true);
  const distancesAt = HEADER_BYTES + 4 * spots.length;
  const xsAt = distancesAt + 2 * spots.length;
  const ysAt = xsAt + 2 * spots.length;
  for (const [position, spot] of spots.entries()) {
    const flags = (spot.accessible ? ACCESSIBLE : 0) | (spot.companion ? COMPANION : 0);
    view.setUint32(HEADER_BYTES + 4 * position, (spot.seat | (flags << 24)) >>> 0, true);
    view.setUint16(distancesAt + 2 * position, inBounds(spot.distance), true);
    view.setUint16(xsAt + 2 * position, inBounds(spot.x), true);
    view.setUint16(ysAt + 2 * position, inBounds(spot.y), true);
  }
  let at = HEADER_BYTES + SEAT_BYTES * spots.length;
  for (const run of runs) {
    view.setUint32(at, run.length, true);
    at += RUN_BYTES;
  }
  for (const [index, { runs, neighbour, zone }] of rows.entries()) {
    view.setUint32(at + 4 * index, (runs.length | (neighbour ? NEIGHBOUR : 0)) >>> 0, true);
    view.setUint32(at + 4 * (rows.length + index), zone, true);
  }
  // Whoever encodes hears of a wrong layout at once, not the actor that decodes it.
  decodeSeatMap(bytes, spots.length);
  return bytes;
}

/**
 * The map that `bytes` describe. No bytes: nothing is known, and all seats stand in one row in the
 * plan's order, the middle one nearest. The bytes were made by `encodeSeatMap`: a wrong shape
 * asserts.
 */
export function decodeSeatMap(bytes: Uint8Array, seatCount: number): SeatMap {
  if (bytes.length === 0) return singleRow(seatCount);
  assert(bytes.length >= HEADER_BYTES, "a seat map has a header");
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  assert(view.getUint8(0) === VERSION, "the seat map's version is known");
  assert(view.getUint32(4, true) === seatCount, "a seat map has the seats of its event");
  const rowCount = view.getUint32(8, true);
  const runCount = view.getUint32(12, true);
  assert(bytes.length === bytesOf(seatCount, rowCount, runCount), "a seat map has its length");
  const distancesAt = HEADER_BYTES + 4 * seatCount;
  const runsAt = HEADER_BYTES + SEAT_BYTES * seatCount;
  const rowsAt = runsAt + RUN_BYTES * runCount;
  const zonesAt = rowsAt + 4 * rowCount;
  const words = (at: number, count: number) =>
    new Uint32Array(count).map((_, index) => view.getUint32(at + 4 * index, true));
  const halves = (at: number) =>
    new Uint16Array(seatCount).map((_, index) => view.getUint16(at + 2 * index, true));
  const marked = words(HEADER_BYTES, seatCount);
  const markedRows = words(rowsAt, rowCount);
  const rowZones = words(zonesAt, rowCount);
  const seats = indexesUpTo(seatCount, seatCount);
  for (const [position, mark] of marked.entries()) seats[position] = inMap(mark, seatCount);
  const map: SeatMap = {
    seatCount,
    rowCount,
    runCount,
    zoneCount: rowZones.reduce((count, zone) => Math.max(count, zone + 1), 0),
    seats,
    positions: inverse(seats),
    distances: halves(distancesAt),
    xs: halves(distancesAt + 2 * seatCount),
    ys: halves(distancesAt + 4 * seatCount),
    flags: new Uint8Array(marked.map((mark) => mark >>> 24)),
    runStarts: starts(words(runsAt, runCount)),
    rowRuns: starts(markedRows.map((mark) => mark & ~NEIGHBOUR)),
    rowZones,
    rowNeighbours: new Uint8Array(markedRows.map((mark) => mark >>> 31)),
  };
  assertSeatMap(map);
  return map;
}

function assertSeatMap(map: SeatMap): void {
  assert(map.runStarts[map.runCount] === map.seatCount, "every seat is in a run");
  assert(map.rowRuns[map.rowCount] === map.runCount, "every run is in a row");
  for (const flags of map.flags) assert(flags <= (ACCESSIBLE | COMPANION), "a flag is known");
  const seen = new Set<number>();
  for (const [row, zone] of map.rowZones.entries()) {
    assert(zone === map.rowZones[row - 1] || !seen.has(zone), "the rows of a zone are together");
    seen.add(zone);
    const isLinked = map.rowNeighbours[row] === 1;
    assert(!isLinked || zone === map.rowZones[row + 1], "neighbouring rows are of one zone");
  }
}

function singleRow(seatCount: number): SeatMap {
  const made = (of: (index: number) => number): Indexes => {
    const made = indexesUpTo(2 * seatCount, seatCount);
    for (let index = 0; index < seatCount; index += 1) made[index] = of(index);
    return made;
  };
  const indexes = made((index) => index);
  return {
    seatCount,
    rowCount: 1,
    runCount: 1,
    zoneCount: 1,
    seats: indexes,
    positions: indexes,
    distances: made((index) => Math.abs(2 * index - (seatCount - 1))),
    xs: made((index) => 2 * index),
    ys: made(() => 0),
    flags: new Uint8Array(seatCount),
    runStarts: Uint32Array.of(0, seatCount),
    rowRuns: Uint32Array.of(0, 1),
    rowZones: Uint32Array.of(0),
    rowNeighbours: Uint8Array.of(0),
  };
}

function bytesOf(seats: number, rows: number, runs: number): number {
  return HEADER_BYTES + SEAT_BYTES * seats + RUN_BYTES * runs + ROW_BYTES * rows;
}

function inBounds(value: number): number {
  assert(Number.isInteger(value) && value >= 0 && value <= SPOT_MAX, "16 bits are enough");
  return value;
}

/** Where each part begins, and where the last one ends. */
function starts(counts: Uint32Array): Uint32Array {
  const sums = new Uint32Array(counts.length + 1);
  for (const [index, count] of counts.entries()) {
    assert(count > 0, "no run and no row is empty");
    sums[index + 1] = (sums[index] ?? 0) + count;
  }
  return sums;
}

function inMap(mark: number, seatCount: number): number {
  const seat = mark & SEAT_MASK;
  assert(seat < seatCount, "a seat of the map is one of the event");
  return seat;
}

function inverse(seats: Indexes): Indexes {
  const positions = indexesUpTo(seats.length, seats.length);
  const isThere = new Uint8Array(seats.length);
  for (let position = 0; position < seats.length; position += 1) {
    const seat = seats[position] ?? 0;
    assert(isThere[seat] === 0, "every seat of the event is in the map once");
    isThere[seat] = 1;
    positions[seat] = position;
  }
  return positions;
}
