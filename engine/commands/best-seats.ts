import type { SeatAnswer, SeatPicker, SeatQuery } from "../best-available.ts";
import type { EventState } from "../event-state.ts";
import { HELD } from "../inventory.ts";
import { isSeat, type Place, placeOfArea } from "../place.ts";
import { availableIn, type OpenEvent } from "../places.ts";
import type { Refusal } from "../replies.ts";
import type { ChosenGroup } from "../terms.ts";

/** Places that the engine is to choose. */
export type BestWanted = Omit<SeatQuery, "mayTake">;

export interface Chosen {
  readonly places: readonly Place[];
  /** Positions count from the places that were asked for by name. */
  readonly groups: readonly ChosenGroup[];
}

interface ChoosingHold {
  readonly places: readonly Place[];
  readonly best: readonly BestWanted[];
  readonly channel: string | null;
}

/** Chooses for each wish in turn, beside the places that the hold asks for by name. */
export function chooseSeats(
  state: EventState,
  event: OpenEvent,
  { places, best, channel }: ChoosingHold,
): Chosen | Refusal {
  const chosen: Place[] = [];
  const groups: ChosenGroup[] = [];
  for (const wanted of best) {
    const found = choosePlaces(state, event, wanted, { taken: [...places, ...chosen], channel });
    if ("code" in found) return found;
    chosen.push(...found.places);
    groups.push(...found.groups);
  }
  return { places: chosen, groups };
}

interface Around {
  /** Places that are free, but not for this wish. */
  readonly taken: readonly Place[];
  /** Its allotment will do as well; null: none. */
  readonly channel: string | null;
}

/** Seats, however they lie, before standing places. */
export function choosePlaces(
  state: EventState,
  event: OpenEvent,
  wanted: BestWanted,
  { taken, channel }: Around,
): Chosen | Refusal {
  const { blocks, picker } = state;
  const mayTake =
    channel === null ? {} : { mayTake: (seat: Place) => blocks.channelOf(seat) === channel };
  const find = () => picker.find({ ...wanted, ...mayTake });
  const found = without(taken.filter(isSeat), event.inventory.statuses, picker, find);
  if (found.kind === "found") {
    let from = taken.length;
    const groups = found.groups.map(({ seats, distance, orphans }) => {
      const count = seats.length;
      const group = { from, count, distance: Math.round(distance / count), orphans };
      from += count;
      return group;
    });
    return { places: found.groups.flatMap(({ seats }) => seats), groups };
  }
  const { category, quantity } = wanted;
  const { free, alternatives } = found;
  if (free >= quantity) {
    const seats = alternatives.map((groups) => groups.map((group) => group.seats));
    return { code: "no_adjacent_seats", alternatives: seats };
  }
  const area = roomiestArea(state, event, wanted, { taken, channel });
  if (area.available >= quantity) {
    return { places: Array.from({ length: quantity }, () => area.place), groups: [] };
  }
  return { code: "too_few_places", category, available: Math.max(free, area.available) };
}

/** The search while these seats look taken; afterwards everything is as it was. */
function without(
  seats: readonly Place[],
  statuses: Uint8Array,
  picker: SeatPicker,
  find: () => SeatAnswer,
): SeatAnswer {
  const before = seats.map((seat) => statuses[seat] ?? 0);
  const put = (status: (index: number) => number): void => {
    for (const [index, seat] of seats.entries()) {
      statuses[seat] = status(index);
      picker.touch(seat);
    }
  };
  put(() => HELD);
  try {
    return find();
  } finally {
    put((index) => before[index] ?? 0);
  }
}

/**
 * Where nobody is assigned a seat, any place is as good as another: of the areas that would do, the
 * first with room for all, or else the one with most. Who comes by a channel that has an allotment
 * of the area has its places of there, and no others.
 */
function roomiestArea(
  state: EventState,
  { definition, inventory }: OpenEvent,
  { quantity, category, zone, accessible }: BestWanted,
  { taken, channel }: Around,
): { readonly place: Place; readonly available: number } {
  let best = { place: placeOfArea(0), available: 0 };
  if (zone !== null || accessible) return best;
  for (const [index, area] of definition.areas.entries()) {
    if (category !== null && area.category !== category) continue;
    const place = placeOfArea(index);
    const used = taken.reduce((sum, other) => sum + (other === place ? 1 : 0), 0);
    const available = availableIn(state, inventory, place, channel) - used;
    if (available > best.available) best = { place, available };
    if (available >= quantity) break;
  }
  return best;
}
