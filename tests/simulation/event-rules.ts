/** The events of a simulation, as they are configured first. */
import { NO_CHARGES } from "../../engine/charges.ts";
import type { InventoryDefinition } from "../../engine/definition.ts";
import type { EventId } from "../../engine/ids.ts";
import { PAYMENT_WINDOW_MS_MIN } from "../../engine/limits.ts";
import { encodeSeatMap, type RowLayout } from "../../engine/seat-map.ts";
import type { Random } from "../../engine/testing/random.ts";
import { RULES } from "../model/any-operation.ts";
import type { Plan } from "./plan.ts";

const SEATS_PER_ROW = 8;

export function rulesOf(eventId: EventId, plan: Plan, random: Random): InventoryDefinition {
  const { promoCodes = [], churn = null } = RULES;
  return {
    eventId,
    status: "published",
    currency: "EUR",
    salesOpenMs: null,
    salesCloseMs: null,
    holdTtlMs: plan.holdTtlMs,
    perOrderMax: 4,
    perUserMax: 12,
    categories: [
      { key: "stalls", priceMinor: random.below(3) * 500 },
      { key: "floor", priceMinor: 700 },
    ],
    seatCategories: Uint8Array.from({ length: plan.seats }, (_, seat) => (seat % 3) % 2),
    areas: Array.from({ length: plan.areas }, (_, index) => {
      return { key: `floor-${index}`, category: 1, capacity: 4 + 5 * index };
    }),
    charges: NO_CHARGES,
    promoCodes,
    churn: random.below(2) === 0 ? churn : null,
    cancelUntilMs: null,
    paymentWindowMs: PAYMENT_WINDOW_MS_MIN,
    seatMap: plan.hasSeatMap ? seatMapOf(plan.seats) : new Uint8Array(),
  };
}

/** One zone of rows with an aisle in the middle, before a stage. */
function seatMapOf(seats: number): Uint8Array {
  const rows = Math.ceil(seats / SEATS_PER_ROW);
  const layout: RowLayout[] = Array.from({ length: rows }, (_, row) => {
    const first = row * SEATS_PER_ROW;
    const count = Math.min(SEATS_PER_ROW, seats - first);
    const spots = Array.from({ length: count }, (_, n) => {
      const [x, y] = [2 * n, 2 * row];
      const distance = Math.abs(x - SEATS_PER_ROW) + 3 * y;
      return { seat: first + n, distance, x, y, accessible: false, companion: false };
    });
    const aisle = SEATS_PER_ROW / 2;
    const runs = [spots.slice(0, aisle), spots.slice(aisle)].filter(({ length }) => length > 0);
    return { zone: 0, neighbour: row + 1 < rows, runs };
  });
  return encodeSeatMap(layout);
}
