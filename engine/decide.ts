import { assert } from "./assert.ts";
import type { Book, Cancel, Command, Configure, Extend, Hold, Release } from "./commands.ts";
import { assertDefinition, type InventoryDefinition } from "./definition.ts";
import type { EventState } from "./event-state.ts";
import type { BookingRecord, CommandKey, Fact, HoldEnded } from "./facts.ts";
import type { ActiveHold, EndedHold } from "./hold-book.ts";
import type { HoldId, UserId } from "./ids.ts";
import { FREE, type Inventory } from "./inventory.ts";
import { HOLD_LIFETIME_TTLS_MAX, HOLDS_PER_EVENT_MAX, PLACES_PER_HOLD_MAX } from "./limits.ts";
import { areaIndexOf, isSeat, type Place, type PlaceItem, totalMinor } from "./place.ts";
import type { Decision, Refusal } from "./replies.ts";
import { unreachable } from "./unreachable.ts";

/**
 * Answers one command at one instant, changing nothing: the facts it would cause and what the
 * requester is told. Before it, the caller has applied every `nextExpiry` up to `nowMs`.
 */
export function decide(state: EventState, command: Command, nowMs: number): Decision {
  const key = "key" in command ? command.key : null;
  if (key !== null) {
    const decision = decideByKey(state, key, nowMs);
    if (decision !== null) return decision;
  }
  switch (command.kind) {
    case "configure":
      return configure(state, command, nowMs);
    case "hold":
      return hold(state, command, nowMs);
    case "extend":
      return extend(state, command, nowMs);
    case "release":
      return release(state, command, nowMs);
    case "book":
      return book(state, command, nowMs);
    case "cancel":
      return cancel(state, command, nowMs);
    default:
      return unreachable(command);
  }
}

/**
 * The end of the hold that is due first; null: none is due. A hold lives in [creation, expiresAt).
 */
export function nextExpiry(state: EventState, nowMs: number): HoldEnded | null {
  const first = state.holds.first();
  if (first === null || first.expiresAtMs > nowMs) return null;
  return endOf(state, first, "expired", nowMs);
}

function decideByKey(state: EventState, key: CommandKey, nowMs: number): Decision | null {
  const kept = state.keys.find(key.digest, nowMs);
  if (kept === undefined) return state.keys.hasRoom(nowMs) ? null : refuse({ code: "busy" });
  if (kept.fingerprint !== key.fingerprint) return refuse({ code: "idempotency_key_reused" });
  return { facts: [], reply: { kind: "replay", seq: kept.seq, digest: key.digest } };
}

function configure(state: EventState, command: Configure, nowMs: number): Decision {
  const { definition } = command;
  assertDefinition(definition);
  if (state.definition !== null && !hasSamePlaces(state.definition, definition)) {
    return refuse({ code: "inventory_fixed" });
  }
  return accept({ kind: "configured", seq: state.seq + 1, atMs: nowMs, key: null, definition });
}

function hasSamePlaces(a: InventoryDefinition, b: InventoryDefinition): boolean {
  return (
    a.categories.length === b.categories.length &&
    a.seatCategories.length === b.seatCategories.length &&
    a.seatCategories.every((category, seat) => category === b.seatCategories[seat]) &&
    a.areas.length === b.areas.length &&
    a.areas.every((area, index) => {
      const other = b.areas[index];
      return (
        other !== undefined &&
        area.key === other.key &&
        area.category === other.category &&
        area.capacity === other.capacity
      );
    })
  );
}

function hold(state: EventState, command: Hold, nowMs: number): Decision {
  const { definition, inventory } = state;
  if (definition === null || inventory === null) return refuse({ code: "event_not_found" });
  const refusal =
    refuseBySale(definition, nowMs) ??
    refuseByLimits(state, definition, command) ??
    refuseByPlaces(inventory, command.places);
  if (refusal !== null) return refuse(refusal);
  if (state.holds.count >= HOLDS_PER_EVENT_MAX) return refuse({ code: "busy" });
  const { holdId, userId, key } = command;
  return accept({
    kind: "held",
    seq: state.seq + 1,
    atMs: nowMs,
    key,
    holdId,
    userId,
    items: command.places.map((place) => priced(definition, inventory, place)),
    expiresAtMs: nowMs + definition.holdTtlMs,
  });
}

function refuseBySale(definition: InventoryDefinition, nowMs: number): Refusal | null {
  if (definition.status === "cancelled") return { code: "event_cancelled" };
  const { salesOpenMs, salesCloseMs } = definition;
  if (salesOpenMs !== null && nowMs < salesOpenMs) {
    return { code: "sales_not_open", opensAtMs: salesOpenMs };
  }
  if (salesCloseMs !== null && nowMs >= salesCloseMs) return { code: "sales_closed" };
  return null;
}

function refuseByLimits(
  state: EventState,
  definition: InventoryDefinition,
  { places, userId }: Hold,
): Refusal | null {
  const orderMax = Math.min(definition.perOrderMax, PLACES_PER_HOLD_MAX);
  const count = places.length;
  if (count > orderMax) {
    return { code: "limit_exceeded", scope: "perOrder", limit: orderMax, current: count };
  }
  const current = state.placesByUser.get(userId) ?? 0;
  const limit = definition.perUserMax;
  if (current + count > limit) return { code: "limit_exceeded", scope: "perUser", limit, current };
  return null;
}

/** Checks all places at once; a seat that is asked for twice is not available the second time. */
function refuseByPlaces(inventory: Inventory, places: readonly Place[]): Refusal | null {
  const unknown = places.filter((place) => !inventory.has(place));
  if (unknown.length > 0) return { code: "unknown_place", places: unknown };
  const taken = places.filter(
    (place, index) =>
      isSeat(place) &&
      (inventory.statusOf(place) !== FREE || (index > 0 && places.indexOf(place) < index)),
  );
  if (taken.length > 0) return { code: "seat_unavailable", seats: taken };
  for (const place of places) {
    if (isSeat(place)) continue;
    const area = areaIndexOf(place);
    const available = inventory.area(area).free;
    const wanted = places.reduce((sum, other) => sum + (other === place ? 1 : 0), 0);
    if (wanted > available) return { code: "insufficient_capacity", area, available };
  }
  return null;
}

function priced(definition: InventoryDefinition, inventory: Inventory, place: Place): PlaceItem {
  const category = inventory.categoryOf(place);
  return { place, category, priceMinor: definition.categories[category]?.priceMinor ?? 0 };
}

function extend(state: EventState, command: Extend, nowMs: number): Decision {
  const found = findHold(state, command.holdId, command.userId);
  if ("code" in found) return refuse(found);
  const ttlMs = state.definition?.holdTtlMs ?? 0;
  const capMs = found.createdAtMs + HOLD_LIFETIME_TTLS_MAX * ttlMs;
  const expiresAtMs = Math.min(found.expiresAtMs + ttlMs, capMs);
  if (found.extended || expiresAtMs <= found.expiresAtMs) {
    return refuse({ code: "hold_not_extendable" });
  }
  const { holdId, userId, items } = found;
  const seq = state.seq + 1;
  return accept({
    kind: "extended",
    seq,
    atMs: nowMs,
    key: command.key,
    holdId,
    userId,
    items,
    expiresAtMs,
  });
}

function release(state: EventState, command: Release, nowMs: number): Decision {
  const found = findHold(state, command.holdId, command.userId);
  if (!("code" in found)) return accept(endOf(state, found, "released", nowMs));
  if (found.code === "hold_released") return { facts: [], reply: { kind: "unchanged" } };
  return refuse(found);
}

function book(state: EventState, command: Book, nowMs: number): Decision {
  const found = findHold(state, command.holdId, command.userId);
  if ("code" in found) return refuse(found);
  if (state.definition?.status === "cancelled") return refuse({ code: "event_cancelled" });
  if (!command.invoiceAllowed && totalMinor(found.items) > 0) {
    return refuse({ code: "payment_required" });
  }
  assert(command.ticketCodes.length >= found.items.length, "a ticket code for every place");
  const booking: BookingRecord = {
    bookingId: command.bookingId,
    holdId: found.holdId,
    userId: found.userId,
    email: command.email,
    code: command.code,
    items: found.items,
    ticketCodes: command.ticketCodes.slice(0, found.items.length),
    bookedAtMs: nowMs,
  };
  return accept({ kind: "booked", seq: state.seq + 1, atMs: nowMs, key: command.key, booking });
}

function cancel(state: EventState, command: Cancel, nowMs: number): Decision {
  const known = state.bookings.get(command.bookingId);
  if (known === undefined || !(command.asOrganizer || known.record.userId === command.userId)) {
    return refuse({ code: "booking_not_found" });
  }
  if (known.cancelled !== null) {
    return { facts: [], reply: { kind: "done", fact: known.cancelled, replayed: false } };
  }
  return accept({
    kind: "cancelled",
    seq: state.seq + 1,
    atMs: nowMs,
    key: command.key,
    booking: known.record,
    cancelledBy: command.userId,
    reason: command.reason,
  });
}

/**
 * The requester's active hold, or why there is none. Another buyer's hold does not exist for them.
 */
export function findHold(state: EventState, holdId: HoldId, userId: UserId): ActiveHold | Refusal {
  const active = state.holds.find(holdId);
  if (active !== undefined) {
    return active.userId === userId ? active : { code: "hold_not_found" };
  }
  const ended = state.holds.findEnded(holdId);
  if (ended === undefined || ended.userId !== userId) return { code: "hold_not_found" };
  return refusalOfEnd(ended);
}

function refusalOfEnd(ended: EndedHold): Refusal {
  if (ended.end === "expired") return { code: "hold_expired" };
  if (ended.end === "released" || ended.bookingId === null) return { code: "hold_released" };
  return { code: "hold_booked", bookingId: ended.bookingId };
}

function endOf(
  state: EventState,
  { holdId, userId, items }: ActiveHold,
  reason: HoldEnded["reason"],
  nowMs: number,
): HoldEnded {
  const seq = state.seq + 1;
  return { kind: "holdEnded", seq, atMs: nowMs, key: null, reason, holdId, userId, items };
}

function accept(fact: Fact): Decision {
  return { facts: [fact], reply: { kind: "done", fact, replayed: false } };
}

function refuse(refusal: Refusal): Decision {
  return { facts: [], reply: { kind: "refused", refusal } };
}
