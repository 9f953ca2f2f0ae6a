import type { FreeStretches } from "./free-stretches.ts";
import type { Placement } from "./seat-groups.ts";
import type { UnitView } from "./seat-units.ts";

/** Open seats of a view; `enough`, if there are more. */
export function freeIn(stretches: FreeStretches, { units }: UnitView, enough: number): number {
  const { free } = stretches;
  let sum = 0;
  for (let index = 0; index < units.length && sum < enough; index++) {
    const unit = units[index] ?? 0;
    stretches.freshen(unit);
    sum += free[unit] ?? 0;
  }
  return Math.min(sum, enough);
}

/**
 * The nearest open seats of a view, wherever they are, except those of `others`; null: there are
 * not so many. Of two that are equally near, the one with the lower index.
 */
export function nearestSeats(
  stretches: FreeStretches,
  { view, count, others }: NearestSearch,
): Placement | null {
  const { free, units } = stretches;
  const found: number[] = [];
  for (const unit of view.units) {
    const farthest = found.length === count ? units.map.distances[found.at(-1) ?? 0] : undefined;
    if ((units.nearest[unit] ?? 0) > (farthest ?? Number.POSITIVE_INFINITY)) break;
    stretches.freshen(unit);
    if (free[unit] === 0) continue;
    const first = stretches.firstStretch[unit] ?? 0;
    const last = first + (stretches.stretchCount[unit] ?? 0);
    for (let stretch = first; stretch < last; stretch++) {
      const end = stretches.ends[stretch] ?? 0;
      for (let at = stretches.starts[stretch] ?? 0; at < end; at++) {
        if (!others.some((other) => contains(other, at))) insert(stretches, found, at, count);
      }
    }
  }
  return found.length < count ? null : { starts: found, sizes: found.map(() => 1) };
}

interface NearestSearch {
  readonly view: UnitView;
  readonly count: number;
  readonly others: readonly Placement[];
}

/** Into a list that is kept sorted, nearest first, and no longer than `count`. */
function insert({ units }: FreeStretches, found: number[], at: number, count: number): void {
  const { distances, seats } = units.map;
  const isNearer = (a: number, b: number): boolean => {
    const apart = (distances[a] ?? 0) - (distances[b] ?? 0);
    return apart < 0 || (apart === 0 && (seats[a] ?? 0) < (seats[b] ?? 0));
  };
  const last = found.at(-1);
  if (found.length === count && last !== undefined && !isNearer(at, last)) return;
  if (found.length === count) found.pop();
  let index = found.length;
  while (index > 0 && isNearer(at, found[index - 1] ?? 0)) index -= 1;
  found.splice(index, 0, at);
}

function contains({ starts, sizes }: Placement, at: number): boolean {
  return starts.some((start, index) => at >= start && at < start + (sizes[index] ?? 0));
}
