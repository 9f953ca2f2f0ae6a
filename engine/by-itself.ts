/**
 * What an event does without being asked: holds end when their time is over, who waits is offered
 * what is free, and a cancelled event gives everything back. Each comes one fact at a time; the
 * caller applies it and asks again.
 */
import { bookingIdOf, fateOf, type KnownBooking, statusOf } from "./booking.ts";
import { choosePlaces } from "./commands/best-seats.ts";
import { cancellationOf } from "./commands/cancel.ts";
import { nextFact } from "./commands/outcome.ts";
import type { EventState } from "./event-state.ts";
import type { Fact, Held } from "./facts.ts";
import { endOf } from "./holds.ts";
import { offerIdOf } from "./ids.ts";
import { HOLDS_PER_EVENT_MAX, WAITLIST_SKIPS_MAX } from "./limits.ts";
import type { OpenEvent } from "./places.ts";
import { openEvent, refuseByLimits, refuseBySale } from "./places.ts";
import { priced } from "./pricing.ts";
import type { ChosenGroup } from "./terms.ts";
import { unreachable } from "./unreachable.ts";
import type { WaitlistEntry, Wish } from "./waitlist.ts";

export { nextExpiry } from "./holds.ts";

/** Whether a fact may let somebody in the waitlist have places who could not before. */
export function mayLeadToOffer(fact: Fact): boolean {
  switch (fact.kind) {
    case "held":
    case "extended":
    case "paymentStarted":
    case "booked":
      return false;
    case "bookingChanged":
      // A booking that is handed over counts no longer among its buyer's places.
      return fact.moves.length > 0 || fact.change === "transferred";
    case "configured":
    case "holdChanged":
    case "holdEnded":
    case "placesChanged":
    case "queued":
    case "unqueued":
      return true;
    default:
      return unreachable(fact);
  }
}

/** The offer to the first in the line whose wish is free now; null: there is none to make. */
export function nextOffer(state: EventState, nowMs: number): Held | null {
  const event = openEvent(state);
  if (event === null || state.waitlist.count === 0 || event.inventory.free === 0) return null;
  if (refuseBySale(event.definition, nowMs) !== null) return null;
  if (state.holds.count >= HOLDS_PER_EVENT_MAX) return null;
  // In a long line many want the same: each is looked for once, and the line only gone along
  // where there is something for somebody.
  const known = new Map<Wish, OfferedPlaces | null>();
  const placesOf = (wish: Wish): OfferedPlaces | null => {
    const before = known.get(wish);
    if (before !== undefined) return before;
    const places = placesFor(state, event, wish);
    known.set(wish, places);
    return places;
  };
  if (!hasSome(state.waitlist.wishes(), (wish) => placesOf(wish) !== null)) return null;
  /**
   * Those that were passed over too often: who wants the same waits with them. Not those who may
   * have no more places, whatever is free: they would keep everybody waiting.
   */
  const owed: WaitlistEntry[] = [];
  for (const { entry, skips, wish } of state.waitlist.inOrder()) {
    const isOwed = skips >= WAITLIST_SKIPS_MAX;
    const places = placesOf(wish);
    if (places === null && !isOwed) continue;
    if (owed.some((other) => wantSame(entry, other)) || !mayHave(state, event, entry)) continue;
    if (places !== null) return offerOf(state, event, { entry, ...places, nowMs });
    owed.push(entry);
  }
  return null;
}

/** How many in the line it goes past. */
export function placeOfOffer({ waitlist }: EventState, { terms }: Held): number {
  const entryId = terms?.entryId ?? null;
  return entryId === null ? 0 : waitlist.positionOf(entryId) - 1;
}

function hasSome<Item>(items: Iterable<Item>, isOne: (item: Item) => boolean): boolean {
  for (const item of items) if (isOne(item)) return true;
  return false;
}

/** Why somebody in the line has not been offered anything. */
export type WaitingReason =
  | "event_cancelled"
  | "sales_not_open"
  | "sales_closed"
  /** With the places that they have and wanted, they would have more than a buyer may. */
  | "limit_exceeded"
  /** Fewer places are free in each of the wanted categories than wanted. */
  | "too_few_places"
  /** Somebody before them was passed over too often, and wants the same. */
  | "after_others";

/** Asked after everything that could be offered has been. */
export function whyWaiting(state: EventState, entry: WaitlistEntry, nowMs: number): WaitingReason {
  const { definition } = state;
  const bySale = definition === null ? null : refuseBySale(definition, nowMs)?.code;
  if (bySale === "sales_not_open" || bySale === "sales_closed") return bySale;
  if (definition === null || bySale != null) return "event_cancelled";
  const event = openEvent(state);
  if (event === null || !mayHave(state, event, entry)) return "limit_exceeded";
  return placesFor(state, event, entry) === null ? "too_few_places" : "after_others";
}

/** Whether its buyer may have so many places more. */
function mayHave(
  state: EventState,
  { definition }: OpenEvent,
  { userId, quantity }: WaitlistEntry,
): boolean {
  const order = { userId, inOrder: quantity, more: quantity };
  return refuseByLimits(state, definition, order) === null;
}

function wantSame(a: Wish, b: Wish): boolean {
  if (a.categories === null || b.categories === null) return true;
  return a.categories.some((category) => b.categories?.includes(category));
}

interface OfferedPlaces {
  readonly places: readonly number[];
  readonly groups: readonly ChosenGroup[];
}

/** null: its wish can't be met now, whoever has it. */
function placesFor(
  state: EventState,
  event: OpenEvent,
  { quantity, categories }: Wish,
): OfferedPlaces | null {
  const { definition, inventory } = event;
  if (inventory.free < quantity) return null;
  const wanted = categories ?? definition.categories.map((_, index) => index);
  for (const adjacent of [true, false]) {
    for (const category of wanted) {
      if (inventory.freeIn(category) < quantity) continue;
      const wish = { quantity, category, zone: null, adjacent, accessible: false };
      const found = choosePlaces(state, event, wish, { taken: [], channel: null });
      if (!("code" in found)) return found;
    }
  }
  return null;
}

function offerOf(
  state: EventState,
  { definition, inventory }: OpenEvent,
  { entry, places, groups, nowMs }: OfferedPlaces & { entry: WaitlistEntry; nowMs: number },
): Held {
  const { entryId, userId } = entry;
  return {
    kind: "held",
    ...nextFact(state, nowMs),
    holdId: offerIdOf(entryId),
    userId,
    items: places.map((place) => priced(definition, inventory, place, undefined)),
    ordinals: null,
    terms: {
      source: "waitlist",
      entryId,
      promoCode: null,
      channel: null,
      kept: [],
      chosen: groups,
    },
    expiresAtMs: nowMs + definition.holdTtlMs,
  };
}

/** Whether an event was cancelled: then `aftermath` has something to do, or has done it. */
export const isCancelled = ({ definition }: EventState): boolean =>
  definition?.status === "cancelled";

/**
 * A cancelled event's facts: every hold ends, every booking is cancelled, nobody waits any longer.
 * To be applied one by one, as they come; `nowMs` is asked for each.
 */
export function* aftermath(state: EventState, nowMs: () => number): Generator<Fact> {
  for (const { holdId } of state.holds.active()) {
    const hold = state.holds.find(holdId);
    if (hold === undefined) continue;
    const known = hold.paying === null ? undefined : state.bookings.get(hold.paying);
    // A pending booking takes its hold with it.
    if (known === undefined) yield endOf(state, hold, "cancelled", nowMs());
    else yield cancelledWithEvent(state, known, nowMs());
  }
  for (const bookingId of state.bookings.all().map(bookingIdOf)) {
    const known = state.bookings.get(bookingId);
    if (known === undefined || statusOf(known.record) !== "confirmed") continue;
    yield cancelledWithEvent(state, known, nowMs());
  }
  for (;;) {
    const [first] = state.waitlist.line(0, 1);
    if (first === undefined) return;
    const { entryId, userId } = first.entry;
    const base = nextFact(state, nowMs());
    yield { kind: "unqueued", ...base, entryId, userId, reason: "closed" };
  }
}

function cancelledWithEvent(state: EventState, known: KnownBooking, nowMs: number): Fact {
  const { record } = known;
  const all = record.items.map((_, index) => index);
  const tickets = all.filter((index) => fateOf(record, index).cancelledAtMs === null);
  return cancellationOf(state, known, { tickets, by: null, reason: "event_cancelled", nowMs });
}
