import { assert } from "./assert.ts";
import { type BookingRecord, standingItems } from "./booking.ts";
import type { EventState } from "./event-state.ts";
import {
  type BookingChanged,
  type Fact,
  type Held,
  type HoldChanged,
  type HoldEnded,
  movesOf,
  type PaymentStarted,
  type PlacesChanged,
} from "./facts.ts";
import { type ActiveHold, type EndedHold, isDrop } from "./hold-book.ts";
import { activeHoldOf } from "./holds.ts";
import type { HoldId } from "./ids.ts";
import { FREE, HELD, Inventory, type SeatStatus, SOLD } from "./inventory.ts";
import { isSeat, type PlaceItem } from "./place.ts";
import { type HoldTerms, isOffer } from "./terms.ts";
import { unreachable } from "./unreachable.ts";

/**
 * Makes a fact true. Total: it may not refuse, and a throw here means memory and journal disagree,
 * so the process must end. Live decisions, recovery and replay all come through this one function.
 */
export function apply(state: EventState, fact: Fact): void {
  assert(fact.seq === state.seq + 1, "facts apply in order, without gaps");
  state.seq = fact.seq;
  movePlaces(state, fact);
  applyRecords(state, fact);
  if (fact.key !== null) state.keys.keep(fact.key, fact.seq, fact.atMs);
}

/** What `movesOf` says of the fact; the plainest of them, which most are, without asking it. */
function movePlaces(state: EventState, fact: Fact): void {
  switch (fact.kind) {
    case "held":
      if (isPlain(fact.terms)) return moveItems(state, fact.items, FREE, HELD);
      break;
    case "holdEnded":
      if (isPlain(fact.terms)) return moveItems(state, fact.items, HELD, FREE);
      break;
    case "booked":
      return moveItems(state, fact.booking.items, HELD, SOLD);
    default:
  }
  const moves = movesOf(fact);
  if (moves.length === 0) return;
  const inventory = inventoryOf(state);
  for (const { places, from, to, times } of moves) {
    for (const place of places) {
      inventory.move(place, from, to, times);
      if (isSeat(place)) state.seatMoved(place);
    }
  }
}

const isPlain = (terms: HoldTerms | null): boolean => terms === null || terms.kept.length === 0;

function moveItems(
  state: EventState,
  items: readonly PlaceItem[],
  from: SeatStatus,
  to: SeatStatus,
): void {
  const inventory = inventoryOf(state);
  for (const { place } of items) {
    inventory.move(place, from, to);
    if (isSeat(place)) state.seatMoved(place);
  }
}

function applyRecords(state: EventState, fact: Fact): void {
  switch (fact.kind) {
    case "configured":
      // The places are fixed at the first configuration; later ones change rules and prices only.
      state.inventory ??= new Inventory(fact.definition);
      state.definition = fact.definition;
      return;
    case "held":
      return hold(state, fact);
    case "extended": {
      const { expiresAtMs, seq } = fact;
      return state.holds.put({ ...holdOf(state, fact.holdId), expiresAtMs, seq, extended: true });
    }
    case "holdChanged":
      return changeHold(state, fact);
    case "holdEnded":
      return endHold(state, fact);
    case "paymentStarted":
      return startPayment(state, fact);
    case "booked": {
      const { booking, seq, atMs } = fact;
      const { bookingId, holdId, userId, terms } = booking;
      state.holds.end({ holdId, userId, end: "booked", bookingId, atMs, isOffer: isOffer(terms) });
      return know(state, booking, seq);
    }
    case "bookingChanged":
      return changeBooking(state, fact);
    case "placesChanged":
      return changePlaces(state, fact);
    case "queued":
      return state.waitlist.add(fact.entry);
    case "unqueued":
      return state.waitlist.remove(fact.entryId);
    default:
      return unreachable(fact);
  }
}

function hold(state: EventState, fact: Held): void {
  const { terms } = fact;
  state.holds.put(activeHoldOf(fact));
  own(state, fact, 1);
  if (terms?.entryId != null) state.waitlist.offered(terms.entryId);
}

function changeHold(state: EventState, fact: HoldChanged): void {
  const before = holdOf(state, fact.holdId);
  const { items, ordinals, terms, expiresAtMs, extended, seq } = fact;
  state.holds.put({ ...before, items, ordinals, terms, expiresAtMs, extended, seq });
  own(state, before, -1);
  own(state, fact, 1);
}

function endHold(state: EventState, fact: HoldEnded): void {
  const { holdId, userId, reason, terms, atMs } = fact;
  state.holds.end({ holdId, userId, end: reason, bookingId: null, atMs, isOffer: isOffer(terms) });
  own(state, fact, -1);
  noteDrop(state, fact, reason, atMs);
}

/** Who takes places and drops them again may have to wait. */
function noteDrop(
  { churn }: EventState,
  { userId, terms }: Pick<ActiveHold, "userId" | "terms">,
  end: EndedHold["end"],
  atMs: number,
): void {
  if (isDrop({ end, isOffer: isOffer(terms) })) churn.dropped(userId, atMs);
}

function startPayment(state: EventState, { booking, expiresAtMs, seq }: PaymentStarted): void {
  const { bookingId, holdId } = booking;
  state.holds.put({ ...holdOf(state, holdId), expiresAtMs, seq, paying: bookingId });
  know(state, booking, seq);
}

function changeBooking(state: EventState, fact: BookingChanged): void {
  const { booking, seq, atMs, holdEnd } = fact;
  const known = state.bookings.get(booking.bookingId);
  assert(known !== undefined, "a booking that changes is known");
  const hold = state.holds.find(booking.holdId);
  if (holdEnd !== null) {
    assert(hold !== undefined, "a hold that ends was active");
    endHoldOf(state, hold, { end: holdEnd, bookingId: booking.bookingId, atMs });
  } else if (hold?.paying === booking.bookingId) {
    state.holds.put({ ...hold, paying: null, seq });
  }
  const before = known.record;
  own(state, { ...before, items: standingItems(before) }, -1);
  own(state, { ...booking, items: standingItems(booking) }, 1);
  know(state, booking, seq);
}

/** The places of a hold that becomes a booking are counted as the booking's from here on. */
function endHoldOf(
  state: EventState,
  hold: ActiveHold,
  { end, bookingId, atMs }: Pick<EndedHold, "end" | "bookingId" | "atMs">,
): void {
  const { holdId, userId } = hold;
  const endedBy = end === "booked" ? bookingId : null;
  const ended = { holdId, userId, end, bookingId: endedBy, atMs };
  state.holds.end({ ...ended, isOffer: isOffer(hold.terms) });
  own(state, hold, -1);
  noteDrop(state, hold, end, atMs);
}

function changePlaces(state: EventState, { blocks, capacities }: PlacesChanged): void {
  const { definition } = state;
  assert(definition !== null, "an event is configured before its places change");
  for (const block of blocks) state.blocks.set(block);
  if (capacities.length === 0) return;
  const inventory = inventoryOf(state);
  const areas = [...definition.areas];
  for (const { area, capacity } of capacities) {
    const before = areas[area];
    assert(before !== undefined, "an area that changes exists");
    areas[area] = { ...before, capacity };
    inventory.setCapacity(area, capacity);
  }
  state.definition = { ...definition, areas };
}

/** `seq`: of this fact, which counts when it is the booking's first. */
function know(state: EventState, record: BookingRecord, seq: number): void {
  const known = state.bookings.get(record.bookingId);
  state.bookings.put({ record, seq: known?.seq ?? seq });
  if (known === undefined) noteBooking(state, record);
  else state.bookingByTicketCode.change(known.record, record);
}

/** What leads to a booking. */
export function noteBooking(state: EventState, record: BookingRecord): void {
  state.bookingByTicketCode.add(record);
  state.bookingsOfHold.add(record);
  const intentId = record.later?.payment?.intentId;
  if (intentId !== undefined) state.bookingByIntent.set(intentId, record.bookingId);
}

function holdOf(state: EventState, holdId: HoldId): ActiveHold {
  const hold = state.holds.find(holdId);
  assert(hold !== undefined, "a hold that changes is active");
  return hold;
}

/**
 * Counts what a hold or a standing booking takes (1) or gives back (-1): its buyer's places, the
 * use of a promo code, an allotment's places.
 */
export function own(
  state: EventState,
  { userId, items, terms }: Pick<ActiveHold, "userId" | "items" | "terms">,
  sign: 1 | -1,
): void {
  if (items.length === 0) return;
  state.placesByUser.add(userId, sign * items.length);
  if (terms === null) return;
  if (terms.promoCode !== null) {
    if (sign === 1) state.promoUses.reserve(terms.promoCode, userId);
    else state.promoUses.giveBack(terms.promoCode, userId);
  }
  if (terms.channel === null) return;
  for (const { place } of items) {
    if (!isSeat(place) && terms.kept.includes(place)) state.blocks.use(place, terms.channel, sign);
  }
}

function inventoryOf(state: EventState): Inventory {
  assert(state.inventory !== null, "an event is configured before its places move");
  return state.inventory;
}
