import type { InventoryDefinition } from "../../engine/definition.ts";
import type { Extended, Fact, Held, HoldChanged, HoldEnded } from "../../engine/facts.ts";
import type { ActiveHold } from "../../engine/hold-book.ts";
import type { EventId } from "../../engine/ids.ts";
import { HOLD_LIFETIME_TTLS_MAX, ITEM_IDS_PER_HOLD, KEY_TTL_MS } from "../../engine/limits.ts";
import type { PlaceItem } from "../../engine/place.ts";
import { unreachable } from "../../engine/unreachable.ts";
import {
  availableTo,
  churnUntilMs,
  isSeatAvailable,
  keptOf,
  orderMaxOf,
  overdueIn,
  promoOf,
  refusalOfPromo,
} from "./availability.ts";
import { checkBooked, checkBookingChanged, checkPaymentStarted } from "./booking-rules.ts";
import { differences } from "./differences.ts";
import { checkFreshId, checkReason, checkSameHold, heldHold, liveHold } from "./hold-rules.ts";
import {
  areaOf,
  areasOf,
  type ModelState,
  ordinalIn,
  positionsIn,
  seatOf,
  statusIn,
} from "./model-state.ts";
import { checkPlacesChanged } from "./place-rules.ts";
import { costIn, isFor } from "./prices.ts";
import { type Must, mustEqual, mustMove } from "./rule.ts";
import { checkChosen, checkOffer, checkQueued, checkUnqueued } from "./waitlist-rules.ts";

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
    case "holdChanged":
      checkHoldChanged(state, fact, must);
      break;
    case "holdEnded":
      checkHoldEnded(state, fact, must);
      break;
    case "paymentStarted":
      checkPaymentStarted(state, eventId, fact, must);
      break;
    case "booked":
      checkBooked(state, eventId, fact, must);
      break;
    case "bookingChanged":
      checkBookingChanged(state, fact, must);
      break;
    case "placesChanged":
      checkPlacesChanged(state, fact, must);
      break;
    case "queued":
      checkQueued(state, eventId, fact, must);
      break;
    case "unqueued":
      checkUnqueued(state, fact, must);
      break;
    default:
      return unreachable(fact);
  }
  return broken;
}

/** Whether everything still adds up, asked after a fact was taken in. */
export function brokenTotals(state: ModelState): string[] {
  const { seq, placed, recorded } = state;
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
  for (const [index, { capacity, held, sold, blocked }] of areasOf(state).entries()) {
    const isWithin = held >= 0 && sold >= 0 && blocked >= 0 && held + sold + blocked <= capacity;
    must(isWithin, () => {
      const more = blocked === 0 ? "" : ` and ${blocked} blocked`;
      return `area ${index} of ${capacity} places has ${held} held and ${sold} sold${more}`;
    });
  }
  for (const { record } of state.bookings.values()) {
    if (statusIn(record) !== "pending_payment") continue;
    const paying = state.holds.get(record.holdId)?.paying;
    must(paying === record.bookingId, () => `no hold pays for the pending ${record.bookingId}`);
  }
  for (const { holdId, paying } of state.holds.values()) {
    const record = paying === null ? undefined : state.bookings.get(paying)?.record;
    const isPending = record !== undefined && statusIn(record) === "pending_payment";
    must(paying === null || isPending, () => `hold ${holdId} pays for what is not pending`);
  }
  for (const { area, channel, quantity } of state.keptInAreas.values()) {
    const used = state.usedIn(area, channel);
    must(used <= quantity, () => `${used} of ${quantity} places for "${channel}" are in use`);
  }
  const left = (area: number): number =>
    [...state.keptInAreas.values()]
      .filter((kept) => kept.area === area)
      .reduce((sum, { channel, quantity }) => sum + quantity - state.usedIn(area, channel), 0);
  for (const [area, { blocked }] of state.areas.entries()) {
    must(blocked === left(area), () => `${blocked} of area ${area} are blocked, not ${left(area)}`);
  }
  return broken;
}

/** A hold's end by time, by itself or with the booking that it was to pay for. */
export function isExpiry(fact: Fact): boolean {
  if (fact.kind === "holdEnded") return fact.reason === "expired";
  return fact.kind === "bookingChanged" && fact.holdEnd === "expired";
}

/** What nobody asks for: ends by time, offers, and what follows from an event's cancellation. */
export function isByItself(fact: Fact): boolean {
  if (isExpiry(fact)) return true;
  switch (fact.kind) {
    case "held":
      return fact.terms?.source === "waitlist";
    case "holdEnded":
      return fact.reason === "cancelled";
    case "bookingChanged":
      return fact.holdEnd === "cancelled" || (fact.change === "cancelled" && fact.by === null);
    case "unqueued":
      return fact.reason === "closed";
    default:
      return false;
  }
}

function checkOrder(state: ModelState, fact: Fact, must: Must): void {
  must(fact.seq === state.seq + 1, () => `it follows seq ${state.seq}`);
  must(fact.atMs >= state.lastMs, () => `time runs back from ${state.lastMs} to ${fact.atMs}`);
  must(
    state.definition !== null || fact.kind === "configured",
    () => "nobody configured the event",
  );
  if (isExpiry(fact)) return;
  const { firstMs } = state.due;
  must(firstMs === null || firstMs > fact.atMs, () => {
    return `a hold that was due at ${firstMs} had not ended at ${fact.atMs}`;
  });
  if (isByItself(fact)) return;
  const [overdue] = overdueIn(state, state.lastMs);
  must(overdue === undefined, () => {
    return `what entry ${overdue?.entry.entryId} waits for was free and not offered`;
  });
}

/** Facts that are the outcome of a request of a buyer, or of who acts for the organiser. */
function mayHaveKey(fact: Fact): boolean {
  if (isByItself(fact)) return false;
  switch (fact.kind) {
    case "configured":
    case "holdEnded":
    case "unqueued":
      return false;
    case "booked":
      return fact.booking.later === null;
    case "bookingChanged":
      return fact.by !== null;
    default:
      return true;
  }
}

function checkKey(state: ModelState, fact: Fact, must: Must): void {
  if (fact.key === null) return;
  const { digest } = fact.key;
  must(mayHaveKey(fact), () => "it may not have a key");
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
  const differ = placesDiffer(definition, next);
  differ.push(...capacitiesDiffer(definition, next));
  must(differ.length === 0, () => `the event's places are fixed: ${differ.join(", ")}`);
}

/** What a configuration that is asked for later may not change; []: rules and prices only. */
export function placesDiffer(now: InventoryDefinition, next: InventoryDefinition): string[] {
  const placesOf = ({ categories, seatCategories, areas }: InventoryDefinition): unknown => ({
    categories: categories.length,
    seatCategories,
    areas: areas.map(({ key, category }) => ({ key, category })),
  });
  return differences("it", placesOf(next), placesOf(now));
}

/** What it does not change, whatever is asked for: capacities, and where the seats are. */
function capacitiesDiffer(now: InventoryDefinition, next: InventoryDefinition): string[] {
  const keptOfIt = ({ areas, seatMap }: InventoryDefinition): unknown => ({
    areas: areas.map(({ capacity }) => ({ capacity })),
    seatMap,
  });
  return differences("it", keptOfIt(next), keptOfIt(now));
}

function checkHeld(state: ModelState, eventId: EventId, fact: Held, must: Must): void {
  const { definition } = state;
  if (definition === null) return;
  const { holdId, userId, items, ordinals, terms, atMs, expiresAtMs } = fact;
  checkFreshId(eventId, holdId, must);
  must(!state.holds.has(holdId) && !state.ends.has(holdId), () => `hold ${holdId} has been before`);
  checkSale(definition, atMs, must);
  must(expiresAtMs === atMs + definition.holdTtlMs, () => {
    return `it ends ${expiresAtMs - atMs} ms after it began, not ${definition.holdTtlMs}`;
  });
  must(items.length >= 1, () => "it has no places");
  checkLimits(state, definition, { userId, inOrder: items.length, more: items.length }, must);
  must(ordinals === null, () => "a hold that begins has its ids in their order");
  const channel = terms?.channel ?? null;
  checkPlacesAvailable(state, items, channel, must);
  if (terms?.source === "waitlist") checkOffer(state, fact, terms, must);
  else checkByBuyer(state, definition, fact, must);
  const code = terms?.promoCode ?? null;
  for (const item of items) checkCost(state, definition, item, code, must);
  if (terms === null) return;
  mustEqual("kept", terms.kept, keptOf(state, placesIn(items), channel), must);
  checkChosen(items, terms, must);
}

function checkByBuyer(
  state: ModelState,
  definition: InventoryDefinition,
  { userId, items, terms, atMs }: Held,
  must: Must,
): void {
  const waitMs = churnUntilMs(state, definition.churn, userId);
  must(waitMs === null || waitMs <= atMs, () => `its buyer waits until ${waitMs}`);
  if (terms === null) return;
  must(terms.source === "buyer" && terms.entryId === null, () => "it is an offer to nobody");
  const { promoCode, channel, chosen } = terms;
  const isPlain = promoCode === null && channel === null && chosen.length === 0;
  must(!isPlain, () => "plain terms are none");
  if (promoCode === null) return;
  const refusal = refusalOfPromo(state, definition, { code: promoCode, userId, nowMs: atMs });
  must(refusal === null, () => `the code ${promoCode} was refused: ${JSON.stringify(refusal)}`);
  const promo = promoOf(definition, promoCode);
  must(
    promo === undefined || items.some(({ category }) => isFor(promo, category)),
    () => `the code ${promoCode} is for none of its places`,
  );
}

const placesIn = (items: readonly PlaceItem[]): number[] => items.map(({ place }) => place);

function checkCost(
  state: ModelState,
  definition: InventoryDefinition,
  { place, category, priceMinor, charge }: PlaceItem,
  code: string | null,
  must: Must,
): void {
  if (state.categoryOf(place) === undefined) return;
  must(category === state.categoryOf(place), () => `place ${place} has category ${category}`);
  const cost = costIn(definition, category, promoOf(definition, code));
  must(priceMinor === cost.priceMinor, () => {
    return `place ${place} costs ${priceMinor}, not ${cost.priceMinor}`;
  });
  mustEqual(`the charge of place ${place}`, charge, cost.charge, must);
}

function checkLimits(
  state: ModelState,
  definition: InventoryDefinition,
  { userId, inOrder, more }: { userId: Held["userId"]; inOrder: number; more: number },
  must: Must,
): void {
  const orderMax = orderMaxOf(definition);
  must(inOrder <= orderMax, () => `${inOrder} places in an order of ${orderMax}`);
  const owned = (state.placesByUser.get(userId) ?? 0) + more;
  must(owned <= definition.perUserMax, () => {
    return `its buyer has ${owned} places of ${definition.perUserMax}`;
  });
}

function checkSale(definition: InventoryDefinition, atMs: number, must: Must): void {
  const { status, salesOpenMs, salesCloseMs } = definition;
  must(status !== "cancelled", () => "the event is cancelled");
  must(salesOpenMs === null || atMs >= salesOpenMs, () => `sales open at ${salesOpenMs}`);
  must(salesCloseMs === null || atMs < salesCloseMs, () => `sales closed at ${salesCloseMs}`);
}

function checkPlacesAvailable(
  state: ModelState,
  items: readonly PlaceItem[],
  channel: string | null,
  must: Must,
): void {
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
    const isFree = state.seats[seat] === undefined || isSeatAvailable(state, seat, channel);
    must(isFree, () => `seat ${seat} was not free but ${state.seats[seat]}`);
  }
  for (const [area, count] of wanted) {
    const free = availableTo(state, area, channel);
    must(count <= free, () => `area ${area} had ${free} places free, not ${count}`);
  }
}

function checkExtended(state: ModelState, fact: Extended, must: Must): void {
  const hold = liveHold(state, fact, fact.atMs, must);
  if (hold === null) return;
  checkSameHold(hold, fact, must);
  must(!hold.extended, () => `hold ${hold.holdId} was extended before`);
  must(hold.paying === null, () => `hold ${hold.holdId} waits for money`);
  must(state.definition?.status !== "cancelled", () => "the event is cancelled");
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

/** What stays in a changed hold keeps its ids and prices; what is new comes behind it. */
function checkHoldChanged(state: ModelState, fact: HoldChanged, must: Must): void {
  const hold = liveHold(state, fact, fact.atMs, must);
  const { definition } = state;
  if (hold === null || definition === null) return;
  must(fact.userId === hold.userId, () => `hold ${hold.holdId} is not of ${fact.userId}`);
  must(hold.paying === null, () => `hold ${hold.holdId} waits for money`);
  must(fact.items.length >= 1, () => "it has no places");
  const before = positionsIn(hold).map((n) => ordinalIn(hold, n));
  const after = fact.ordinals ?? [];
  const staysIn = before.flatMap((ordinal, n) => (after.includes(ordinal) ? [n] : []));
  const added = fact.items.slice(staysIn.length);
  const last = Math.max(...before);
  mustEqual(
    "ordinals",
    fact.ordinals,
    [...staysIn.map((n) => before[n]), ...added.map((_, n) => last + 1 + n)],
    must,
  );
  must(last + added.length < ITEM_IDS_PER_HOLD, () => "it has no ids for so many items");
  const staying = staysIn.flatMap((n) => hold.items[n] ?? []);
  mustEqual("items", fact.items.slice(0, staysIn.length), staying, must);
  const channel = hold.terms?.channel ?? null;
  const code = hold.terms?.promoCode ?? null;
  if (added.length > 0) {
    checkSale(definition, fact.atMs, must);
    const inOrder = fact.items.length;
    const more = inOrder - hold.items.length;
    checkLimits(state, definition, { userId: hold.userId, inOrder, more }, must);
    checkPlacesAvailable(state, added, channel, must);
    for (const item of added) checkCost(state, definition, item, code, must);
  }
  mustEqual("terms", fact.terms, termsAfter(state, hold, staying, added), must);
  const { expiresAtMs, extended } = hold;
  const ends = { expiresAtMs: fact.expiresAtMs, extended: fact.extended };
  mustEqual("it", ends, { expiresAtMs, extended }, must);
  mustMove(fact.moves, state.movesIn(fact), must);
}

/** The choice is the buyer's own now; what is kept is what was, and what is added of it. */
function termsAfter(
  state: ModelState,
  { terms }: ActiveHold,
  staying: readonly PlaceItem[],
  added: readonly PlaceItem[],
): ActiveHold["terms"] {
  if (terms === null) return null;
  const places = placesIn(staying);
  const stay = terms.kept.filter((place) => places.includes(place));
  const kept = [...new Set([...stay, ...keptOf(state, placesIn(added), terms.channel)])];
  const { source, entryId, promoCode, channel } = terms;
  const isPlain = source === "buyer" && promoCode === null && channel === null;
  return isPlain ? null : { source, entryId, promoCode, channel, kept, chosen: [] };
}

function checkHoldEnded(state: ModelState, fact: HoldEnded, must: Must): void {
  const { reason, atMs, holdId } = fact;
  const hold = heldHold(state, holdId, must);
  if (hold === null) return;
  checkSameHold(hold, fact, must);
  must(hold.paying === null, () => `hold ${holdId} waits for money, and its booking with it`);
  checkReason(state, hold, { reason, atMs }, must);
}
