import { assert } from "./assert.ts";
import type { InventoryDefinition } from "./definition.ts";
import { areaIndexOf, isSeat, type Place, placeOfArea } from "./place.ts";

/** The four states of a seat, as the character that the contract shows. */
export const FREE = 0x66;
export const HELD = 0x68;
export const SOLD = 0x73;
export const BLOCKED = 0x62;
export type SeatStatus = typeof FREE | typeof HELD | typeof SOLD | typeof BLOCKED;

/** True for a byte that is one of the four statuses. */
export function isSeatStatus(byte: number): byte is SeatStatus {
  return byte === FREE || byte === HELD || byte === SOLD || byte === BLOCKED;
}

export interface AreaCounts {
  readonly capacity: number;
  readonly free: number;
  readonly held: number;
  readonly sold: number;
  readonly blocked: number;
}

/**
 * Who may sit where: one byte a seat, three counters an area. The actor's truth and the gateway's
 * copy are both this class, moved by the same facts, so they cannot come to disagree about the
 * arithmetic.
 *
 * Invariants:
 * - free + held + sold + blocked = capacity, after every move.
 * - A move names the status it leaves; leaving another one is a bug and throws.
 * - held + sold + blocked <= capacity in every area.
 */
export class Inventory {
  readonly statuses: Uint8Array;
  readonly #seatCategories: Uint8Array;
  readonly #areaCategories: Uint8Array;
  readonly #areaCapacity: Int32Array;
  readonly #areaHeld: Int32Array;
  readonly #areaSold: Int32Array;
  readonly #areaBlocked: Int32Array;
  readonly #freeByCategory: Int32Array;
  #capacity = 0;
  #free = 0;
  #held = 0;
  #sold = 0;
  #blocked = 0;

  constructor(definition: InventoryDefinition) {
    const { seatCategories, areas, categories } = definition;
    this.statuses = new Uint8Array(seatCategories.length).fill(FREE);
    this.#seatCategories = seatCategories;
    this.#areaCategories = Uint8Array.from(areas, (area) => area.category);
    this.#areaCapacity = Int32Array.from(areas, (area) => area.capacity);
    this.#areaHeld = new Int32Array(areas.length);
    this.#areaSold = new Int32Array(areas.length);
    this.#areaBlocked = new Int32Array(areas.length);
    this.#freeByCategory = new Int32Array(categories.length);
    for (const category of seatCategories) this.#addFree(category, 1);
    for (const area of areas) this.#addFree(area.category, area.capacity);
    this.#capacity = this.#free;
  }

  /** The inventory that `statuses` and `areas` describe: a copy of another inventory's view. */
  static restored(
    definition: InventoryDefinition,
    statuses: Uint8Array,
    areas: readonly AreaCounts[],
  ): Inventory {
    const inventory = new Inventory(definition);
    for (const [seat, status] of statuses.entries()) {
      assert(isSeatStatus(status), "a status is one of four");
      if (status !== FREE) inventory.move(seat, FREE, status);
    }
    for (const [index, { capacity, held, sold, blocked }] of areas.entries()) {
      inventory.setCapacity(index, capacity);
      inventory.#moveInArea(index, held, sold, blocked);
      const category = inventory.categoryOf(placeOfArea(index));
      inventory.#count(FREE, category, -(held + sold + blocked));
      inventory.#count(HELD, category, held);
      inventory.#count(SOLD, category, sold);
      inventory.#count(BLOCKED, category, blocked);
    }
    return inventory;
  }

  get seatCount(): number {
    return this.statuses.length;
  }
  get areaCount(): number {
    return this.#areaCapacity.length;
  }
  get capacity(): number {
    return this.#capacity;
  }
  get free(): number {
    return this.#free;
  }
  get held(): number {
    return this.#held;
  }
  get sold(): number {
    return this.#sold;
  }
  get blocked(): number {
    return this.#blocked;
  }

  /** Free places of a price category, seats and areas together. */
  freeIn(category: number): number {
    return this.#freeByCategory[category] ?? 0;
  }

  statusOf(seat: number): number {
    return this.statuses[seat] ?? 0;
  }

  categoryOf(place: Place): number {
    const category = isSeat(place)
      ? this.#seatCategories[place]
      : this.#areaCategories[areaIndexOf(place)];
    assert(category !== undefined, "the place exists");
    return category;
  }

  has(place: Place): boolean {
    return isSeat(place) ? place < this.seatCount : areaIndexOf(place) < this.areaCount;
  }

  area(index: number): AreaCounts {
    const capacity = this.#areaCapacity[index] ?? 0;
    const held = this.#areaHeld[index] ?? 0;
    const sold = this.#areaSold[index] ?? 0;
    const blocked = this.#areaBlocked[index] ?? 0;
    return { capacity, held, sold, blocked, free: this.freeInArea(index) };
  }

  freeInArea(index: number): number {
    const used = (this.#areaHeld[index] ?? 0) + (this.#areaSold[index] ?? 0);
    return (this.#areaCapacity[index] ?? 0) - used - (this.#areaBlocked[index] ?? 0);
  }

  /** Moves one place from one status to another; of an area, `times` of its places. */
  move(place: Place, from: SeatStatus, to: SeatStatus, times = 1): void {
    if (isSeat(place)) {
      assert(this.statuses[place] === from, "a seat leaves the status that it has");
      assert(times === 1, "there is one of each seat");
      this.statuses[place] = to;
    } else {
      this.#moveInArea(
        areaIndexOf(place),
        (to === HELD ? times : 0) - (from === HELD ? times : 0),
        (to === SOLD ? times : 0) - (from === SOLD ? times : 0),
        (to === BLOCKED ? times : 0) - (from === BLOCKED ? times : 0),
      );
    }
    const category = this.categoryOf(place);
    this.#count(from, category, -times);
    this.#count(to, category, times);
  }

  /** An area grows, or gives up places that are free. */
  setCapacity(area: number, capacity: number): void {
    const by = capacity - (this.#areaCapacity[area] ?? 0);
    assert(this.freeInArea(area) + by >= 0, "what is in use stays");
    this.#areaCapacity[area] = capacity;
    this.#capacity += by;
    this.#addFree(this.categoryOf(placeOfArea(area)), by);
  }

  /** By how much each count grows. */
  #moveInArea(area: number, byHeld: number, bySold: number, byBlocked: number): void {
    const held = (this.#areaHeld[area] ?? 0) + byHeld;
    const sold = (this.#areaSold[area] ?? 0) + bySold;
    const blocked = (this.#areaBlocked[area] ?? 0) + byBlocked;
    assert(held >= 0 && sold >= 0 && blocked >= 0, "nothing is taken away that is not there");
    const capacity = this.#areaCapacity[area] ?? 0;
    assert(held + sold + blocked <= capacity, "an area is never overfull");
    this.#areaHeld[area] = held;
    this.#areaSold[area] = sold;
    this.#areaBlocked[area] = blocked;
  }

  #count(status: SeatStatus, category: number, by: number): void {
    if (status === FREE) this.#addFree(category, by);
    else if (status === HELD) this.#held += by;
    else if (status === SOLD) this.#sold += by;
    else this.#blocked += by;
  }

  #addFree(category: number, by: number): void {
    this.#free += by;
    this.#freeByCategory[category] = (this.#freeByCategory[category] ?? 0) + by;
  }
}
