/** What may be taken at a moment, and by whom: slow and plain. */
import type { ChurnRule } from "../../engine/churn.ts";
import type { InventoryDefinition } from "../../engine/definition.ts";
import type { UserId } from "../../engine/ids.ts";
import { PLACES_PER_HOLD_MAX, WAITLIST_SKIPS_MAX } from "../../engine/limits.ts";
import type { Place } from "../../engine/place.ts";
import type { PromoDefinition } from "../../engine/promo-codes.ts";
import type { Refusal } from "../../engine/replies.ts";
import type { Waiting } from "../../engine/waitlist.ts";
import { areaOf, type ModelState, seatOf } from "./model-state.ts";

export const orderMaxOf = ({ perOrderMax }: InventoryDefinition): number =>
  Math.min(perOrderMax, PLACES_PER_HOLD_MAX);

export function refusalBySale(
  { status, salesOpenMs, salesCloseMs }: InventoryDefinition,
  nowMs: number,
): Refusal | null {
  if (status === "cancelled") return { code: "event_cancelled" };
  if (salesOpenMs !== null && nowMs < salesOpenMs) {
    return { code: "sales_not_open", opensAtMs: salesOpenMs };
  }
  return salesCloseMs !== null && nowMs >= salesCloseMs ? { code: "sales_closed" } : null;
}

/** `inOrder`: places of the order; `more`: how many of them the buyer does not have yet. */
export function refusalByLimits(
  state: ModelState,
  definition: InventoryDefinition,
  { userId, inOrder, more }: { userId: UserId; inOrder: number; more: number },
): Refusal | null {
  const code = "limit_exceeded";
  const orderMax = orderMaxOf(definition);
  if (inOrder > orderMax) return { code, scope: "perOrder", limit: orderMax, current: inOrder };
  const current = state.placesByUser.get(userId) ?? 0;
  const limit = definition.perUserMax;
  return current + more > limit ? { code, scope: "perUser", limit, current } : null;
}

/** Whether a place is the channel's own, at this moment: then it comes from `blocked`. */
export function isKeptFor(state: ModelState, place: Place, channel: string | null): boolean {
  if (channel === null) return false;
  const seat = seatOf(place);
  if (seat !== null) return state.keptSeats.get(seat) === channel;
  return state.keptIn(areaOf(place), channel) > 0;
}

/** Those of the places that are the channel's own, each once, in their order. */
export const keptOf = (
  state: ModelState,
  places: readonly Place[],
  channel: string | null,
): Place[] => [...new Set(places)].filter((place) => isKeptFor(state, place, channel));

/** Places of an area for who comes by a channel: of its allotment only, if it has one. */
export function availableTo(state: ModelState, area: number, channel: string | null): number {
  if (channel === null || state.keptIn(area, channel) === 0) return state.freeInArea(area);
  return state.keptIn(area, channel) - state.usedIn(area, channel);
}

export function isSeatAvailable(state: ModelState, seat: number, channel: string | null): boolean {
  const letter = state.seats[seat];
  return letter === "f" || (letter === "b" && isKeptFor(state, seat, channel));
}

/** Places that do not exist are told first, then seats that are taken, then full areas. */
export function refusalByPlaces(
  state: ModelState,
  places: readonly Place[],
  channel: string | null,
): Refusal | null {
  const unknown = places.filter((place) => state.categoryOf(place) === undefined);
  if (unknown.length > 0) return { code: "unknown_place", places: unknown };
  const asked = new Set<number>();
  const taken: number[] = [];
  for (const place of places) {
    const seat = seatOf(place);
    if (seat === null) continue;
    if (!isSeatAvailable(state, seat, channel) || asked.has(seat)) taken.push(seat);
    asked.add(seat);
  }
  if (taken.length > 0) return { code: "seat_unavailable", seats: taken };
  for (const place of places) {
    if (seatOf(place) !== null) continue;
    const area = areaOf(place);
    const wanted = places.filter((other) => other === place).length;
    const available = availableTo(state, area, channel);
    if (wanted > available) return { code: "insufficient_capacity", area, available };
  }
  return null;
}

/** When the buyer may hold again by the rule and the holds that they dropped; null: any time. */
export function churnUntilMs(
  state: ModelState,
  rule: ChurnRule | null,
  userId: UserId,
): number | null {
  const drops = state.drops.get(userId) ?? [];
  const lastMs = drops.at(-1);
  if (rule === null || lastMs === undefined) return null;
  const costly = drops.filter((atMs) => atMs > lastMs - rule.windowMs).length - rule.freeDrops;
  if (costly < 1) return null;
  let waitMs = rule.firstWaitMs;
  for (let n = 1; n < costly && waitMs < rule.waitMsMax; n += 1) waitMs *= 2;
  return lastMs + Math.min(waitMs, rule.waitMsMax);
}

export const promoOf = (
  definition: InventoryDefinition,
  code: string | null,
): PromoDefinition | undefined => definition.promoCodes.find((promo) => promo.code === code);

/** Why the buyer may not begin another use of the code; null: they may. */
export function refusalOfPromo(
  state: ModelState,
  definition: InventoryDefinition,
  { code, userId, nowMs }: { code: string; userId: UserId; nowMs: number },
): Refusal | null {
  const promo = promoOf(definition, code);
  const no = "promo_not_valid";
  if (promo === undefined) return { code: no, reason: "unknown" };
  const { fromMs, untilMs, usesMax, usesPerUserMax } = promo;
  if (fromMs !== null && nowMs < fromMs) return { code: no, reason: "not_yet" };
  if (untilMs !== null && nowMs >= untilMs) return { code: no, reason: "over" };
  if (usesPerUserMax !== null && state.usesOf(code, userId) >= usesPerUserMax) {
    return { code: no, reason: "used_by_you" };
  }
  if (usesMax !== null && state.usesOf(code) >= usesMax) return { code: no, reason: "used_up" };
  return null;
}

/** Seats for who comes by a channel (null: by none), of one category or of any. */
export function seatsFor(
  state: ModelState,
  category: number | null,
  channel: string | null,
): number[] {
  return [...state.seats.keys()].filter(
    (seat) =>
      isSeatAvailable(state, seat, channel) &&
      (category === null || state.categoryOf(seat) === category),
  );
}

/** Whether so many places of an area are free that somebody could choose them. */
export function hasFreeArea(state: ModelState, category: number | null, quantity: number): boolean {
  const areas = state.definition?.areas ?? [];
  return areas.some(
    (area, index) =>
      (category === null || area.category === category) && state.freeInArea(index) >= quantity,
  );
}

/**
 * Whether so many places of one category are free together: its seats, adjacent or not, or an area.
 * "perhaps": where it is known which seats are for wheelchairs, those are not offered to everyone,
 * and this model does not know which they are.
 */
export type Fit = "yes" | "perhaps" | "no";

export function fitOf(
  state: ModelState,
  { quantity, categories }: Pick<Waiting["entry"], "quantity" | "categories">,
): Fit {
  const { definition } = state;
  if (definition === null) return "no";
  const wanted = categories ?? definition.categories.map((_, category) => category);
  if (wanted.some((category) => hasFreeArea(state, category, quantity))) return "yes";
  const isSeated = wanted.some((category) => seatsFor(state, category, null).length >= quantity);
  if (!isSeated) return "no";
  return definition.seatMap.length === 0 ? "yes" : "perhaps";
}

/** Whether an entry could be served now, those before it in the line left aside. */
export function servable(state: ModelState, { entry }: Waiting, nowMs: number): Fit {
  const { definition } = state;
  if (definition === null || refusalBySale(definition, nowMs) !== null) return "no";
  const { userId, quantity } = entry;
  const order = { userId, inOrder: quantity, more: quantity };
  return refusalByLimits(state, definition, order) === null ? fitOf(state, entry) : "no";
}

/**
 * Whether an entry waits for one before it that was passed over too often and wants some of the
 * same. Who may have no more places, whatever is free, keeps nobody waiting.
 */
export function isBehindOwed(state: ModelState, { entry }: Waiting): boolean {
  const { definition, line } = state;
  const at = line.findIndex((other) => other.entry.entryId === entry.entryId);
  const owed: Waiting[] = [];
  const isBehind = (waiting: Waiting): boolean =>
    owed.some((other) => {
      const [a, b] = [other.entry.categories, waiting.entry.categories];
      return a === null || b === null || a.some((category) => b.includes(category));
    });
  for (const waiting of line.slice(0, at)) {
    const { userId, quantity } = waiting.entry;
    const order = { userId, inOrder: quantity, more: quantity };
    const mayHave = definition !== null && refusalByLimits(state, definition, order) === null;
    if (waiting.skips >= WAITLIST_SKIPS_MAX && mayHave && !isBehind(waiting)) owed.push(waiting);
  }
  return at >= 0 && isBehind(state.line[at] ?? { entry, skips: 0 });
}

/** The entries that must have been served by now; []: nobody waits without need. */
export function overdueIn(state: ModelState, nowMs: number): Waiting[] {
  return state.line.filter(
    (waiting) => servable(state, waiting, nowMs) === "yes" && !isBehindOwed(state, waiting),
  );
}
