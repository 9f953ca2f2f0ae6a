import type { FreeStretches } from "./free-stretches.ts";
import { ORDINARY } from "./seat-units.ts";

/** Positions of the first seats of a party's groups, and how many seats each has. */
export interface Placement {
  readonly starts: readonly number[];
  readonly sizes: readonly number[];
}

/** People side by side. Zone and row as in the seat map; seats by index, along the row. */
export interface SeatGroup {
  readonly zone: number;
  readonly row: number;
  readonly seats: readonly number[];
  /** Sum of the distances of its seats to the focus, in the seat map's unit. */
  readonly distance: number;
  /** Seats that it leaves alone between taken ones and edges. */
  readonly orphans: number;
}

/** The seats of a placement. Single seats side by side become one group. */
export function groupsOf(stretches: FreeStretches, placement: Placement): SeatGroup[] {
  const { map, runs, rows, distanceSums } = stretches.units;
  const spans: { start: number; end: number }[] = [];
  for (const [start, size] of spansOf(placement)) {
    const last = spans.at(-1);
    const isSameRun = last !== undefined && runs[last.end - 1] === runs[start];
    if (last?.end === start && isSameRun) last.end += size;
    else spans.push({ start, end: start + size });
  }
  const isTaken = (at: number): boolean => spans.some(({ start, end }) => at >= start && at < end);
  const counted = new Set<number>();
  return spans.map(({ start, end }) => {
    const row = rows[start] ?? 0;
    let orphans = 0;
    for (const [seat, beyond] of [
      [start, -1],
      [end - 1, 1],
    ] as const) {
      const orphan = seat + beyond;
      if (isTaken(orphan) || counted.has(orphan) || !isCompany(stretches, seat, orphan)) continue;
      const other = orphan + beyond;
      if (!isTaken(other) && isCompany(stretches, orphan, other)) continue;
      counted.add(orphan);
      orphans += 1;
    }
    return {
      zone: map.rowZones[row] ?? 0,
      row,
      seats: [...map.seats.subarray(start, end)],
      distance: (distanceSums[end] ?? 0) - (distanceSums[start] ?? 0),
      orphans,
    };
  });
}

/** Seats that one group would leave alone. */
export function orphansOf(stretches: FreeStretches, start: number, size: number): number {
  let orphans = 0;
  const end = start + size;
  const leavesLeft = isCompany(stretches, start, start - 1);
  if (leavesLeft && !isCompany(stretches, start - 1, start - 2)) orphans += 1;
  const leavesRight = isCompany(stretches, end - 1, end);
  if (leavesRight && !isCompany(stretches, end, end + 1)) orphans += 1;
  return orphans;
}

/** True when the two positions are open ordinary seats side by side. */
function isCompany({ units, open }: FreeStretches, a: number, b: number): boolean {
  const { runs, kinds } = units;
  const areOrdinary = kinds[a] === ORDINARY && kinds[b] === ORDINARY;
  return areOrdinary && runs[a] === runs[b] && open[a] === 1 && open[b] === 1;
}

function spansOf({ starts, sizes }: Placement): (readonly [start: number, size: number])[] {
  const spans = starts.map((start, index) => [start, sizes[index] ?? 0] as const);
  return spans.sort(([a], [b]) => a - b);
}
