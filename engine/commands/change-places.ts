import { assert } from "../assert.ts";
import type { EventState } from "../event-state.ts";
import type { Block, CommandKey, Move } from "../facts.ts";
import type { UserId } from "../ids.ts";
import { BLOCKED, FREE, type Inventory, type SeatStatus } from "../inventory.ts";
import { isSeat, type Place, placeOfArea } from "../place.ts";
import { type OpenEvent, openEvent } from "../places.ts";
import type { Decision, Refusal } from "../replies.ts";
import { accept, answer, nextFact, refuse } from "./outcome.ts";

/** Places that are sold with a channel's key alone. */
export interface Allotment {
  readonly channel: string;
  /** All the seats that it is to have; others that it had return to sale. */
  readonly seats: readonly Place[];
  readonly areas: readonly { readonly area: number; readonly quantity: number }[];
}

/** What the organiser changes of what is for sale, all or nothing. */
export interface ChangePlaces {
  readonly kind: "changePlaces";
  readonly by: UserId;
  /** Seats that are free, or blocked already. */
  readonly block: readonly Place[];
  /** Seats that are blocked for nobody, or free already. */
  readonly unblock: readonly Place[];
  /** One for each channel, with each area once. */
  readonly allotments: readonly Allotment[];
  /** Of areas that no allotment in the same command names. */
  readonly capacities: readonly { readonly area: number; readonly capacity: number }[];
  readonly key: CommandKey | null;
}

export function changePlaces(state: EventState, command: ChangePlaces, nowMs: number): Decision {
  const event = openEvent(state);
  if (event === null) return refuse({ code: "event_not_found" });
  if (event.definition.status === "cancelled") return refuse({ code: "event_cancelled" });
  assertDistinct(command);
  const planned = new Plan(state, event);
  const refusal =
    planned.block(command.block) ??
    planned.unblock(command.unblock) ??
    first(command.allotments, (allotment) => planned.allot(allotment)) ??
    first(command.capacities, (change) => planned.resize(change));
  if (refusal !== null) return refuse(refusal);
  const { blocks, capacities } = planned;
  if (blocks.length === 0 && capacities.length === 0) return answer({ kind: "unchanged" });
  return accept({
    kind: "placesChanged",
    ...nextFact(state, nowMs, command.key),
    by: command.by,
    blocks,
    capacities,
    moves: planned.moves(),
  });
}

/** Asserts what the gateway's validation has promised: parts are checked one by one. */
function assertDistinct({ allotments, capacities }: ChangePlaces): void {
  const isOnce = (names: readonly (string | number)[]): boolean =>
    new Set(names).size === names.length;
  assert(isOnce(allotments.map(({ channel }) => channel)), "a channel is named once");
  assert(isOnce(capacities.map(({ area }) => area)), "a capacity changes once");
  for (const { channel, areas } of allotments) {
    assert(channel !== "", "an allotment is a channel's");
    assert(isOnce(areas.map(({ area }) => area)), "an allotment names an area once");
    const areCounts = areas.every(({ quantity }) => Number.isInteger(quantity) && quantity >= 0);
    assert(areCounts, "an allotment is a count");
  }
}

function first<Item>(
  items: readonly Item[],
  check: (item: Item) => Refusal | null,
): Refusal | null {
  for (const item of items) {
    const refusal = check(item);
    if (refusal !== null) return refusal;
  }
  return null;
}

/** What is going to change, as far as it has been found possible. */
class Plan {
  readonly blocks: Block[] = [];
  readonly capacities: { area: number; capacity: number }[] = [];
  readonly #state: EventState;
  readonly #inventory: Inventory;
  /** Seats that leave the sale, and that return to it. */
  readonly #leaving: Place[] = [];
  readonly #returning: Place[] = [];
  /** Areas' places: so many leave the sale (by > 0), or return to it. */
  readonly #areas: { place: Place; by: number }[] = [];
  /** Seats that a part of the command has dealt with. */
  readonly #touched = new Set<Place>();

  constructor(state: EventState, { inventory }: OpenEvent) {
    this.#state = state;
    this.#inventory = inventory;
  }

  block(seats: readonly Place[]): Refusal | null {
    const fresh = seats.filter((seat) => this.#state.blocks.channelOf(seat) !== "");
    return this.#keep(fresh, "");
  }

  unblock(seats: readonly Place[]): Refusal | null {
    const unknown = this.#refuseUnknown(seats);
    if (unknown !== null) return unknown;
    const { blocks } = this.#state;
    const others = seats.filter((seat) => {
      const channel = blocks.channelOf(seat);
      return channel === undefined ? this.#inventory.statusOf(seat) !== FREE : channel !== "";
    });
    if (others.length > 0) return { code: "seat_unavailable", seats: others };
    this.#giveBack(seats.filter((seat) => blocks.channelOf(seat) === ""));
    return null;
  }

  allot({ channel, seats, areas }: Allotment): Refusal | null {
    const { blocks } = this.#state;
    const wanted = new Set(seats);
    const gone = blocks
      .all()
      .filter(({ place, channel: other }) => isSeat(place) && other === channel)
      .map(({ place }) => place)
      .filter((seat) => !wanted.has(seat));
    // Held or sold through the channel: they stay its own as long as that lasts.
    const inUse = gone.filter((seat) => this.#inventory.statusOf(seat) !== BLOCKED);
    if (inUse.length > 0) return { code: "seat_unavailable", seats: inUse };
    const fresh = [...wanted].filter((seat) => blocks.channelOf(seat) !== channel);
    const refusal = this.#keep(fresh, channel);
    if (refusal !== null) return refusal;
    this.#giveBack(gone);
    return first(areas, (area) => this.#allotArea(channel, area));
  }

  #allotArea(
    channel: string,
    { area, quantity }: { readonly area: number; readonly quantity: number },
  ): Refusal | null {
    const place = placeOfArea(area);
    if (!this.#inventory.has(place)) return { code: "unknown_place", places: [place] };
    const { blocks } = this.#state;
    const inUse = blocks.inUseOf(place, channel);
    if (quantity < inUse) return { code: "capacity_in_use", area, inUse };
    const more = quantity - blocks.quantityOf(place, channel);
    const available = this.#inventory.area(area).free - this.#leavingOf(place);
    if (more > available) return { code: "insufficient_capacity", area, available };
    if (more === 0) return null;
    this.blocks.push({ place, channel, quantity });
    this.#areas.push({ place, by: more });
    return null;
  }

  resize({ area, capacity }: { area: number; capacity: number }): Refusal | null {
    const place = placeOfArea(area);
    if (!this.#inventory.has(place)) return { code: "unknown_place", places: [place] };
    const { held, sold, blocked, capacity: before } = this.#inventory.area(area);
    const inUse = held + sold + blocked + this.#leavingOf(place);
    if (capacity < inUse) return { code: "capacity_in_use", area, inUse };
    if (capacity !== before) this.capacities.push({ area, capacity });
    return null;
  }

  moves(): Move[] {
    const moves: Move[] = [];
    const add = (seats: readonly Place[], sign: 1 | -1, from: SeatStatus, to: SeatStatus): void => {
      if (seats.length > 0) moves.push({ places: seats, from, to });
      for (const { place, by } of this.#areas) {
        const times = by * sign;
        if (times > 0) moves.push({ places: [place], from, to, times });
      }
    };
    add(this.#returning, -1, BLOCKED, FREE);
    add(this.#leaving, 1, FREE, BLOCKED);
    return moves;
  }

  #keep(seats: readonly Place[], channel: string): Refusal | null {
    const unknown = this.#refuseUnknown(seats);
    if (unknown !== null) return unknown;
    const taken = seats.filter(
      (seat) => this.#touched.has(seat) || this.#inventory.statusOf(seat) !== FREE,
    );
    if (taken.length > 0) return { code: "seat_unavailable", seats: taken };
    for (const place of new Set(seats)) {
      this.#touched.add(place);
      this.blocks.push({ place, channel, quantity: 1 });
      this.#leaving.push(place);
    }
    return null;
  }

  #giveBack(seats: readonly Place[]): void {
    for (const place of new Set(seats)) {
      this.#touched.add(place);
      this.blocks.push({ place, channel: this.#state.blocks.channelOf(place) ?? "", quantity: 0 });
      this.#returning.push(place);
    }
  }

  #refuseUnknown(seats: readonly Place[]): Refusal | null {
    const unknown = seats.filter((seat) => !isSeat(seat) || !this.#inventory.has(seat));
    return unknown.length === 0 ? null : { code: "unknown_place", places: unknown };
  }

  /** Places of an area that allotments of this command take out of the sale. */
  #leavingOf(place: Place): number {
    let sum = 0;
    for (const each of this.#areas) if (each.place === place) sum += Math.max(0, each.by);
    return sum;
  }
}
