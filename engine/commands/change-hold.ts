import type { EventState } from "../event-state.ts";
import { type CommandKey, movesFreeing, movesTaking } from "../facts.ts";
import type { ActiveHold } from "../hold-book.ts";
import { findHold } from "../holds.ts";
import { type HoldId, type ItemId, itemIdOf, type UserId } from "../ids.ts";
import { HELD } from "../inventory.ts";
import { ITEM_IDS_PER_HOLD } from "../limits.ts";
import { areaIndexOf, isSeat, type Place, type PlaceItem } from "../place.ts";
import {
  keptAmong,
  type OpenEvent,
  openEvent,
  refuseByLimits,
  refuseByPlaces,
  refuseBySale,
} from "../places.ts";
import { priced } from "../pricing.ts";
import { findPromo } from "../promo-codes.ts";
import type { Decision, Refusal } from "../replies.ts";
import type { HoldTerms } from "../terms.ts";
import { accept, nextFact, refuse } from "./outcome.ts";

/** Drops items from a hold, adds places to it, or both, and loses nothing of the rest. */
export interface ChangeHold {
  readonly kind: "changeHold";
  readonly holdId: HoldId;
  readonly userId: UserId;
  readonly add: readonly Place[];
  readonly drop: readonly ItemId[];
  readonly key: CommandKey | null;
}

export function changeHold(state: EventState, command: ChangeHold, nowMs: number): Decision {
  const event = openEvent(state);
  if (event === null) return refuse({ code: "hold_not_found" });
  const found = findHold(state, command.holdId, command.userId);
  if ("code" in found) return refuse(found);
  if (found.paying !== null) return refuse({ code: "hold_paying", bookingId: found.paying });
  const unknown = command.drop.filter((id) => !indexesOf(found).has(id));
  if (unknown.length > 0) return refuse({ code: "item_not_found", items: unknown });
  const dropped = new Set(command.drop.map((id) => indexesOf(found).get(id)));
  const stays = found.items.map((_, index) => index).filter((index) => !dropped.has(index));
  if (stays.length + command.add.length === 0) return refuse({ code: "hold_would_be_empty" });
  const refusal = refuseAdding(state, event, command, { found, stays, nowMs });
  if (refusal !== null) return refuse(refusal);
  const { holdId, userId, expiresAtMs, extended } = found;
  const { contents, gone, added } = changed(state, event, command, { found, stays });
  const moves = [
    ...movesFreeing(gone, found.terms, HELD),
    ...movesTaking(added, contents.terms, HELD),
  ];
  const fact = { holdId, userId, ...contents, expiresAtMs, extended, moves };
  return accept({ kind: "holdChanged", ...nextFact(state, nowMs, command.key), ...fact });
}

interface Rest {
  readonly found: ActiveHold;
  /** Positions of the items that stay. */
  readonly stays: readonly number[];
}

function refuseAdding(
  state: EventState,
  { definition, inventory }: OpenEvent,
  { add, userId }: ChangeHold,
  { found, stays, nowMs }: Rest & { readonly nowMs: number },
): Refusal | null {
  if (add.length === 0) return null;
  const inOrder = stays.length + add.length;
  const more = inOrder - found.items.length;
  const last = Math.max(...found.items.map((_, index) => ordinalOf(found, index)));
  if (last + add.length >= ITEM_IDS_PER_HOLD) return { code: "hold_changed_too_often" };
  return (
    refuseBySale(definition, nowMs) ??
    refuseByLimits(state, definition, { userId, inOrder, more }) ??
    refuseByPlaces(state, inventory, add, found.terms?.channel ?? null) ??
    refuseMixing(state, found, add)
  );
}

/** An area's places in a hold are all the channel's, or none: an allotment may have come later. */
function refuseMixing(
  state: EventState,
  { items, terms }: ActiveHold,
  add: readonly Place[],
): Refusal | null {
  for (const place of keptAmong(state, add, terms?.channel ?? null)) {
    const isMixed = items.some((item) => item.place === place) && !terms?.kept.includes(place);
    if (isMixed && !isSeat(place)) {
      return { code: "insufficient_capacity", area: areaIndexOf(place), available: 0 };
    }
  }
  return null;
}

interface Changed {
  readonly contents: Pick<ActiveHold, "items" | "ordinals" | "terms">;
  readonly gone: readonly PlaceItem[];
  readonly added: readonly PlaceItem[];
}

function changed(
  state: EventState,
  { definition, inventory }: OpenEvent,
  { add }: ChangeHold,
  { found, stays }: Rest,
): Changed {
  const { items, terms } = found;
  const code = terms?.promoCode ?? null;
  const promo = code === null ? undefined : findPromo(definition.promoCodes, code);
  const added = add.map((place) => priced(definition, inventory, place, promo));
  const last = Math.max(...items.map((_, index) => ordinalOf(found, index)));
  const staying = items.filter((_, index) => stays.includes(index));
  const contents = {
    items: [...staying, ...added],
    ordinals: [
      ...stays.map((index) => ordinalOf(found, index)),
      ...added.map((_, n) => last + 1 + n),
    ],
    terms: termsAfter(state, terms, staying, add),
  };
  return { contents, gone: items.filter((_, index) => !stays.includes(index)), added };
}

/** The engine's choice is not what it was; an allotment's places are those that are in it now. */
function termsAfter(
  state: EventState,
  terms: HoldTerms | null,
  staying: readonly PlaceItem[],
  add: readonly Place[],
): HoldTerms | null {
  if (terms === null) return null;
  const kept = [
    ...terms.kept.filter((place) => staying.some((item) => item.place === place)),
    ...keptAmong(state, add, terms.channel),
  ];
  // Without a channel nothing is kept.
  const isPlain = terms.source === "buyer" && terms.promoCode === null && terms.channel === null;
  return isPlain ? null : { ...terms, kept: [...new Set(kept)], chosen: [] };
}

const ordinalOf = ({ ordinals }: ActiveHold, index: number): number => ordinals?.[index] ?? index;

function indexesOf(hold: ActiveHold): Map<ItemId, number> {
  return new Map(
    hold.items.map((_, index) => [itemIdOf(hold.holdId, ordinalOf(hold, index)), index]),
  );
}
