import { assert } from "./assert.ts";
import type { EventId } from "./ids.ts";
import * as limits from "./limits.ts";

/**
 * What an actor must know of its event to sell it: no titles, no seat names, only indexes. Seats
 * are numbered from 0 in the order of the seating plan; areas and categories in their own lists.
 * The gateway's event directory holds the names behind the numbers.
 */
export interface InventoryDefinition {
  readonly eventId: EventId;
  readonly status: "published" | "cancelled";
  /** ISO 4217. */
  readonly currency: string;
  /** Unix ms; null: no bound. Sales are open in [salesOpenMs, salesCloseMs). */
  readonly salesOpenMs: number | null;
  readonly salesCloseMs: number | null;
  readonly holdTtlMs: number;
  /** Places in one hold. */
  readonly perOrderMax: number;
  /** Places that one buyer may hold and own at once. */
  readonly perUserMax: number;
  readonly categories: readonly CategoryDefinition[];
  /** Category index of each seat; its length is the number of seats. */
  readonly seatCategories: Uint8Array;
  readonly areas: readonly AreaDefinition[];
}

export interface CategoryDefinition {
  readonly key: string;
  readonly priceMinor: number;
}

export interface AreaDefinition {
  readonly key: string;
  readonly category: number;
  readonly capacity: number;
}

/** Asserts what the gateway's validation has promised before a definition may reach an actor. */
export function assertDefinition(definition: InventoryDefinition): void {
  const { categories, seatCategories, areas } = definition;
  assert(seatCategories.length <= limits.SEATS_PER_EVENT_MAX, "seat count within its bound");
  assert(areas.length <= limits.AREAS_PER_EVENT_MAX, "area count within its bound");
  assert(seatCategories.length + areas.length > 0, "an event has seats or areas");
  assert(categories.length > 0, "an event has price categories");
  assert(categories.length <= limits.CATEGORIES_PER_EVENT_MAX, "category count within its bound");
  for (const category of seatCategories) {
    assert(category < categories.length, "a seat's category exists");
  }
  for (const area of areas) {
    assert(area.category < categories.length, "an area's category exists");
    assert(Number.isInteger(area.capacity) && area.capacity >= 0, "a capacity is a count");
    assert(area.capacity <= limits.AREA_CAPACITY_MAX, "area capacity within its bound");
  }
  for (const { priceMinor } of categories) {
    assert(Number.isInteger(priceMinor) && priceMinor >= 0, "a price is minor units");
    assert(priceMinor <= limits.PRICE_MINOR_MAX, "price within its bound");
  }
  assert(definition.holdTtlMs >= limits.HOLD_TTL_MS_MIN, "hold TTL within its bounds");
  assert(definition.holdTtlMs <= limits.HOLD_TTL_MS_MAX, "hold TTL within its bounds");
  assert(definition.perOrderMax >= 1, "an order may hold a place");
  assert(definition.perOrderMax <= limits.PLACES_PER_HOLD_MAX, "order limit within its bound");
  assert(definition.perUserMax >= 1, "a buyer may hold a place");
  assert(definition.perUserMax <= limits.PLACES_PER_USER_MAX, "buyer limit within its bound");
}
