import type { FreeStretches } from "./free-stretches.ts";
import { orphansOf, type Placement } from "./seat-groups.ts";
import { FOR_WHEELCHAIR, ORDINARY } from "./seat-units.ts";

/** Rows that are tried for one way to split a party. */
const ROWS_TRIED_MAX = 12;

/** What a party with a wheelchair may take. */
export interface AccessibleChoice {
  /**
   * Of the ordinary seats; and of those for wheelchairs, if any of them are of this category. Seats
   * for companions may be of any: plans often give them one of their own. null: any.
   */
  readonly category: number | null;
  /** null: any. */
  readonly zone: number | null;
}

interface Group {
  readonly start: number;
  readonly wheelchairs: number;
  readonly orphans: number;
  readonly ordinary: number;
  readonly cost: number;
}

/** Positions that earlier placements have. */
type Taken = Set<number>;

/**
 * Places for a party of which one uses a wheelchair. Seats for wheelchairs are few, so the rows
 * that have any are simply looked through.
 *
 * Of the groups side by side that have a seat for a wheelchair, the best has, in this order: fewest
 * seats for wheelchairs, fewest orphans, fewest ordinary seats (so companions' seats go first), the
 * least sum of distances, the least index of its first seat.
 */
export class AccessibleSeats {
  readonly #stretches: FreeStretches;

  constructor(stretches: FreeStretches) {
    this.#stretches = stretches;
  }

  /** Open seats that such a party may take; 0 when none of them is for a wheelchair. */
  free(choice: AccessibleChoice): number {
    const { wheelchairs, others } = this.#open(choice, new Set());
    return wheelchairs.length === 0 ? 0 : wheelchairs.length + others.length;
  }

  /** The position of the first seat of the best group side by side; -1: there is none. */
  find(choice: AccessibleChoice, size: number): number {
    const taken: Taken = new Set();
    let best: Group | null = null;
    for (const row of this.#wheelchairRows(choice)) {
      best = this.#better(best, this.#bestIn({ row, choice, size, taken }));
    }
    return best?.start ?? -1;
  }

  /**
   * Up to `wanted` ways to seat the party that share no seat, best first: two groups in one row or
   * in two right behind each other, nobody alone if that can be, as even as can be. The last way
   * may be single seats, near each other or not.
   */
  split(choice: AccessibleChoice, party: number, wanted: number): Placement[] {
    const found: Placement[] = [];
    const taken: Taken = new Set();
    for (const size of firstGroups(party)) {
      let tries = 0;
      for (const row of this.#wheelchairRows(choice)) {
        if (found.length === wanted || tries === ROWS_TRIED_MAX) break;
        const group = this.#bestIn({ row, choice, size, taken });
        if (group === null) continue;
        tries += 1;
        const first = sequence(group.start, size);
        const mine: Taken = new Set([...taken, ...first]);
        const others = this.#beside({ row, choice, size: party - size, taken: mine }, group.start);
        if (others < 0) continue;
        found.push({ starts: [group.start, others], sizes: [size, party - size] });
        for (const at of [...first, ...sequence(others, party - size)]) taken.add(at);
      }
    }
    const last = found.length < wanted ? this.#anywhere(choice, party, taken) : null;
    return last === null ? found : [...found, last];
  }

  #wheelchairRows({ zone }: AccessibleChoice): readonly number[] {
    const { map, wheelchairRows } = this.#stretches.units;
    return zone === null ? wheelchairRows : wheelchairRows.filter((r) => map.rowZones[r] === zone);
  }

  /** Open seats that are not taken, by position. */
  #open(choice: AccessibleChoice, taken: Taken) {
    const { map, kinds, rows } = this.#stretches.units;
    const wheelchairs: number[] = [];
    const others: number[] = [];
    for (let row = 0; row < map.rowCount; row++) this.#stretches.freshenRow(row);
    for (let at = 0; at < map.seatCount; at++) {
      const zone = map.rowZones[rows[at] ?? 0];
      if (choice.zone !== null && choice.zone !== zone) continue;
      if (!this.#mayTake(at, choice) || taken.has(at)) continue;
      (kinds[at] === FOR_WHEELCHAIR ? wheelchairs : others).push(at);
    }
    return { wheelchairs, others };
  }

  /** The nearest seat for a wheelchair, and the nearest of the others; null: there are too few. */
  #anywhere(choice: AccessibleChoice, party: number, taken: Taken): Placement | null {
    const { distances } = this.#stretches.units.map;
    const { wheelchairs, others } = this.#open(choice, taken);
    for (const list of [wheelchairs, others]) {
      list.sort((a, b) => (distances[a] ?? 0) - (distances[b] ?? 0) || a - b);
    }
    const [first, ...more] = wheelchairs;
    if (first === undefined) return null;
    const starts = [first, ...others, ...more].slice(0, party);
    return starts.length < party ? null : { starts, sizes: starts.map(() => 1) };
  }

  /** The best group of a row that has a seat for a wheelchair. */
  #bestIn(search: RowSearch): Group | null {
    const { kinds } = this.#stretches.units;
    let best: Group | null = null;
    for (const start of this.#starts(search, () => true)) {
      let wheelchairs = 0;
      let ordinary = 0;
      for (const at of sequence(start, search.size)) {
        if (kinds[at] === FOR_WHEELCHAIR) wheelchairs += 1;
        if (kinds[at] === ORDINARY) ordinary += 1;
      }
      if (wheelchairs === 0) continue;
      const orphans = orphansOf(this.#stretches, start, search.size);
      const cost = this.#distances(start, search.size);
      best = this.#better(best, { start, wheelchairs, orphans, ordinary, cost });
    }
    return best;
  }

  /** Where the others sit: in the same row, or right before or behind it. -1: nowhere. */
  #beside(search: RowSearch, wheelchair: number): number {
    const { map, kinds } = this.#stretches.units;
    const { row, size } = search;
    const rows = [row];
    if (map.rowNeighbours[row] === 1) rows.push(row + 1);
    if (map.rowNeighbours[row - 1] === 1) rows.push(row - 1);
    let best: Group | null = null;
    for (const near of rows) {
      const isForOthers = (at: number): boolean => kinds[at] !== FOR_WHEELCHAIR;
      for (const start of this.#starts({ ...search, row: near }, isForOthers)) {
        const apartX = Math.abs((map.xs[start] ?? 0) - (map.xs[wheelchair] ?? 0));
        const apartY = Math.abs((map.ys[start] ?? 0) - (map.ys[wheelchair] ?? 0));
        const cost = this.#distances(start, size) + size * (apartX + apartY);
        const orphans = orphansOf(this.#stretches, start, size);
        best = this.#better(best, { start, wheelchairs: 0, orphans, ordinary: 0, cost });
      }
    }
    return best?.start ?? -1;
  }

  /** Where in a row that many seats side by side may be taken. */
  *#starts({ row, choice, size, taken }: RowSearch, isWanted: (at: number) => boolean) {
    const { units } = this.#stretches;
    this.#stretches.freshenRow(row);
    let length = 0;
    for (let at = units.rowStart(row); at < units.rowEnd(row); at++) {
      if (units.runs[at] !== units.runs[at - 1]) length = 0;
      const isOpen = isWanted(at) && this.#mayTake(at, choice) && !taken.has(at);
      length = isOpen ? length + 1 : 0;
      if (length >= size) yield at + 1 - size;
    }
  }

  #mayTake(at: number, { category }: AccessibleChoice): boolean {
    const { units, open } = this.#stretches;
    if (open[at] !== 1) return false;
    if (category === null || units.categories[at] === category) return true;
    const kind = units.kinds[at];
    if (kind === ORDINARY) return false;
    return kind !== FOR_WHEELCHAIR || !units.hasWheelchairs(category);
  }

  #distances(start: number, size: number): number {
    const { distanceSums } = this.#stretches.units;
    return (distanceSums[start + size] ?? 0) - (distanceSums[start] ?? 0);
  }

  #better(a: Group | null, b: Group | null): Group | null {
    if (a === null || b === null) return a ?? b;
    const { seats } = this.#stretches.units.map;
    const order =
      a.wheelchairs - b.wheelchairs ||
      a.orphans - b.orphans ||
      a.ordinary - b.ordinary ||
      a.cost - b.cost ||
      (seats[a.start] ?? 0) - (seats[b.start] ?? 0);
    return order <= 0 ? a : b;
  }
}

interface RowSearch {
  readonly row: number;
  readonly choice: AccessibleChoice;
  readonly size: number;
  readonly taken: Taken;
}

/** Sizes of the group with the wheelchair, best first. 5 people: 3, 2, 4, 1. */
function firstGroups(party: number): number[] {
  const alone = (size: number): number => (size === 1 || size === party - 1 ? 1 : 0);
  const uneven = (size: number): number => Math.abs(2 * size - party);
  return sequence(1, party - 1).sort(
    (a, b) => alone(a) - alone(b) || uneven(a) - uneven(b) || b - a,
  );
}

function sequence(first: number, count: number): number[] {
  return Array.from({ length: count }, (_, n) => first + n);
}
