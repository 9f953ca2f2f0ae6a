import { type FreeStretches, GAP_AFTER_SHIFT, GAP_MASK } from "./free-stretches.ts";
import { COUNTED_SIZES, type Shape, type Sizes, shapesOf } from "./party-shapes.ts";
import type { Placement } from "./seat-groups.ts";
import type { UnitView } from "./seat-units.ts";

/** Neighbourhoods that are tried for one shape: a better one farther away is not better. */
export const NEIGHBOURHOODS_TRIED_MAX = 8;
/** Neighbourhoods that are looked at for it: counts do not tell nine side by side from eight. */
const NEIGHBOURHOODS_LOOKED_AT_MAX = 64;
/** Parties whose shapes are kept. */
const SHAPES_KEPT_MAX = 32;
/** Rows of a neighbourhood; two groups need no more than two. */
const ROWS_MAX = 3;
const HIGH_BITS = 0x8888_8888 | 0;
const LOW_BITS = 0x7777_7777;

interface Candidate extends Placement {
  readonly orphans: number;
  readonly cost: number;
}

/**
 * Splits a party over rows right behind each other, or over one row.
 *
 * Shapes are tried best first (`shapesOf`). For one shape, of the nearest neighbourhoods that can
 * seat it, the one is taken that orphans fewest seats, then the nearest. In a neighbourhood the
 * groups are placed one after the other, the largest first, each in a stretch of its own, where it
 * orphans fewest seats and is nearest to the focus and to the first group.
 *
 * How many stretches of a neighbourhood have which length fits into one word, four bits for each
 * length: whether a shape fits is one subtraction. Placing the largest group first never takes a
 * stretch that a later group needs more: whatever fits a larger one fits a smaller one.
 */
export class SplitParty {
  readonly #stretches: FreeStretches;
  /** By index of a head: the counts of its neighbourhood. */
  #threeRows = new Int32Array(0);
  /** Stretches that have a group of the neighbourhood that is looked at. */
  readonly #used: number[] = [];
  /** Positions of the ways that were found before. */
  readonly #taken = new Set<number>();
  readonly #shapes = new Map<number, readonly Shape[]>();
  readonly #best = { stretch: -1, start: -1, orphans: 0, cost: 0 };

  constructor(stretches: FreeStretches) {
    this.#stretches = stretches;
  }

  /**
   * Up to `wanted` ways to seat the party that share no seat, best first. All units of the view
   * must be fresh, as they are after a search in vain.
   */
  find(view: UnitView, party: number, wanted: number): Placement[] {
    const found: Placement[] = [];
    const most = this.#survey(view);
    this.#taken.clear();
    for (const shape of this.#shapesOf(party)) {
      if (!covers(most, shape.need)) continue;
      let count: number;
      // A neighbourhood seats one party at a time: it may have room for another of this shape.
      do {
        count = found.length;
        const candidates = this.#seat(view, shape);
        candidates.sort((a, b) => a.orphans - b.orphans || a.cost - b.cost);
        for (const candidate of candidates) {
          if (!this.#take(candidate)) continue;
          found.push(candidate);
          if (found.length === wanted) return found;
        }
      } while (found.length > count);
    }
    return found;
  }

  /** Takes the seats of a way, unless one of them is taken. */
  #take({ starts, sizes }: Placement): boolean {
    if (starts.some((start, index) => this.#isTaken(start, sizes[index] ?? 0))) return false;
    for (const [index, start] of starts.entries()) {
      for (let n = 0; n < (sizes[index] ?? 0); n++) this.#taken.add(start + n);
    }
    return true;
  }

  #isTaken(start: number, size: number): boolean {
    for (let at = start; at < start + size; at++) if (this.#taken.has(at)) return true;
    return false;
  }

  #shapesOf(party: number): readonly Shape[] {
    const known = this.#shapes.get(party);
    if (known !== undefined) return known;
    if (this.#shapes.size === SHAPES_KEPT_MAX) this.#shapes.clear();
    const shapes = shapesOf(party);
    this.#shapes.set(party, shapes);
    return shapes;
  }

  /** Counts the stretches of every neighbourhood; the most that one has of each length. */
  #survey({ heads, seconds, thirds }: UnitView): number {
    if (this.#threeRows.length < heads.length) this.#threeRows = new Int32Array(heads.length);
    const threeRows = this.#threeRows;
    const { counts } = this.#stretches;
    let most = 0;
    for (let index = 0; index < heads.length; index++) {
      const one = counts[heads[index] ?? 0] ?? 0;
      const two = saturatingSum(one, counts[seconds[index] ?? 0] ?? 0);
      const three = saturatingSum(two, counts[thirds[index] ?? 0] ?? 0);
      threeRows[index] = three;
      most = largerOf(most, three);
    }
    return most;
  }

  #seat({ heads, seconds, next }: UnitView, { sizes, need }: Shape): Candidate[] {
    const rows = Math.min(sizes.length, ROWS_MAX);
    const threeRows = this.#threeRows;
    const { counts } = this.#stretches;
    const found: Candidate[] = [];
    let tries = 0;
    for (let index = 0; index < heads.length; index++) {
      if (!covers(threeRows[index] ?? 0, need)) continue;
      const head = heads[index] ?? 0;
      if (rows < ROWS_MAX) {
        const two = saturatingSum(counts[head] ?? 0, counts[seconds[index] ?? 0] ?? 0);
        if (!covers(two, need)) continue;
      }
      if (!this.#mayFit(head, next, rows, sizes[0] ?? 0)) continue;
      const candidate = this.#place(head, next, rows, sizes);
      if (candidate !== null) found.push(candidate);
      tries += 1;
      if (found.length === NEIGHBOURHOODS_TRIED_MAX) break;
      if (tries === NEIGHBOURHOODS_LOOKED_AT_MAX) break;
    }
    return found;
  }

  /** Whether the largest group fits, which its counts tell only of small ones. */
  #mayFit(head: number, next: Int32Array, rows: number, largest: number): boolean {
    if (largest <= COUNTED_SIZES) return true;
    let unit = head;
    for (let row = 0; row < rows && unit >= 0; row++) {
      if ((this.#stretches.longest[unit] ?? 0) >= largest) return true;
      unit = next[unit] ?? -1;
    }
    return false;
  }

  #place(head: number, next: Int32Array, rows: number, sizes: Sizes): Candidate | null {
    const starts: number[] = [];
    const best = this.#best;
    let orphans = 0;
    let cost = 0;
    let middle = -1;
    this.#used.length = 0;
    for (const size of sizes) {
      best.stretch = -1;
      let unit = head;
      for (let row = 0; row < rows && unit >= 0; row++) {
        this.#lookInto(unit, size, middle);
        unit = next[unit] ?? -1;
      }
      if (best.stretch < 0) return null;
      this.#used.push(best.stretch);
      starts.push(best.start);
      orphans += best.orphans;
      cost += best.cost;
      if (middle < 0) middle = best.start + (size >> 1);
    }
    return { starts, sizes, orphans, cost };
  }

  /** `middle`: the seat in the middle of the first group; -1: this is the first. */
  #lookInto(unit: number, size: number, middle: number): void {
    const { firstStretch, stretchCount, starts, ends, gaps } = this.#stretches;
    const { distanceSums } = this.#stretches.units;
    const best = this.#best;
    const isFirstWay = this.#taken.size === 0;
    const first = firstStretch[unit] ?? 0;
    const last = first + (stretchCount[unit] ?? 0);
    for (let stretch = first; stretch < last; stretch++) {
      const start = starts[stretch] ?? 0;
      const end = (ends[stretch] ?? 0) - size;
      if (end < start || this.#used.includes(stretch)) continue;
      const gap = gaps[stretch] ?? 0;
      const lonelyAt = start + 1 - (gap & GAP_MASK);
      const lonelyEnd = end - 1 + (gap >> GAP_AFTER_SHIFT);
      for (let at = start; at <= end; at++) {
        if (!isFirstWay && this.#isTaken(at, size)) continue;
        const orphans = (at === lonelyAt ? 1 : 0) + (at === lonelyEnd ? 1 : 0);
        if (best.stretch >= 0 && orphans > best.orphans) continue;
        let cost = (distanceSums[at + size] ?? 0) - (distanceSums[at] ?? 0);
        if (middle >= 0) cost += size * this.#apart(middle, at + (size >> 1));
        if (best.stretch >= 0 && orphans === best.orphans && cost >= best.cost) continue;
        best.stretch = stretch;
        best.start = at;
        best.orphans = orphans;
        best.cost = cost;
      }
    }
  }

  /** Along the row and across it, which is quicker to compute than the air-line. */
  #apart(a: number, b: number): number {
    const { xs, ys } = this.#stretches.units.map;
    return Math.abs((xs[a] ?? 0) - (xs[b] ?? 0)) + Math.abs((ys[a] ?? 0) - (ys[b] ?? 0));
  }
}

/** Whether each of eight numbers of four bits is as large as the other's, all at most 7. */
function covers(counts: number, need: number): boolean {
  return (((counts | HIGH_BITS) - need) & HIGH_BITS) === HIGH_BITS;
}

/** Of eight numbers of four bits that are at most 7, the larger ones. */
function largerOf(a: number, b: number): number {
  // The highest bit of each four stays where a's number is not the smaller one.
  const isLarger = (((a | HIGH_BITS) - b) & HIGH_BITS) >>> 3;
  const mask = isLarger * 7;
  return (a & mask) | (b & ~mask);
}

/** Adds eight numbers of four bits each that are at most 7, and leaves 7 of what is more. */
function saturatingSum(a: number, b: number): number {
  const sum = (a + b) | 0;
  const over = sum & HIGH_BITS;
  return (sum | (over - (over >>> 3))) & LOW_BITS;
}
