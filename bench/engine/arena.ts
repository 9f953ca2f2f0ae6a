import { seatMapOf } from "../../gateway/catalogue/plan-geometry.ts";
import { parseSeatingPlan } from "../../gateway/catalogue/seating-plan.ts";
import { type HallOptions, hallDefinition } from "./sale-plan.ts";

const BLOCKS_IN_TIER = 20;
const ROWS = 20;
const SEATS_IN_ROW = 15;
const TIERS = ["Lower", "Club", "Upper"];

export const ARENA_SEATS = TIERS.length * BLOCKS_IN_TIER * ROWS * SEATS_IN_ROW;

/** 18,000 seats around a field, in three tiers of 20 blocks, each tier a price. */
export function arena(): Required<HallOptions> {
  const zones = TIERS.flatMap((tier, height) =>
    Array.from({ length: BLOCKS_IN_TIER }, (_, block) => ({
      name: `${tier} ${block}`,
      rows: Array.from({ length: ROWS }, (_, row) => ({
        row_number: String(row),
        seats: Array.from({ length: SEATS_IN_ROW }, (_, number) => {
          const radius = 700 + height * 450 + row * 18;
          const turn = block / BLOCKS_IN_TIER + (number / SEATS_IN_ROW) * 0.04;
          const angle = turn * 2 * Math.PI;
          const position = { x: radius * Math.cos(angle), y: radius * Math.sin(angle) };
          return { seat_guid: `${tier}-${block}-${row}-${number}`, category: tier, position };
        }),
      })),
    })),
  );
  const plan = { categories: TIERS.map((name) => ({ name })), zones };
  const parsed = parseSeatingPlan(plan, "seatingPlan");
  if (!parsed.ok) throw new Error("the arena's plan is no plan");
  const { seats } = parsed.value;
  const seatCategories = Uint8Array.from(seats, (seat) => seat.category);
  return { seats: seats.length, floor: 0, seatMap: seatMapOf(parsed.value), seatCategories };
}

export const arenaDefinition = () => hallDefinition(arena());
