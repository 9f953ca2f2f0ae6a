import { assert } from "./assert.ts";
import { assertChargeRules, type ChargeRules, NO_CHARGES } from "./charges.ts";
import { assertChurnRule, type ChurnRule } from "./churn.ts";
import type { EventId } from "./ids.ts";
import * as limits from "./limits.ts";
import { assertPromoCodes, type PromoDefinition } from "./promo-codes.ts";

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
  /** Fees and tax of each ticket; a hold keeps what it cost when it was made. */
  readonly charges: ChargeRules;
  readonly promoCodes: readonly PromoDefinition[];
  /** What keeps buyers from taking and dropping places again and again; null: nothing does. */
  readonly churn: ChurnRule | null;
  /** Unix ms; buyers may cancel before it. null: at any time. */
  readonly cancelUntilMs: number | null;
  /** How long the payment of a booking may take. */
  readonly paymentWindowMs: number;
  /** Where the seats are, as bytes; empty: nobody knows. */
  readonly seatMap: Uint8Array;
}

/** What definitions did not always have. */
type Later = "charges" | "promoCodes" | "churn" | "cancelUntilMs" | "paymentWindowMs" | "seatMap";
/** A definition as it may have been stored: by an older program, without what came later. */
export type StoredDefinition = Omit<InventoryDefinition, Later> &
  Partial<Pick<InventoryDefinition, Later>>;

export interface CategoryDefinition {
  readonly key: string;
  readonly priceMinor: number;
}

export interface AreaDefinition {
  readonly key: string;
  readonly category: number;
  readonly capacity: number;
}

/**
 * Completes a definition that was stored. Every decoder of definitions ends in this: an actor sees
 * whole ones only. The seat map is copied, being a window into a larger buffer when it was decoded;
 * where JSON has made something else of it, it is empty.
 */
export function withDefaults(stored: StoredDefinition): InventoryDefinition {
  return {
    ...stored,
    charges: stored.charges ?? NO_CHARGES,
    promoCodes: stored.promoCodes ?? [],
    churn: stored.churn ?? null,
    cancelUntilMs: stored.cancelUntilMs ?? null,
    paymentWindowMs: stored.paymentWindowMs ?? limits.PAYMENT_WINDOW_MS_DEFAULT,
    seatMap: Uint8Array.from(stored.seatMap instanceof Uint8Array ? stored.seatMap : []),
  };
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
  assertChargeRules(definition.charges);
  assertPromoCodes(definition.promoCodes, categories.length);
  if (definition.churn !== null) assertChurnRule(definition.churn);
  const { cancelUntilMs, paymentWindowMs, seatMap } = definition;
  assert(cancelUntilMs === null || Number.isInteger(cancelUntilMs), "a last moment is a time");
  assert(Number.isInteger(paymentWindowMs), "a payment window is whole ms");
  assert(paymentWindowMs >= limits.PAYMENT_WINDOW_MS_MIN, "payment window within its bounds");
  assert(paymentWindowMs <= limits.PAYMENT_WINDOW_MS_MAX, "payment window within its bounds");
  assert(seatMap.length <= limits.SEAT_MAP_BYTES_MAX, "seat map within its bound");
}
