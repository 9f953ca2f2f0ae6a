import { type FreeStretches, GAP_AFTER_SHIFT, GAP_MASK, SIZE_BIT_MAX } from "./free-stretches.ts";
import type { UnitView } from "./seat-units.ts";

/** Which seats may be taken: one view for groups of one category, and one for mixed groups. */
export interface Choice {
  readonly uniform: UnitView;
  /** null: only groups of one category. */
  readonly mixed: UnitView | null;
}

/**
 * The best place for a group side by side. In this order: fewest orphans, one category, nearest
 * (the least sum of distances), least index of its first seat.
 *
 * Units come nearest first, so a search ends where even a unit's nearest seat is too far away. What
 * can be had in a unit at all is a bit of its masks. So units are either skipped at one look or
 * end the search soon.
 */
export class AdjacentSeats {
  readonly #stretches: FreeStretches;
  /** Least sum of distances found by `#look`, and where. */
  #sum = 0;
  #start = -1;
  /** Whether the last `#look` met a stretch as long as that, and where it would orphan one. */
  #isLongEnough = false;
  #oneOrphan = 0;

  constructor(stretches: FreeStretches) {
    this.#stretches = stretches;
  }

  /** The position of the group's first seat; -1: there is no such place. */
  find({ uniform, mixed }: Choice, size: number): number {
    let oneOrphan = 0;
    let isLongEnough = false;
    for (let orphans = 0; orphans <= 2; orphans++) {
      if (orphans === 1 && (oneOrphan & bitOf(size)) === 0) continue;
      if (orphans > 0 && !isLongEnough) break;
      for (const view of [uniform, mixed]) {
        if (view === null) continue;
        this.#look(view, size, orphans);
        if (this.#start >= 0) return this.#start;
        oneOrphan |= this.#oneOrphan;
        isLongEnough ||= this.#isLongEnough;
      }
    }
    return -1;
  }

  /**
   * The nearest place that orphans exactly so many; there must be none that orphans fewer. Where
   * nothing is long enough, one look at each unit is all that it takes.
   */
  #look({ units }: UnitView, size: number, orphans: number): void {
    const stretches = this.#stretches;
    const { nearest } = stretches.units;
    const { orphanFree, oneOrphan, longest } = stretches;
    const masks = orphans === 0 ? orphanFree : oneOrphan;
    const bit = bitOf(size);
    this.#start = -1;
    this.#sum = Number.POSITIVE_INFINITY;
    this.#oneOrphan = 0;
    this.#isLongEnough = false;
    for (let index = 0; index < units.length; index++) {
      const unit = units[index] ?? 0;
      if ((longest[unit] ?? 0) < size) continue;
      if ((nearest[unit] ?? 0) * size > this.#sum) return;
      stretches.freshen(unit);
      if ((longest[unit] ?? 0) < size) continue;
      this.#isLongEnough = true;
      this.#oneOrphan |= oneOrphan[unit] ?? 0;
      if (orphans < 2 && ((masks[unit] ?? 0) & bit) === 0) continue;
      this.#lookInto(unit, size, orphans);
    }
  }

  #lookInto(unit: number, size: number, orphans: number): void {
    const { firstStretch, stretchCount, starts, ends, gaps } = this.#stretches;
    const { distanceSums, map } = this.#stretches.units;
    const first = firstStretch[unit] ?? 0;
    const last = first + (stretchCount[unit] ?? 0);
    for (let stretch = first; stretch < last; stretch++) {
      const start = starts[stretch] ?? 0;
      const end = (ends[stretch] ?? 0) - size;
      const gap = gaps[stretch] ?? 0;
      const lonelyAt = start + 1 - (gap & GAP_MASK);
      const lonelyEnd = end - 1 + (gap >> GAP_AFTER_SHIFT);
      for (let at = start; at <= end; at++) {
        if ((at === lonelyAt ? 1 : 0) + (at === lonelyEnd ? 1 : 0) !== orphans) continue;
        const sum = (distanceSums[at + size] ?? 0) - (distanceSums[at] ?? 0);
        const isTie = sum === this.#sum && (map.seats[at] ?? 0) < (map.seats[this.#start] ?? 0);
        if (sum < this.#sum || isTie) {
          this.#sum = sum;
          this.#start = at;
        }
      }
    }
  }
}

function bitOf(size: number): number {
  return 1 << Math.min(size, SIZE_BIT_MAX);
}
