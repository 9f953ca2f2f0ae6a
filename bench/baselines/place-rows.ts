import type { Refusal } from "../../engine/replies.ts";
import type { HoldOrder } from "./sale-design.ts";

/** A seat as its row has it. */
export interface SeatRow {
  readonly seat: number;
  readonly until_ms: string;
}

/** An area as its row has it; `free`: neither held nor sold. */
export interface AreaRow {
  readonly area: number;
  readonly free: number;
}

/** The rows of what an order wants. */
export interface PlaceRows {
  readonly seats: readonly SeatRow[];
  readonly areas: readonly AreaRow[];
}

/** What is not free of what the order wants; null: all of it is. */
export function refusalOfPlaces(
  { seats, areas, nowMs }: HoldOrder,
  rows: PlaceRows,
): Refusal | null {
  const taken = rows.seats.filter(({ until_ms }) => Number(until_ms) > nowMs);
  if (taken.length > 0) return { code: "seat_unavailable", seats: taken.map(({ seat }) => seat) };
  if (rows.seats.length < seats.length) return { code: "unknown_place", places: seats };
  for (const { area, quantity } of areas) {
    const available = rows.areas.find((row) => row.area === area)?.free ?? 0;
    if (available < quantity) return { code: "insufficient_capacity", area, available };
  }
  return null;
}
