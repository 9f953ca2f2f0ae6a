import { assert } from "./assert.ts";
import { type Indexes, indexesUpTo } from "./indexes.ts";
import { BLOCKED, FREE } from "./inventory.ts";
import { COUNT_MAX, COUNTED_SIZES } from "./party-shapes.ts";
import { FOR_WHEELCHAIR, ORDINARY, type SeatUnits } from "./seat-units.ts";

/** Sizes of groups that have a bit of their own; the last bit stands for all above. */
export const SIZE_BIT_MAX = 31;
/** An edge so far away that nothing beside it is ever left alone. */
const FAR = 1 << 30;
/** The longest stretch of a unit of which nobody knows by now: it may be any. */
const UNKNOWN = 0xffff_ffff;
/** No group of a stretch leaves a seat alone at an edge that is as far as this from its end. */
const GAP_MAX = 2;
/** Bits of a gap. */
export const GAP_MASK = 3;
export const GAP_AFTER_SHIFT = 2;

/**
 * Where seats are free beside each other.
 *
 * A *stretch* is a longest sequence of open seats of a unit that sit side by side.
 *
 * An ordinary open seat has company when an ordinary open seat is beside it. A group *orphans* a
 * seat that had company before and has none after. So a seat of another category is company, one
 * for wheelchairs or companions is none, and is no orphan either.
 *
 * Invariants:
 * - What is kept of a row that is not dirty is what its statuses say, seats that `mayTake` takes
 *   counted as open while there is one.
 * - Whoever reads about a unit has called `freshen` for it after the last `touch` of its row.
 */
export class FreeStretches {
  readonly units: SeatUnits;
  /** By position: 1 is open. */
  readonly open: Uint8Array;

  /** By unit: open seats. */
  readonly free: Uint32Array;
  /** Of a unit that is not fresh: more than any has. So whatever is too short here is too short. */
  readonly longest: Uint32Array;
  /** Bit n: a group of n may sit here that orphans nobody, at most one. */
  readonly orphanFree: Int32Array;
  readonly oneOrphan: Int32Array;
  /**
   * Four bits for each length from 1 to COUNTED_SIZES: stretches of it or more, up to COUNT_MAX.
   * The last word belongs to no unit: there is nothing where there is no unit.
   */
  readonly counts: Int32Array;
  readonly firstStretch: Uint32Array;
  readonly stretchCount: Uint32Array;

  /** By stretch: its ends. */
  readonly starts: Indexes;
  readonly ends: Indexes;
  /**
   * By stretch: how far the ordinary open seats that it is a part of go on before it, up to
   * GAP_MAX, and above that how far behind it. So a group that begins at `start + 1 - before`, or
   * ends at `end - 1 + after`, leaves a seat alone.
   */
  readonly gaps: Uint8Array;

  readonly #statuses: Uint8Array;
  readonly #dirty: Uint8Array;
  readonly #blocked: Uint32Array;
  #mayTake: ((seat: number) => boolean) | null = null;

  /** `statuses` is by seat, and is read again whenever a seat was touched. */
  constructor(units: SeatUnits, statuses: Uint8Array) {
    assert(statuses.length === units.map.seatCount, "every seat has a status");
    const { unitCount } = units;
    this.units = units;
    this.#statuses = statuses;
    this.open = new Uint8Array(statuses.length);
    this.#dirty = new Uint8Array(units.map.rowCount).fill(1);
    this.#blocked = new Uint32Array(units.map.rowCount);
    this.free = new Uint32Array(unitCount);
    this.longest = new Uint32Array(unitCount).fill(UNKNOWN);
    this.orphanFree = new Int32Array(unitCount);
    this.oneOrphan = new Int32Array(unitCount);
    this.counts = new Int32Array(unitCount + 1);
    this.firstStretch = new Uint32Array(unitCount);
    this.stretchCount = new Uint32Array(unitCount);
    let capacity = 0;
    for (const [unit, most] of mostStretches(units).entries()) {
      this.firstStretch[unit] = capacity;
      capacity += most;
    }
    this.starts = indexesUpTo(statuses.length, capacity);
    this.ends = indexesUpTo(statuses.length, capacity);
    this.gaps = new Uint8Array(capacity);
  }

  /** A seat's status has changed. What follows from it is worked out when somebody asks. */
  touch(seat: number): void {
    const position = this.units.map.positions[seat] ?? 0;
    this.#soil(this.units.rows[position] ?? 0);
  }

  /** Calls `search`, for which blocked seats that `mayTake` takes are open. */
  taking<Result>(mayTake: (seat: number) => boolean, search: () => Result): Result {
    this.#mayTake = mayTake;
    this.#touchBlocked();
    try {
      return search();
    } finally {
      this.#mayTake = null;
      this.#touchBlocked();
    }
  }

  /** Must be called before the unit is read. */
  freshen(unit: number): void {
    const row = this.units.unitRows[unit] ?? 0;
    if (this.#dirty[row] === 1) this.#refresh(row);
  }

  freshenRow(row: number): void {
    if (this.#dirty[row] === 1) this.#refresh(row);
  }

  #touchBlocked(): void {
    for (const [row, blocked] of this.#blocked.entries()) if (blocked > 0) this.#soil(row);
  }

  #soil(row: number): void {
    if (this.#dirty[row] === 1) return;
    this.#dirty[row] = 1;
    const { firstUnits } = this.units;
    this.longest.fill(UNKNOWN, firstUnits[row], firstUnits[row + 1]);
  }

  #refresh(row: number): void {
    this.#dirty[row] = 0;
    const { kinds, runs, unitAt, mixedUnits, firstUnits } = this.units;
    const start = this.units.rowStart(row);
    const end = this.units.rowEnd(row);
    this.#open(row, start, end);
    const lastUnit = firstUnits[row + 1] ?? 0;
    for (let unit = firstUnits[row] ?? 0; unit < lastUnit; unit++) this.#clear(unit);
    const mixed = mixedUnits[row] ?? -1;
    for (let at = start; at < end; ) {
      const kind = kinds[at];
      if (this.open[at] === 0 || kind === FOR_WHEELCHAIR) {
        at += 1;
        continue;
      }
      const first = at;
      const run = runs[at];
      while (at < end && this.open[at] === 1 && kinds[at] === kind && runs[at] === run) at += 1;
      const isOrdinary = kind === ORDINARY;
      if (isOrdinary && mixed >= 0) this.#add(mixed, first, at, first, at);
      for (let from = first; from < at; ) {
        const unit = unitAt[from] ?? -1;
        let to = from + 1;
        while (to < at && unitAt[to] === unit) to += 1;
        if (unit >= 0) this.#add(unit, from, to, isOrdinary ? first : -FAR, isOrdinary ? at : FAR);
        from = to;
      }
    }
  }

  #open(row: number, start: number, end: number): void {
    const mayTake = this.#mayTake;
    let blocked = 0;
    for (let at = start; at < end; at++) {
      const seat = this.units.map.seats[at] ?? 0;
      const status = this.#statuses[seat];
      let isOpen = status === FREE;
      if (status === BLOCKED) {
        blocked += 1;
        isOpen = mayTake?.(seat) ?? false;
      }
      this.open[at] = isOpen ? 1 : 0;
    }
    this.#blocked[row] = blocked;
  }

  #clear(unit: number): void {
    this.free[unit] = 0;
    this.longest[unit] = 0;
    this.orphanFree[unit] = 0;
    this.oneOrphan[unit] = 0;
    this.counts[unit] = 0;
    this.stretchCount[unit] = 0;
  }

  #add(unit: number, start: number, end: number, openStart: number, openEnd: number): void {
    const length = end - start;
    const index = (this.firstStretch[unit] ?? 0) + (this.stretchCount[unit] ?? 0);
    this.stretchCount[unit] = (this.stretchCount[unit] ?? 0) + 1;
    this.starts[index] = start;
    this.ends[index] = end;
    const before = Math.min(start - openStart, GAP_MAX);
    const after = Math.min(openEnd - end, GAP_MAX);
    this.gaps[index] = before | (after << GAP_AFTER_SHIFT);
    this.free[unit] = (this.free[unit] ?? 0) + length;
    if (length > (this.longest[unit] ?? 0)) this.longest[unit] = length;

    // A group has end - start - size + 1 places in a stretch, and at most two of them orphan.
    let orphanFree = sizesUpTo(length - 2);
    let oneOrphan = orphanFree;
    for (let size = Math.max(1, length - 1); size <= length; size++) {
      const bit = 1 << Math.min(size, SIZE_BIT_MAX);
      for (let at = start; at <= end - size; at++) {
        const orphans = (at - openStart === 1 ? 1 : 0) + (openEnd - at - size === 1 ? 1 : 0);
        if (orphans === 0) orphanFree |= bit;
        if (orphans <= 1) oneOrphan |= bit;
      }
    }
    this.orphanFree[unit] = (this.orphanFree[unit] ?? 0) | orphanFree;
    this.oneOrphan[unit] = (this.oneOrphan[unit] ?? 0) | oneOrphan;

    let counts = this.counts[unit] ?? 0;
    for (let n = 0; n < Math.min(length, COUNTED_SIZES); n++) {
      if (((counts >>> (4 * n)) & 15) < COUNT_MAX) counts += 1 << (4 * n);
    }
    this.counts[unit] = counts;
  }
}

/** By unit: every other seat of those side by side may be a stretch of its own. */
function mostStretches({ unitCount, unitAt, mixedUnits, map, kinds, runs, rows }: SeatUnits) {
  const most = new Uint32Array(unitCount);
  let [offset, mixedOffset] = [0, 0];
  for (let at = 0; at < map.seatCount; at++) {
    const unit = unitAt[at] ?? -1;
    const isBeside = runs[at] === runs[at - 1] && kinds[at] === kinds[at - 1];
    offset = isBeside && unitAt[at - 1] === unit ? offset + 1 : 0;
    if (unit >= 0 && offset % 2 === 0) most[unit] = (most[unit] ?? 0) + 1;
    const mixed = kinds[at] === ORDINARY ? (mixedUnits[rows[at] ?? 0] ?? -1) : -1;
    mixedOffset = isBeside ? mixedOffset + 1 : 0;
    if (mixed >= 0 && mixedOffset % 2 === 0) most[mixed] = (most[mixed] ?? 0) + 1;
  }
  return most;
}

function sizesUpTo(size: number): number {
  if (size <= 0) return 0;
  return size >= SIZE_BIT_MAX ? -2 : (2 << size) - 2;
}
