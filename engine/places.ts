/** Which places may be taken by whom, and what they cost. */
import type { InventoryDefinition } from "./definition.ts";
import type { EventState } from "./event-state.ts";
import type { UserId } from "./ids.ts";
import { BLOCKED, FREE, type Inventory } from "./inventory.ts";
import { PLACES_PER_HOLD_MAX } from "./limits.ts";
import { areaIndexOf, isSeat, type Place } from "./place.ts";
import type { Refusal } from "./replies.ts";

/** An event that has an inventory to sell. */
export interface OpenEvent {
  readonly definition: InventoryDefinition;
  readonly inventory: Inventory;
}

export function openEvent({ definition, inventory }: EventState): OpenEvent | null {
  return definition === null || inventory === null ? null : { definition, inventory };
}

export function refuseBySale(definition: InventoryDefinition, nowMs: number): Refusal | null {
  if (definition.status === "cancelled") return { code: "event_cancelled" };
  const { salesOpenMs, salesCloseMs } = definition;
  if (salesOpenMs !== null && nowMs < salesOpenMs) {
    return { code: "sales_not_open", opensAtMs: salesOpenMs };
  }
  if (salesCloseMs !== null && nowMs >= salesCloseMs) return { code: "sales_closed" };
  return null;
}

/** Who keeps taking places and dropping them waits. */
export function refuseByChurn(
  { churn }: EventState,
  definition: InventoryDefinition,
  { userId, nowMs }: { userId: UserId; nowMs: number },
): Refusal | null {
  const untilMs = churn.waitUntilMs(definition.churn, userId, nowMs);
  return untilMs === null ? null : { code: "hold_churn", retryAtMs: untilMs };
}

/** `inOrder`: places that the order would have; `more`: how many of them are new to the buyer. */
export function refuseByLimits(
  state: EventState,
  definition: InventoryDefinition,
  { userId, inOrder, more }: { userId: UserId; inOrder: number; more: number },
): Refusal | null {
  const orderMax = Math.min(definition.perOrderMax, PLACES_PER_HOLD_MAX);
  if (inOrder > orderMax) {
    return { code: "limit_exceeded", scope: "perOrder", limit: orderMax, current: inOrder };
  }
  const current = state.placesByUser.get(userId);
  const limit = definition.perUserMax;
  if (current + more > limit) return { code: "limit_exceeded", scope: "perUser", limit, current };
  return null;
}

/** Checks all places at once; a seat that is asked for twice is not available the second time. */
export function refuseByPlaces(
  state: EventState,
  inventory: Inventory,
  places: readonly Place[],
  channel: string | null,
): Refusal | null {
  for (const place of places) {
    if (!inventory.has(place))
      return { code: "unknown_place", places: unknownOf(inventory, places) };
  }
  const taken: Place[] = [];
  for (let index = 0; index < places.length; index += 1) {
    const place = places[index] ?? 0;
    if (!isSeat(place)) continue;
    const isTaken = !isSeatFor(state, inventory, place, channel) || places.indexOf(place) < index;
    if (isTaken) taken.push(place);
  }
  if (taken.length > 0) return { code: "seat_unavailable", seats: taken };
  for (const place of places) {
    if (isSeat(place)) continue;
    const available = availableIn(state, inventory, place, channel);
    const wanted = countOf(places, place);
    if (wanted > available) {
      return { code: "insufficient_capacity", area: areaIndexOf(place), available };
    }
  }
  return null;
}

const unknownOf = (inventory: Inventory, places: readonly Place[]): Place[] =>
  places.filter((place) => !inventory.has(place));

function countOf(places: readonly Place[], wanted: Place): number {
  let count = 0;
  for (const place of places) if (place === wanted) count += 1;
  return count;
}

/** Free, or kept for this channel. */
function isSeatFor(
  { blocks }: EventState,
  inventory: Inventory,
  seat: Place,
  channel: string | null,
): boolean {
  const status = inventory.statusOf(seat);
  if (status === FREE) return true;
  return status === BLOCKED && channel !== null && blocks.channelOf(seat) === channel;
}

/** Places of an area for sale to who comes by this channel: its allotment's, if it has one. */
export function availableIn(
  { blocks }: EventState,
  inventory: Inventory,
  area: Place,
  channel: string | null,
): number {
  if (channel !== null && blocks.quantityOf(area, channel) > 0) {
    return blocks.leftOf(area, channel);
  }
  return inventory.freeInArea(areaIndexOf(area));
}

/** Of places that were found available: seats and areas that are the channel's allotment. */
export function keptAmong(
  { blocks }: EventState,
  places: readonly Place[],
  channel: string | null,
): Place[] {
  if (channel === null) return [];
  return [...new Set(places)].filter((place) =>
    isSeat(place) ? blocks.channelOf(place) === channel : blocks.quantityOf(place, channel) > 0,
  );
}
