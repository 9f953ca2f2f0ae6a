import { assert } from "./assert.ts";
import type { EventState } from "./event-state.ts";
import { type Booked, type Cancelled, type Configured, type Fact, moveOf } from "./facts.ts";
import type { UserId } from "./ids.ts";
import { Inventory } from "./inventory.ts";
import { unreachable } from "./unreachable.ts";

/**
 * Makes a fact true. Total: it may not refuse, and a throw here means memory and journal disagree,
 * so the process must end. Live decisions, recovery and replay all come through this one function.
 */
export function apply(state: EventState, fact: Fact): void {
  assert(fact.seq === state.seq + 1, "facts apply in order, without gaps");
  state.seq = fact.seq;
  const move = moveOf(fact);
  if (move !== null) {
    const inventory = inventoryOf(state);
    for (const item of move.items) inventory.move(item.place, move.from, move.to);
  }
  applyRecords(state, fact);
  if (fact.key !== null) state.keys.keep(fact.key, fact.seq, fact.atMs);
}

function applyRecords(state: EventState, fact: Fact): void {
  switch (fact.kind) {
    case "configured":
      return configure(state, fact);
    case "held":
      state.holds.put({
        holdId: fact.holdId,
        userId: fact.userId,
        items: fact.items,
        createdAtMs: fact.atMs,
        expiresAtMs: fact.expiresAtMs,
        extended: false,
        seq: fact.seq,
      });
      return countPlaces(state, fact.userId, fact.items.length);
    case "extended": {
      const hold = state.holds.find(fact.holdId);
      assert(hold !== undefined, "a hold that is extended is active");
      const { expiresAtMs, seq } = fact;
      return state.holds.put({ ...hold, expiresAtMs, seq, extended: true });
    }
    case "holdEnded": {
      const { holdId, userId, reason } = fact;
      state.holds.end({ holdId, userId, end: reason, bookingId: null });
      return countPlaces(state, userId, -fact.items.length);
    }
    case "booked":
      return book(state, fact);
    case "cancelled":
      return cancel(state, fact);
    default:
      return unreachable(fact);
  }
}

/** The places are fixed at the first configuration; later ones change rules and prices only. */
function configure(state: EventState, fact: Configured): void {
  state.inventory ??= new Inventory(fact.definition);
  state.definition = fact.definition;
}

function book(state: EventState, fact: Booked): void {
  const { bookingId, holdId, userId } = fact.booking;
  state.holds.end({ holdId, userId, end: "booked", bookingId });
  state.bookings.set(bookingId, { record: fact.booking, cancelled: null });
}

function cancel(state: EventState, fact: Cancelled): void {
  state.bookings.set(fact.booking.bookingId, { record: fact.booking, cancelled: fact });
  countPlaces(state, fact.booking.userId, -fact.booking.items.length);
}

function countPlaces(state: EventState, userId: UserId, by: number): void {
  const count = (state.placesByUser.get(userId) ?? 0) + by;
  assert(count >= 0, "a buyer's places never fall below none");
  if (count === 0) state.placesByUser.delete(userId);
  else state.placesByUser.set(userId, count);
}

function inventoryOf(state: EventState): Inventory {
  assert(state.inventory !== null, "an event is configured before its places move");
  return state.inventory;
}
