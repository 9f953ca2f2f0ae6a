import { assert } from "../assert.ts";
import type { EventState } from "../event-state.ts";
import type { CommandKey } from "../facts.ts";
import type { HoldId, UserId } from "../ids.ts";
import { HOLDS_PER_EVENT_MAX } from "../limits.ts";
import type { Place } from "../place.ts";
import {
  keptAmong,
  openEvent,
  refuseByChurn,
  refuseByLimits,
  refuseByPlaces,
  refuseBySale,
} from "../places.ts";
import { priced } from "../pricing.ts";
import { findPromo, refusalByPlaces } from "../promo-codes.ts";
import type { Decision } from "../replies.ts";
import type { ChosenGroup, HoldTerms } from "../terms.ts";
import { type BestWanted, chooseSeats } from "./best-seats.ts";
import { accept, refuse } from "./outcome.ts";

/** Holds all the places, or none. A place of an area appears once for each unit wanted. */
export interface Hold {
  readonly kind: "hold";
  /** Fresh; the ids after it are reserved for the items. */
  readonly holdId: HoldId;
  readonly userId: UserId;
  readonly places: readonly Place[];
  /** Seats that the engine is to choose, besides. */
  readonly best: readonly BestWanted[];
  /** Normalised; null: none. */
  readonly promoCode: string | null;
  /** The key of an allotment's channel; null: none. */
  readonly channel: string | null;
  readonly key: CommandKey | null;
}

export function hold(state: EventState, command: Hold, nowMs: number): Decision {
  const event = openEvent(state);
  if (event === null) return refuse({ code: "event_not_found" });
  const { definition, inventory } = event;
  const { userId, channel, key } = command;
  const count = countOf(command);
  assert(count > 0, "a hold has places");
  const refusal =
    refuseBySale(definition, nowMs) ??
    refuseByChurn(state, definition, { userId, nowMs }) ??
    refuseByLimits(state, definition, { userId, inOrder: count, more: count }) ??
    refuseByPlaces(state, inventory, command.places, channel);
  if (refusal !== null) return refuse(refusal);
  if (state.holds.count >= HOLDS_PER_EVENT_MAX) return refuse({ code: "busy" });
  const chosen = command.best.length === 0 ? NOTHING_CHOSEN : chooseSeats(state, event, command);
  if ("code" in chosen) return refuse(chosen);
  const places = command.best.length === 0 ? command.places : [...command.places, ...chosen.places];
  const promo =
    command.promoCode === null ? undefined : findPromo(definition.promoCodes, command.promoCode);
  if (command.promoCode !== null) {
    const invalid = state.promoUses.refusalOf(promo, userId, nowMs);
    if (invalid !== null) return refuse(invalid);
  }
  if (promo !== undefined) {
    const categories = places.map((place) => inventory.categoryOf(place));
    const inapplicable = refusalByPlaces(promo, categories);
    if (inapplicable !== null) return refuse(inapplicable);
  }
  const terms = termsOf(state, command, places, chosen.groups);
  // Member by member: the hottest fact of all, and spreading costs as much as all the rest of it.
  return accept({
    kind: "held",
    seq: state.seq + 1,
    atMs: nowMs,
    key,
    holdId: command.holdId,
    userId,
    items: places.map((place) => priced(definition, inventory, place, promo)),
    ordinals: null,
    terms,
    expiresAtMs: nowMs + definition.holdTtlMs,
  });
}

const NOTHING_CHOSEN = { places: [], groups: [] } as const;

function countOf({ places, best }: Hold): number {
  let count = places.length;
  for (const { quantity } of best) count += quantity;
  return count;
}

/** null: plain ones, which most holds have. */
function termsOf(
  state: EventState,
  { channel, promoCode }: Hold,
  places: readonly Place[],
  chosen: readonly ChosenGroup[],
): HoldTerms | null {
  if (channel === null && promoCode === null && chosen.length === 0) return null;
  const kept = keptAmong(state, places, channel);
  return { source: "buyer", entryId: null, promoCode, channel, kept, chosen };
}
