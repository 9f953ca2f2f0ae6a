/** Rules of who waits, and what they are offered. */
import type { Held, Queued, Unqueued } from "../../engine/facts.ts";
import type { EventId } from "../../engine/ids.ts";
import { PLACES_PER_HOLD_MAX } from "../../engine/limits.ts";
import type { PlaceItem } from "../../engine/place.ts";
import type { HoldTerms } from "../../engine/terms.ts";
import { churnUntilMs, isBehindOwed, servable } from "./availability.ts";
import { checkFreshId } from "./hold-rules.ts";
import type { ModelState } from "./model-state.ts";
import { offerIdIn } from "./routed-ids.ts";
import { type Must, mustEqual } from "./rule.ts";

/** An offer goes to the first in the line whose wish can be met, and is what they wish. */
export function checkOffer(
  state: ModelState,
  { holdId, userId, items, atMs }: Held,
  { entryId, promoCode, channel }: HoldTerms,
  must: Must,
): void {
  const at = state.line.findIndex(({ entry }) => entry.entryId === entryId);
  const waiting = state.line[at];
  must(waiting !== undefined, () => `entry ${entryId} does not wait`);
  if (waiting === undefined) return;
  const { entry } = waiting;
  must(holdId === offerIdIn(entry.entryId), () => `hold ${holdId} is not the entry's own`);
  must(userId === entry.userId, () => `entry ${entryId} is not of ${userId}`);
  must(promoCode === null && channel === null, () => "an offer has neither code nor channel");
  must(items.length === entry.quantity, () => `${items.length} places, not ${entry.quantity}`);
  const categories = new Set(items.map(({ category }) => category));
  must(categories.size === 1, () => `it has places of ${categories.size} categories`);
  const isWanted = items.every(({ category }) => entry.categories?.includes(category) ?? true);
  must(isWanted, () => "it has places of a category that is not wanted");
  const isOneKind = items.every(({ place }) => place >= 0 || place === items[0]?.place);
  must(isOneKind, () => "it has seats and an area, or two areas");
  for (const before of state.line.slice(0, at)) {
    const isPassed = servable(state, before, atMs) !== "yes" || isBehindOwed(state, before);
    must(isPassed, () => `entry ${before.entry.entryId} comes before, and could be served`);
  }
  must(!isBehindOwed(state, waiting), () => "somebody before them was passed over too often");
}

/** The engine's choice is told in groups: each of the seats that it chose is in one. */
export function checkChosen(
  items: readonly PlaceItem[],
  { source, chosen }: HoldTerms,
  must: Must,
) {
  const told = chosen.flatMap(({ from, count }) =>
    count < 1 || count > items.length ? [-1] : Array.from({ length: count }, (_, n) => from + n),
  );
  must(new Set(told).size === told.length, () => "a chosen place is in two groups");
  const areSeats = told.every((n) => (items[n]?.place ?? -1) >= 0);
  must(areSeats, () => "a group of what are no seats");
  if (source !== "waitlist") return;
  const seats = items.flatMap(({ place }, n) => (place >= 0 ? [n] : []));
  mustEqual("the chosen seats", told, seats, must);
}

export function checkQueued(state: ModelState, eventId: EventId, fact: Queued, must: Must): void {
  const { entry, seq, atMs } = fact;
  const { definition } = state;
  if (definition === null) return;
  const { entryId, userId, quantity } = entry;
  checkFreshId(eventId, entryId, must);
  must(!state.entryIds.has(entryId), () => `entry ${entryId} has been before`);
  mustEqual("its arrival", { seq: entry.seq, atMs: entry.atMs }, { seq, atMs }, must);
  const waits = state.line.some((other) => other.entry.userId === userId);
  must(!waits, () => `${userId} waits already`);
  must(definition.status !== "cancelled", () => "the event is cancelled");
  const { salesCloseMs, perOrderMax, perUserMax } = definition;
  must(salesCloseMs === null || atMs < salesCloseMs, () => `sales closed at ${salesCloseMs}`);
  const untilMs = churnUntilMs(state, definition.churn, userId);
  must(untilMs === null || untilMs <= atMs, () => `it must not wait before ${untilMs}`);
  const isOffered = [...state.holds.values()].some(
    (hold) => hold.userId === userId && hold.terms?.source === "waitlist" && hold.paying === null,
  );
  must(!isOffered, () => `${userId} was offered places already`);
  const most = Math.min(perOrderMax, perUserMax, PLACES_PER_HOLD_MAX);
  must(quantity >= 1 && quantity <= most, () => `it waits for ${quantity} places of ${most}`);
}

export function checkUnqueued(state: ModelState, fact: Unqueued, must: Must): void {
  const waiting = state.line.find(({ entry }) => entry.entryId === fact.entryId);
  must(waiting !== undefined, () => `entry ${fact.entryId} does not wait`);
  const owner = waiting?.entry.userId ?? fact.userId;
  must(owner === fact.userId, () => `entry ${fact.entryId} is of ${owner}`);
  if (fact.reason === "left") return;
  must(fact.reason === "closed", () => `nobody leaves because of "${fact.reason}"`);
  must(state.definition?.status === "cancelled", () => "the event is not cancelled");
  const isOver = state.holds.size === 0 && state.recorded.sold === 0;
  must(isOver, () => "the line is closed last");
}
