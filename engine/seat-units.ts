import { assert } from "./assert.ts";
import { type Indexes, indexesUpTo } from "./indexes.ts";
import { ACCESSIBLE, COMPANION, type SeatMap } from "./seat-map.ts";

export const ORDINARY = 0;
export const FOR_COMPANION = 1;
export const FOR_WHEELCHAIR = 2;
/** What numbers of half the bytes can count up to. */
const UNIT_HALF_MAX = 0x7fff;
const SUM_HALF_MAX = 0xffff_ffff;

/**
 * The units that a search looks through. `next` is the unit of the row behind, by unit; -1: there
 * is none. A unit and the two behind it are a *neighbourhood*, named by its first unit, its head.
 */
export interface UnitView {
  /** Nearest first. */
  readonly units: Uint32Array;
  /** The same units, those first in whose neighbourhood the nearest seat is. */
  readonly heads: Uint32Array;
  /** By position in `heads`: the other two units of the neighbourhood; `unitCount`: none. */
  readonly seconds: Uint32Array;
  readonly thirds: Uint32Array;
  readonly next: Int32Array;
}

/**
 * The seats of an event, sorted for searches; nothing here ever changes.
 *
 * Seats are known by their position in the seat map. A *unit* is the seats of one row that one kind
 * of search may take: those of a category, or all ordinary ones of a row that has several
 * categories (a *mixed* unit). Seats for wheelchairs belong to no unit. Those for companions belong
 * to the unit of their category only if the category has no ordinary seats: then who asks for it
 * asks for them.
 */
export class SeatUnits {
  readonly map: SeatMap;
  /** By position: ORDINARY, FOR_COMPANION or FOR_WHEELCHAIR. */
  readonly kinds: Uint8Array;
  readonly categories: Uint8Array;
  readonly runs: Indexes;
  readonly rows: Indexes;
  /** By position: the sum of the distances of all positions before; one more: of all. */
  readonly distanceSums: Uint32Array | Float64Array;
  /** By position: the unit of its category; -1: none. */
  readonly unitAt: Int16Array | Int32Array;
  /** By row; -1: none. */
  readonly mixedUnits: Int32Array;

  /** By row: its units are those from here to the next row's first. */
  readonly firstUnits: Indexes;

  /** By unit. */
  readonly unitRows: Uint32Array;
  readonly unitZones: Uint32Array;
  /** Seats, free or not. */
  readonly sizes: Uint32Array;
  /** Distance of the nearest seat, free or not. */
  readonly nearest: Uint32Array;

  /** Rows that have a seat for a wheelchair, nearest first. */
  readonly wheelchairRows: readonly number[];
  /** Every ordinary seat, in units of one category. */
  readonly uniform: UnitView;
  /** The units that have several categories. */
  readonly mixed: UnitView;
  /** Every ordinary seat, in units as large as they can be. */
  readonly whole: UnitView;
  readonly #ofCategory: readonly UnitView[];
  readonly #wheelchairCategories: ReadonlySet<number>;
  /** By view and zone, made when somebody asks: most searches name no zone. */
  readonly #inZone = new Map<UnitView, Map<number, UnitView>>();

  constructor(map: SeatMap, seatCategories: Uint8Array) {
    assert(seatCategories.length === map.seatCount, "every seat has a category");
    this.map = map;
    this.categories = new Uint8Array(map.seatCount).map((_, at) => {
      return seatCategories[map.seats[at] ?? 0] ?? 0;
    });
    this.kinds = map.flags.map((flags) => {
      if ((flags & ACCESSIBLE) !== 0) return FOR_WHEELCHAIR;
      return (flags & COMPANION) !== 0 ? FOR_COMPANION : ORDINARY;
    });
    this.runs = indexesUpTo(map.runCount, map.seatCount);
    this.rows = indexesUpTo(map.rowCount, map.seatCount);
    for (let row = 0; row < map.rowCount; row++) {
      this.rows.fill(row, this.rowStart(row), this.rowEnd(row));
    }
    for (let run = 0; run < map.runCount; run++) {
      this.runs.fill(run, map.runStarts[run], map.runStarts[run + 1]);
    }
    this.distanceSums = distanceSumsOf(map);

    const list = new UnitList(this);
    const isSmall = list.rows.length <= UNIT_HALF_MAX;
    this.unitAt = isSmall ? Int16Array.from(list.unitAt) : list.unitAt;
    this.mixedUnits = list.mixedUnits;
    this.unitRows = Uint32Array.from(list.rows);
    this.firstUnits = indexesUpTo(this.unitRows.length, map.rowCount + 1);
    for (const row of list.rows) this.firstUnits[row + 1] = (this.firstUnits[row + 1] ?? 0) + 1;
    for (let row = 0; row < map.rowCount; row++) {
      this.firstUnits[row + 1] = (this.firstUnits[row + 1] ?? 0) + (this.firstUnits[row] ?? 0);
    }
    this.unitZones = this.unitRows.map((row) => map.rowZones[row] ?? 0);
    this.sizes = Uint32Array.from(list.sizes);
    this.nearest = Uint32Array.from(list.nearest);
    this.uniform = this.#viewOf(list.uniform);
    this.mixed = this.#viewOf(list.mixed);
    this.whole = this.#viewOf(list.whole);
    this.#ofCategory = list.ofCategory.map((units) => this.#viewOf(units));
    const wheelchairs = [...this.kinds.entries()].flatMap(([at, kind]) =>
      kind === FOR_WHEELCHAIR ? [at] : [],
    );
    this.#wheelchairCategories = new Set(wheelchairs.map((at) => this.categories[at] ?? 0));
    const rows = new Map<number, number>();
    for (const at of wheelchairs) {
      const row = this.rows[at] ?? 0;
      rows.set(row, Math.min(rows.get(row) ?? Number.POSITIVE_INFINITY, map.distances[at] ?? 0));
    }
    this.wheelchairRows = [...rows].sort(([a, x], [b, y]) => x - y || a - b).map(([row]) => row);
  }

  get unitCount(): number {
    return this.unitRows.length;
  }

  /** The units of one category; null: no such category has units. */
  ofCategory(category: number): UnitView | null {
    return this.#ofCategory[category] ?? null;
  }

  /** What a view has in one zone; a neighbourhood is in the zone of its head. */
  inZone(view: UnitView, zone: number): UnitView {
    const known = this.#inZone.get(view) ?? new Map<number, UnitView>();
    this.#inZone.set(view, known);
    const made = known.get(zone) ?? this.#zoneOf(view, zone);
    if (made.units.length > 0) known.set(zone, made);
    return made;
  }

  /** True when some seats for wheelchairs are of the category. */
  hasWheelchairs(category: number): boolean {
    return this.#wheelchairCategories.has(category);
  }

  /** The first position of a row; `rowEnd`: the one behind its last. */
  rowStart(row: number): number {
    return this.map.runStarts[this.map.rowRuns[row] ?? 0] ?? 0;
  }
  rowEnd(row: number): number {
    return this.rowStart(row + 1);
  }

  #zoneOf({ units, heads, seconds, thirds, next }: UnitView, zone: number): UnitView {
    const isInZone = (unit: number | undefined): boolean => this.unitZones[unit ?? -1] === zone;
    const ofHeads = (column: Uint32Array) => column.filter((_, index) => isInZone(heads[index]));
    const named = { heads: ofHeads(heads), seconds: ofHeads(seconds), thirds: ofHeads(thirds) };
    return { units: units.filter(isInZone), ...named, next };
  }

  #viewOf(members: readonly number[]): UnitView {
    const next = new Int32Array(this.unitRows.length).fill(-1);
    const ofRow = new Map(members.map((unit) => [this.unitRows[unit] ?? 0, unit]));
    for (const unit of members) {
      const row = this.unitRows[unit] ?? 0;
      if (this.map.rowNeighbours[row] === 1) next[unit] = ofRow.get(row + 1) ?? -1;
    }
    const reach = (unit: number): number => this.nearest[unit] ?? Number.POSITIVE_INFINITY;
    const around = (unit: number): number => {
      const behind = next[unit] ?? -1;
      return Math.min(reach(unit), reach(behind), reach(next[behind] ?? -1));
    };
    const sorted = (key: (unit: number) => number): Uint32Array =>
      Uint32Array.from(members.toSorted((a, b) => key(a) - key(b) || a - b));
    const heads = sorted(around);
    const behind = (unit: number): number => {
      const found = next[unit] ?? -1;
      return found < 0 ? this.unitCount : found;
    };
    const seconds = heads.map(behind);
    return { units: sorted(reach), heads, seconds, thirds: seconds.map(behind), next };
  }
}

function distanceSumsOf({ seatCount, distances }: SeatMap): Uint32Array | Float64Array {
  let sum = 0;
  for (const distance of distances) sum += distance;
  const sums =
    sum <= SUM_HALF_MAX ? new Uint32Array(seatCount + 1) : new Float64Array(seatCount + 1);
  for (let at = 0; at < seatCount; at++) sums[at + 1] = (sums[at] ?? 0) + (distances[at] ?? 0);
  return sums;
}

/** Makes the units, row by row. */
class UnitList {
  readonly unitAt: Int32Array;
  readonly mixedUnits: Int32Array;
  readonly rows: number[] = [];
  readonly sizes: number[] = [];
  readonly nearest: number[] = [];
  readonly uniform: number[] = [];
  readonly mixed: number[] = [];
  readonly whole: number[] = [];
  readonly ofCategory: number[][] = [];
  readonly #units: SeatUnits;

  constructor(units: SeatUnits) {
    const { map, categories, kinds } = units;
    this.#units = units;
    this.unitAt = new Int32Array(map.seatCount).fill(-1);
    this.mixedUnits = new Int32Array(map.rowCount).fill(-1);
    const hasOrdinary = new Set(categories.filter((_, at) => kinds[at] === ORDINARY));
    for (let row = 0; row < map.rowCount; row++) this.#addRow(row, hasOrdinary);
  }

  #addRow(row: number, hasOrdinary: ReadonlySet<number>): void {
    const { categories, kinds } = this.#units;
    const byCategory = new Map<number, number>();
    let mixed = -1;
    for (let at = this.#units.rowStart(row); at < this.#units.rowEnd(row); at++) {
      const category = categories[at] ?? 0;
      const isOrdinary = kinds[at] === ORDINARY;
      if (!isOrdinary && (kinds[at] === FOR_WHEELCHAIR || hasOrdinary.has(category))) continue;
      const unit = byCategory.get(category) ?? this.#addUnit(row);
      if (!byCategory.has(category)) {
        byCategory.set(category, unit);
        while (this.ofCategory.length <= category) this.ofCategory.push([]);
        this.ofCategory[category]?.push(unit);
      }
      this.unitAt[at] = unit;
      this.#count(unit, at);
    }
    const ordinary = [...byCategory].filter(([category]) => hasOrdinary.has(category));
    const own = ordinary.map(([, unit]) => unit);
    this.uniform.push(...own);
    if (own.length > 1) {
      mixed = this.#addUnit(row);
      this.mixedUnits[row] = mixed;
      this.mixed.push(mixed);
      for (let at = this.#units.rowStart(row); at < this.#units.rowEnd(row); at++) {
        if (kinds[at] === ORDINARY) this.#count(mixed, at);
      }
    }
    const whole = own.length > 1 ? mixed : own[0];
    if (whole !== undefined) this.whole.push(whole);
  }

  #addUnit(row: number): number {
    this.sizes.push(0);
    this.nearest.push(Number.POSITIVE_INFINITY);
    return this.rows.push(row) - 1;
  }

  #count(unit: number, at: number): void {
    const distance = this.#units.map.distances[at] ?? 0;
    this.sizes[unit] = (this.sizes[unit] ?? 0) + 1;
    this.nearest[unit] = Math.min(this.nearest[unit] ?? distance, distance);
  }
}
