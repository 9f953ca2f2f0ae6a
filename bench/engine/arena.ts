import { seatMapOf } from "../../gateway/catalogue/plan-geometry.ts";
import { parseSeatingPlan } from "../../gateway/catalogue/seating-plan.ts";
import { arenaOf } from "../hall/arena.ts";
import type { HallOptions } from "./sale-plan.ts";

export const ARENA_SEATS = 18_000;

const { plan, hall } = arenaOf({ seats: ARENA_SEATS, hasWheelchairs: false });

/** What the bench knows of it. */
export const arenaHall = hall;

/** Around a field, in three tiers of 20 blocks, each tier a price. */
export function arena(): Required<HallOptions> {
  const parsed = parseSeatingPlan(plan, "seatingPlan");
  if (!parsed.ok) throw new Error("the arena's plan is no plan");
  const { seats } = parsed.value;
  const seatCategories = Uint8Array.from(seats, (seat) => seat.category);
  return { seats: seats.length, floor: 0, seatMap: seatMapOf(parsed.value), seatCategories };
}
