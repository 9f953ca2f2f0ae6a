import type { InventoryDefinition } from "../../engine/definition.ts";
import type { Booked, Cancelled, Extended, Fact, Held, HoldEnded } from "../../engine/facts.ts";
import type { ActiveHold } from "../../engine/hold-book.ts";
import type { BookingId, EventId, HoldId } from "../../engine/ids.ts";
import { HOLD_LIFETIME_TTLS_MAX, KEY_TTL_MS, PLACES_PER_HOLD_MAX } from "../../engine/limits.ts";
import { unreachable } from "../../engine/unreachable.ts";
import { differences } from "./differences.ts";
import { areaOf, type ModelState, seatOf } from "./model-state.ts";

/** Notes the sentence of a rule that is not kept. */
type Must = (kept: boolean, brokenIf: () => string) => void;

/**
 * The rules of a sale, asked of the next fact before it is taken in. A sentence for each rule that
 * it breaks; []: it is legal.
 */
export function brokenRules(state: ModelState, eventId: EventId, fact: Fact): string[] {
  const broken: string[] = [];
  const must: Must = (kept, brokenIf) => {
    if (!kept) broken.push(`${fact.kind} at seq ${fact.seq}: ${brokenIf()}`);
  };
  checkOrder(state, fact, must);
  checkKey(state, fact, must);
  switch (fact.kind) {
    case "configured":
      checkConfigured(state, eventId, fact.definition, must);
      break;
    case "held":
      checkHeld(state, eventId, fact, must);
      break;
    case "extended":
      checkExtended(state, fact, must);
      break;
    case "holdEnded":
      checkHoldEnded(state, fact, must);
      break;
    case "booked":
      checkBooked(state, eventId, fact, must);
      break;
    case "cancelled":
      checkCancelled(state, fact, must);
      break;
    default:
      return unreachable(fact);
  }
  return broken;
}

/** Whether everything still adds up, asked after a fact was taken in. */
export function brokenTotals({ seq, placed, recorded, areas, definition }: ModelState): string[] {
  const broken: string[] = [];
  const must: Must = (kept, brokenIf) => {
    if (!kept) broken.push(`the totals at seq ${seq}: ${brokenIf()}`);
  };
  must(placed.held === recorded.held, () => {
    return `${placed.held} places are held, but holds have ${recorded.held}`;
  });
  must(placed.sold === recorded.sold, () => {
    return `${placed.sold} places are sold, but bookings have ${recorded.sold}`;
  });
  must(placed.free >= 0, () => `${placed.free} places are free`);
  for (const [index, { held, sold }] of areas.entries()) {
    const capacity = definition?.areas[index]?.capacity ?? 0;
    must(held >= 0 && sold >= 0 && held + sold <= capacity, () => {
      return `area ${index} of ${capacity} places has ${held} held and ${sold} sold`;
    });
  }
  return broken;
}

function checkOrder(state: ModelState, fact: Fact, must: Must): void {
  must(fact.seq === state.seq + 1, () => `it follows seq ${state.seq}`);
  must(fact.atMs >= state.lastMs, () => `time runs back from ${state.lastMs} to ${fact.atMs}`);
  must(
    state.definition !== null || fact.kind === "configured",
    () => "nobody configured the event",
  );
  const { firstMs } = state.due;
  if (fact.kind === "holdEnded" && fact.reason === "expired") return;
  must(firstMs === null || firstMs > fact.atMs, () => {
    return `a hold that was due at ${firstMs} had not ended at ${fact.atMs}`;
  });
}

function checkKey(state: ModelState, fact: Fact, must: Must): void {
  if (fact.key === null) return;
  const { digest } = fact.key;
  must(fact.kind !== "configured" && fact.kind !== "holdEnded", () => "it may not have a key");
  const first = state.outcomes.get(digest);
  must(first === undefined || first.atMs < fact.atMs - KEY_TTL_MS, () => {
    return `its key ${digest} had its outcome at seq ${first?.seq} already`;
  });
}

function checkConfigured(
  { definition }: ModelState,
  eventId: EventId,
  next: InventoryDefinition,
  must: Must,
): void {
  must(next.eventId === eventId, () => `it is of event ${next.eventId}`);
  if (definition === null) return;
  must(placesDiffer(definition, next).length === 0, () => {
    return `the event's places are fixed: ${placesDiffer(definition, next).join(", ")}`;
  });
}

/** What a later configuration may not change; []: it changes rules and prices only. */
export function placesDiffer(now: InventoryDefinition, next: InventoryDefinition): string[] {
  const placesOf = ({ categories, seatCategories, areas }: InventoryDefinition): unknown => ({
    categories: categories.length,
    seatCategories,
    areas: areas.map(({ key, category, capacity }) => ({ key, category, capacity })),
  });
  return differences("it", placesOf(next), placesOf(now));
}

function checkHeld(state: ModelState, eventId: EventId, fact: Held, must: Must): void {
  const { definition } = state;
  if (definition === null) return;
  const { holdId, userId, items, atMs, expiresAtMs } = fact;
  checkFreshId(eventId, holdId, must);
  must(!state.holds.has(holdId) && !state.ends.has(holdId), () => `hold ${holdId} has been before`);
  checkSale(definition, atMs, must);
  must(expiresAtMs === atMs + definition.holdTtlMs, () => {
    return `it ends ${expiresAtMs - atMs} ms after it began, not ${definition.holdTtlMs}`;
  });
  const orderMax = Math.min(definition.perOrderMax, PLACES_PER_HOLD_MAX);
  must(items.length >= 1, () => "it has no places");
  must(items.length <= orderMax, () => `${items.length} places in an order of ${orderMax}`);
  const owned = (state.placesByUser.get(userId) ?? 0) + items.length;
  must(owned <= definition.perUserMax, () => {
    return `its buyer has ${owned} places of ${definition.perUserMax}`;
  });
  checkPlacesFree(state, fact, must);
  for (const { place, category, priceMinor } of items) {
    if (state.categoryOf(place) === undefined) continue;
    must(category === state.categoryOf(place), () => `place ${place} has category ${category}`);
    const price = definition.categories[category]?.priceMinor;
    must(priceMinor === price, () => `place ${place} costs ${priceMinor}, not ${price}`);
  }
}

function checkSale(definition: InventoryDefinition, atMs: number, must: Must): void {
  const { status, salesOpenMs, salesCloseMs } = definition;
  must(status !== "cancelled", () => "the event is cancelled");
  must(salesOpenMs === null || atMs >= salesOpenMs, () => `sales open at ${salesOpenMs}`);
  must(salesCloseMs === null || atMs < salesCloseMs, () => `sales closed at ${salesCloseMs}`);
}

function checkPlacesFree(state: ModelState, { items }: Held, must: Must): void {
  const seats = new Set<number>();
  const wanted = new Map<number, number>();
  for (const { place } of items) {
    must(state.categoryOf(place) !== undefined, () => `place ${place} does not exist`);
    const seat = seatOf(place);
    if (seat === null) {
      wanted.set(areaOf(place), (wanted.get(areaOf(place)) ?? 0) + 1);
      continue;
    }
    must(!seats.has(seat), () => `seat ${seat} is in it twice`);
    seats.add(seat);
    const letter = state.seats[seat] ?? "f";
    must(letter === "f", () => `seat ${seat} was not free but ${letter}`);
  }
  for (const [area, count] of wanted) {
    const free = state.freeInArea(area);
    must(count <= free, () => `area ${area} had ${free} places free, not ${count}`);
  }
}

function checkExtended(state: ModelState, fact: Extended, must: Must): void {
  const hold = liveHold(state, fact, fact.atMs, must);
  if (hold === null) return;
  checkSameHold(hold, fact, must);
  must(!hold.extended, () => `hold ${hold.holdId} was extended before`);
  const expiresAtMs = extendedEndMs(state, hold);
  must(fact.expiresAtMs === expiresAtMs, () => {
    return `hold ${hold.holdId} would end at ${expiresAtMs}, not ${fact.expiresAtMs}`;
  });
  must(fact.expiresAtMs > hold.expiresAtMs, () => "it gives the hold no more time");
}

/** Once more the event's time for holds, but never past twice that from the hold's creation. */
export function extendedEndMs({ definition }: ModelState, hold: ActiveHold): number {
  const ttlMs = definition?.holdTtlMs ?? 0;
  return Math.min(hold.expiresAtMs + ttlMs, hold.createdAtMs + HOLD_LIFETIME_TTLS_MAX * ttlMs);
}

function checkHoldEnded(state: ModelState, fact: HoldEnded, must: Must): void {
  if (fact.reason === "released") {
    const hold = liveHold(state, fact, fact.atMs, must);
    if (hold !== null) checkSameHold(hold, fact, must);
    return;
  }
  const hold = heldHold(state, fact.holdId, must);
  if (hold === null) return;
  checkSameHold(hold, fact, must);
  must(fact.atMs >= hold.expiresAtMs, () => `it was due at ${hold.expiresAtMs}, not ${fact.atMs}`);
  must(hold.expiresAtMs === state.due.firstMs, () => {
    return `it was due at ${hold.expiresAtMs}, but another at ${state.due.firstMs}`;
  });
}

function checkBooked(state: ModelState, eventId: EventId, fact: Booked, must: Must): void {
  const { booking, atMs } = fact;
  const { bookingId, ticketCodes, items } = booking;
  checkFreshId(eventId, bookingId, must);
  must(!state.bookings.has(bookingId), () => `booking ${bookingId} has been before`);
  must(state.definition?.status !== "cancelled", () => "the event is cancelled");
  must(booking.bookedAtMs === atMs, () => `it says that it was booked at ${booking.bookedAtMs}`);
  must(ticketCodes.length === items.length, () => {
    return `${ticketCodes.length} ticket codes for ${items.length} places`;
  });
  const codes = new Set<string>();
  for (const code of ticketCodes) {
    must(!codes.has(code) && !state.ticketCodes.has(code), () => `ticket code ${code} was used`);
    codes.add(code);
  }
  const hold = liveHold(state, booking, atMs, must);
  if (hold !== null) checkSameHold(hold, booking, must);
}

function checkCancelled(state: ModelState, { booking }: Cancelled, must: Must): void {
  const known = state.bookings.get(booking.bookingId);
  must(known !== undefined, () => `booking ${booking.bookingId} does not exist`);
  if (known === undefined) return;
  must(known.cancelled === null, () => {
    return `booking ${booking.bookingId} was cancelled at seq ${known.cancelled?.seq}`;
  });
  const differ = differences("the booking", booking, known.record);
  must(differ.length === 0, () => differ.join(", "));
}

/** An id ends in the last ten hex digits of its event's: that is how requests find the event. */
function checkFreshId(eventId: EventId, id: HoldId | BookingId, must: Must): void {
  must(id.slice(-10) === eventId.slice(-10), () => `id ${id} does not lead to the event`);
}

/** The hold, when it has not ended by a fact, whatever the time. */
function heldHold(state: ModelState, holdId: HoldId, must: Must): ActiveHold | null {
  const hold = state.holds.get(holdId);
  const end = state.ends.get(holdId);
  must(hold !== undefined || end !== undefined, () => `hold ${holdId} never was`);
  must(hold !== undefined || end === undefined, () => {
    return `hold ${holdId} was ${end?.end} at seq ${end?.seq}`;
  });
  return hold ?? null;
}

function liveHold(
  state: ModelState,
  { holdId }: { readonly holdId: HoldId },
  atMs: number,
  must: Must,
): ActiveHold | null {
  const hold = heldHold(state, holdId, must);
  if (hold === null) return null;
  must(atMs < hold.expiresAtMs, () => `hold ${holdId} was over at ${hold.expiresAtMs}`);
  return hold;
}

/** A fact repeats whose hold it is and what is in it. */
function checkSameHold(
  hold: ActiveHold,
  said: Pick<ActiveHold, "userId" | "items">,
  must: Must,
): void {
  must(said.userId === hold.userId, () => `hold ${hold.holdId} is not of ${said.userId}`);
  const differ = differences("items", said.items, hold.items);
  must(differ.length === 0, () => differ.join(", "));
}
