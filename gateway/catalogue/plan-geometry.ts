/**
 * From the seats of a plan to the seat map that their event's actor keeps.
 *
 * - A row is what has one zone and one row name. Its seats are in the plan's order, or sorted along
 *   the row where that is the shorter way past all of them.
 * - A gap of more than 1.6 times the usual one splits a row into runs: an aisle, or a missing seat.
 * - Rows are in the plan's order. The next one is a neighbour when it is not much farther away than
 *   rows of that zone usually are.
 * - A row that has no coordinates stands behind all that have some, one after the other.
 */
import { encodeSeatMap, type RowLayout, SPOT_MAX } from "../../engine/seat-map.ts";
import type { PlanSeat, SeatingPlan } from "./seating-plan.ts";
import { midRange, type Point } from "./stage-area.ts";

/** A seat's neighbour is at most this many usual gaps away. */
const AISLE_GAPS = 1.6;
/** A row's neighbour is at most this many usual distances of rows away. */
const ROW_GAPS = 2;
/** Around a hole of this part of the mean distance from the middle seats are an arena … */
const HOLE = 0.25;
/** … when each eighth of the circle has this part of the seats. */
const EIGHTH = 0.04;

type GeometrySeat = Pick<PlanSeat, "zone" | "row" | "x" | "y" | "accessible" | "companion">;

interface PlacedSeat extends Point {
  readonly seat: number;
}
interface Row {
  readonly zone: number;
  readonly seats: readonly PlacedSeat[];
  readonly isPlaced: boolean;
}

/** The names of the zones; a zone's position in the list is its index in the seat map. */
export function zoneNamesOf(seats: readonly Pick<PlanSeat, "zone">[]): readonly string[] {
  return [...new Set(seats.map(({ zone }) => zone))];
}

/** The bytes of an actor's seat map. The index of a seat is its position in the plan's list. */
export function seatMapOf({
  seats,
  focus,
}: {
  readonly seats: readonly GeometrySeat[];
  readonly focus: SeatingPlan["focus"];
}): Uint8Array {
  const rows = placed(rowsOf(seats));
  const points = rows.flatMap((row) => row.seats);
  const target = focus ?? focusOf(points);
  const toUnits = scaleOf(points, target);
  const neighbours = neighboursOf(rows);
  return encodeSeatMap(
    rows.map((row, index): RowLayout => {
      const runs = runsOf(row).map((run) =>
        run.map(({ seat, x, y }) => {
          const { accessible = false, companion = false } = seats[seat] ?? {};
          return { seat, ...toUnits({ x, y }), accessible, companion };
        }),
      );
      return { zone: row.zone, neighbour: neighbours[index] ?? false, runs };
    }),
  );
}

/**
 * What seats look at when their plan does not say: the middle, when they stand all around it and
 * leave it free; else the middle of the front, where y is least.
 */
export function focusOf(points: readonly Point[]): Point {
  const middle = { x: midRange(points.map(({ x }) => x)), y: midRange(points.map(({ y }) => y)) };
  const distances = points.map((point) => distance(point, middle));
  const hole = HOLE * mean(distances);
  const eighths = new Array<number>(8).fill(0);
  for (const { x, y } of points) {
    const turn = Math.atan2(y - middle.y, x - middle.x) / (2 * Math.PI) + 0.5;
    const eighth = Math.floor(turn * 8) % 8;
    eighths[eighth] = (eighths[eighth] ?? 0) + 1;
  }
  const isAround = eighths.every((count) => count >= EIGHTH * points.length);
  if (isAround && distances.every((far) => far > hole)) return middle;
  const front = points.reduce((least, { y }) => Math.min(least, y), points[0]?.y ?? 0);
  return { x: mean(points.map(({ x }) => x)), y: front };
}

/** Zone by zone in the order of their first seats; seats without coordinates have none yet. */
function rowsOf(seats: readonly GeometrySeat[]): Row[] {
  const zones = new Map<string, Map<string | null, number[]>>();
  for (const [index, { zone, row }] of seats.entries()) {
    const rows = zones.get(zone) ?? new Map<string | null, number[]>();
    zones.set(zone, rows);
    const listed = rows.get(row);
    if (listed === undefined) rows.set(row, [index]);
    else listed.push(index);
  }
  return [...zones.values()].flatMap((rows, zone) =>
    [...rows.values()].map((listed): Row => {
      const places = listed.map((seat) => ({ seat, x: seats[seat]?.x, y: seats[seat]?.y }));
      const known = places.flatMap(({ seat, x, y }) =>
        typeof x === "number" && typeof y === "number" ? [{ seat, x, y }] : [],
      );
      const isPlaced = known.length === listed.length;
      const unknown = listed.map((seat) => ({ seat, x: 0, y: 0 }));
      return { zone, isPlaced, seats: isPlaced ? alongTheRow(known) : unknown };
    }),
  );
}

/** The plan's order, or the order along the line from end to end if that way is shorter. */
function alongTheRow(listed: readonly PlacedSeat[]): readonly PlacedSeat[] {
  const xs = listed.map(({ x }) => x);
  const ys = listed.map(({ y }) => y);
  const centre = { x: mean(xs), y: mean(ys) };
  // The main axis of the cloud of points: the eigenvector of its covariance, as an angle.
  let xx = 0;
  let yy = 0;
  let xy = 0;
  for (const { x, y } of listed) {
    xx += (x - centre.x) ** 2;
    yy += (y - centre.y) ** 2;
    xy += (x - centre.x) * (y - centre.y);
  }
  const angle = Math.atan2(2 * xy, xx - yy) / 2;
  const along = ({ x, y }: Point): number => x * Math.cos(angle) + y * Math.sin(angle);
  const sorted = listed.toSorted((a, b) => along(a) - along(b) || a.seat - b.seat);
  const length = (path: readonly Point[]): number => gapsOf(path).reduce((a, b) => a + b, 0);
  return length(sorted) < 0.999 * length(listed) ? sorted : listed;
}

/** All rows with coordinates: those without get a line of their own behind everything. */
function placed(rows: readonly Row[]): readonly Row[] {
  const known = rows.filter((row) => row.isPlaced);
  const gaps = known.flatMap((row) => gapsOf(row.seats));
  const pitch = medianOf(gaps.filter((gap) => gap > 0)) ?? 1;
  const points = known.flatMap((row) => row.seats);
  const centreX = midRange(points.map(({ x }) => x));
  let y = points.reduce((most, point) => Math.max(most, point.y), points[0]?.y ?? 0);
  return rows.map((row) => {
    if (row.isPlaced) return row;
    y += pitch;
    const left = centreX - ((row.seats.length - 1) / 2) * pitch;
    return { ...row, seats: row.seats.map(({ seat }, n) => ({ seat, x: left + n * pitch, y })) };
  });
}

function runsOf({ seats, isPlaced }: Row): PlacedSeat[][] {
  const gaps = gapsOf(seats);
  const usual = medianOf(gaps.filter((gap) => gap > 0));
  const aisle = isPlaced && usual !== null ? AISLE_GAPS * usual : Number.POSITIVE_INFINITY;
  const runs: PlacedSeat[][] = [];
  for (const [index, seat] of seats.entries()) {
    const run = runs.at(-1);
    if (run === undefined || (gaps[index - 1] ?? 0) > aisle) runs.push([seat]);
    else run.push(seat);
  }
  return runs;
}

/** For each row, whether the next one is its neighbour. */
function neighboursOf(rows: readonly Row[]): boolean[] {
  const centres = rows.map(({ seats }) => {
    return { x: mean(seats.map(({ x }) => x)), y: mean(seats.map(({ y }) => y)) };
  });
  const gaps = gapsOf(centres);
  const inZone = new Map<number, number[]>();
  for (const [index, { zone }] of rows.entries()) {
    const gap = gaps[index];
    if (gap === undefined || rows[index + 1]?.zone !== zone) continue;
    const known = inZone.get(zone);
    if (known === undefined) inZone.set(zone, [gap]);
    else known.push(gap);
  }
  const usual = new Map([...inZone].map(([zone, gaps]) => [zone, medianOf(gaps) ?? 0]));
  return rows.map(({ zone }, index) => {
    const gap = gaps[index];
    const isSameZone = rows[index + 1]?.zone === zone;
    return isSameZone && gap !== undefined && gap <= ROW_GAPS * (usual.get(zone) ?? 0);
  });
}

/** Turns coordinates into the map's units: the longest of all lengths has SPOT_MAX of them. */
function scaleOf(points: readonly PlacedSeat[], focus: Point) {
  const least = { x: Number.POSITIVE_INFINITY, y: Number.POSITIVE_INFINITY };
  let longest = 0;
  for (const point of points) {
    least.x = Math.min(least.x, point.x);
    least.y = Math.min(least.y, point.y);
    longest = Math.max(longest, distance(point, focus));
  }
  for (const { x, y } of points) longest = Math.max(longest, x - least.x, y - least.y);
  const units = (length: number): number =>
    longest === 0 ? 0 : Math.round((length / longest) * SPOT_MAX);
  return (point: Point) => ({
    distance: units(distance(point, focus)),
    x: units(point.x - least.x),
    y: units(point.y - least.y),
  });
}

function gapsOf(path: readonly Point[]): number[] {
  return path.slice(1).map((point, index) => distance(point, path[index] ?? point));
}

function distance(a: Point, b: Point): number {
  return Math.sqrt((a.x - b.x) ** 2 + (a.y - b.y) ** 2);
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / Math.max(1, values.length);
}

/** The lower one of two in the middle; null: there is none. */
function medianOf(values: readonly number[]): number | null {
  return values.toSorted((a, b) => a - b)[(values.length - 1) >> 1] ?? null;
}
