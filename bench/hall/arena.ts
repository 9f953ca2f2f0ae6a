import type { Hall } from "./hall.ts";

const TIERS = ["Lower", "Club", "Upper"];
const ROWS_IN_BLOCK = 20;
export const SEATS_IN_ROW = 15;
const SEATS_IN_BLOCK = ROWS_IN_BLOCK * SEATS_IN_ROW;
/** Blocks of a tier in the arena of 18,000, whose innermost row has this radius. */
const BLOCKS_IN_TIER = 20;
const RADIUS = 700;
const TIER_DEPTH = 450;
const ROW_DEPTH = 18;
/** Of its block's angle that a row takes; the rest is stairs. */
const ROW_SHARE = 0.8;
/** Seats for wheelchairs: so many at the end of the first row of each block. */
const WHEELCHAIRS_IN_BLOCK = 2;

export interface ArenaOptions {
  readonly seats: number;
  readonly hasWheelchairs: boolean;
}

export interface Arena {
  /** As a seating plan of pretix. */
  readonly plan: object;
  readonly hall: Hall;
}

interface PlannedSeat {
  readonly seat_guid: string;
  readonly category: string;
  readonly position: { readonly x: number; readonly y: number };
  readonly accessible?: true;
}

/** Blocks around a field, in three tiers, each a price category: 18,000 are 20 blocks a tier. */
export function arenaOf({ seats, hasWheelchairs }: ArenaOptions): Arena {
  const zones: { name: string; rows: { row_number: string; seats: PlannedSeat[] }[] }[] = [];
  const of = { zones: [] as number[], categories: [] as number[], wheelchairs: [] as number[] };
  const ids: string[] = [];
  const spots: number[] = [];
  let spot = 0;
  for (const [height, tier] of TIERS.entries()) {
    const count = Math.floor(seats / TIERS.length) + (height < seats % TIERS.length ? 1 : 0);
    const blocks = Math.ceil(count / SEATS_IN_BLOCK);
    const inner = RADIUS * (blocks / BLOCKS_IN_TIER) + height * TIER_DEPTH;
    for (let first = 0; first < count; first += SEATS_IN_ROW) {
      const block = Math.floor(first / SEATS_IN_BLOCK);
      const row = (first % SEATS_IN_BLOCK) / SEATS_IN_ROW;
      if (row === 0) zones.push({ name: `${tier} ${block + 1}`, rows: [] });
      const inRow = Math.min(SEATS_IN_ROW, count - first);
      const planned = Array.from({ length: inRow }, (_, number): PlannedSeat => {
        const turn = (block + (number / SEATS_IN_ROW) * ROW_SHARE) / blocks;
        const position = around(turn, inner + row * ROW_DEPTH);
        const isLast = number >= inRow - WHEELCHAIRS_IN_BLOCK;
        const isWheelchair = hasWheelchairs && row === 0 && isLast;
        const id = `${tier.charAt(0)}${block + 1}-${row + 1}-${number + 1}`;
        ids.push(id);
        spots.push(spot);
        spot += 1;
        of.zones.push(zones.length - 1);
        of.categories.push(height);
        of.wheelchairs.push(isWheelchair ? 1 : 0);
        const seat = { seat_guid: id, category: tier, position };
        return isWheelchair ? { ...seat, accessible: true } : seat;
      });
      zones.at(-1)?.rows.push({ row_number: String(row + 1), seats: planned });
      spot += 1;
    }
  }
  const categoryNames = TIERS.slice(0, Math.min(seats, TIERS.length));
  const hall: Hall = {
    ids,
    zoneNames: zones.map(({ name }) => name),
    categoryNames,
    zones: Uint16Array.from(of.zones),
    categories: Uint8Array.from(of.categories),
    wheelchairs: Uint8Array.from(of.wheelchairs),
    spots: Uint32Array.from(spots),
  };
  const categories = categoryNames.map((name) => ({ name, color: "#7f8c8d" }));
  return { plan: { name: "Arena", categories, zones }, hall };
}

/** To a tenth: plans have bounds. */
function around(turn: number, radius: number): { x: number; y: number } {
  const angle = turn * 2 * Math.PI;
  const tenths = (value: number): number => Math.round(value * 10) / 10;
  return { x: tenths(radius * Math.cos(angle)), y: tenths(radius * Math.sin(angle)) };
}
