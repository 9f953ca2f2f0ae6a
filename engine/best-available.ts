import { AccessibleSeats } from "./accessible-seats.ts";
import { AdjacentSeats } from "./adjacent-seats.ts";
import { assert } from "./assert.ts";
import { FreeStretches } from "./free-stretches.ts";
import { freeIn, nearestSeats } from "./nearest-seats.ts";
import { groupsOf, type Placement, type SeatGroup } from "./seat-groups.ts";
import type { SeatMap } from "./seat-map.ts";
import { SeatUnits, type UnitView } from "./seat-units.ts";
import { SplitParty } from "./split-party.ts";

/** Alternatives that a refused search offers. */
export const ALTERNATIVES_MAX = 3;

export interface SeatQuery {
  /** Seats wanted: at least 1. */
  readonly quantity: number;
  /** Index of a price category; null: any, but one for all is better than several. */
  readonly category: number | null;
  /** Index of a zone in the seat map; null: any. */
  readonly zone: number | null;
  /** Only seats side by side will do. */
  readonly adjacent: boolean;
  /** One of the party uses a wheelchair. If not, no such seat is taken. */
  readonly accessible: boolean;
  /** Asked of blocked seats only: whether this party may take one all the same. Absent: none. */
  readonly mayTake?: (seat: number) => boolean;
}

export interface SeatsFound {
  readonly kind: "found";
  /** By index; all free, or such that `mayTake` takes. */
  readonly seats: readonly number[];
  readonly groups: readonly SeatGroup[];
  /** Seats left alone, all groups together. */
  readonly orphans: number;
  /** The party does not sit side by side. */
  readonly split: boolean;
}

export interface NoSeats {
  readonly kind: "none";
  /** Seats that the party might take one by one; as many as it wants, if there are more. */
  readonly free: number;
  /** Other ways to seat the whole party, best first; they share no seat. */
  readonly alternatives: readonly (readonly SeatGroup[])[];
}

export type SeatAnswer = SeatsFound | NoSeats;

/**
 * Chooses seats for a party. In this order:
 *
 * 1. Side by side: fewest orphans, one category, nearest to the focus, least index
 *    (`AdjacentSeats`; with a wheelchair `AccessibleSeats`).
 * 2. Unless `adjacent`: in few groups near each other (`SplitParty`).
 * 3. Unless `adjacent`: the nearest seats, wherever they are.
 *
 * What 2 and 3 give is what a search that insists on adjacent seats is offered as alternatives.
 *
 * The same statuses always give the same seats, however they came about. Costs about 30 bytes a
 * seat, so an actor makes one when it is first asked for the best seats.
 *
 * Invariant: after every change of a seat's status, `touch` was called before the next `find`.
 */
export class SeatPicker {
  readonly #units: SeatUnits;
  readonly #stretches: FreeStretches;
  readonly #adjacent: AdjacentSeats;
  readonly #split: SplitParty;
  readonly #accessible: AccessibleSeats;

  /** `statuses` is the inventory's own array, not a copy. */
  constructor(map: SeatMap, seatCategories: Uint8Array, statuses: Uint8Array) {
    this.#units = new SeatUnits(map, seatCategories);
    this.#stretches = new FreeStretches(this.#units, statuses);
    this.#adjacent = new AdjacentSeats(this.#stretches);
    this.#split = new SplitParty(this.#stretches);
    this.#accessible = new AccessibleSeats(this.#stretches);
  }

  /** A seat's status has changed. One store: the work is done when somebody asks. */
  touch(seat: number): void {
    this.#stretches.touch(seat);
  }

  /** Changes nothing that could be seen: the seats are free until somebody holds them. */
  find(query: SeatQuery): SeatAnswer {
    assert(Number.isInteger(query.quantity) && query.quantity >= 1, "a party has people");
    const { mayTake } = query;
    const search = () => (query.accessible ? this.#findAccessible(query) : this.#find(query));
    return mayTake === undefined ? search() : this.#stretches.taking(mayTake, search);
  }

  #find({ quantity, category, zone, adjacent }: SeatQuery): SeatAnswer {
    const units = this.#units;
    const at = (view: UnitView): UnitView => (zone === null ? view : units.inZone(view, zone));
    const view = category === null ? units.uniform : units.ofCategory(category);
    if (view === null) return { kind: "none", free: 0, alternatives: [] };
    const uniform = at(view);
    const mixed = category === null ? at(units.mixed) : null;
    const start = this.#adjacent.find({ uniform, mixed }, quantity);
    if (start >= 0) return this.#found({ starts: [start], sizes: [quantity] });
    const whole = category === null ? at(units.whole) : uniform;
    const free = freeIn(this.#stretches, whole, quantity);
    const wanted = adjacent ? ALTERNATIVES_MAX : 1;
    const ways = free < quantity ? [] : this.#split.find(whole, quantity, wanted);
    if (ways.length < wanted && free >= quantity) {
      const search = { view: whole, count: quantity, others: ways };
      const last = nearestSeats(this.#stretches, search);
      if (last !== null) ways.push(last);
    }
    return this.#answer(ways, { free, adjacent });
  }

  #findAccessible({ quantity, category, zone, adjacent }: SeatQuery): SeatAnswer {
    const choice = { category, zone };
    const start = this.#accessible.find(choice, quantity);
    if (start >= 0) return this.#found({ starts: [start], sizes: [quantity] });
    const free = Math.min(this.#accessible.free(choice), quantity);
    const wanted = adjacent ? ALTERNATIVES_MAX : 1;
    const ways = free < quantity ? [] : this.#accessible.split(choice, quantity, wanted);
    return this.#answer(ways, { free, adjacent });
  }

  #answer(
    ways: readonly Placement[],
    { free, adjacent }: { readonly free: number; readonly adjacent: boolean },
  ): SeatAnswer {
    const [best] = ways;
    if (best !== undefined && !adjacent) return this.#found(best);
    const alternatives = ways.map((way) => groupsOf(this.#stretches, way));
    return { kind: "none", free, alternatives };
  }

  #found(placement: Placement): SeatsFound {
    const groups = groupsOf(this.#stretches, placement);
    return {
      kind: "found",
      seats: groups.flatMap((group) => group.seats),
      groups,
      orphans: groups.reduce((sum, group) => sum + group.orphans, 0),
      split: groups.length > 1,
    };
  }
}
