import { type Fact, movesOf, type PlacesChanged } from "../../engine/facts.ts";
import type { EventId } from "../../engine/ids.ts";
import { BLOCKED, FREE, HELD, SOLD } from "../../engine/inventory.ts";
import { areaIndexOf, isSeat } from "../../engine/place.ts";
import type { PlainHold } from "../store/plain-hold.ts";
import type { AreaChange } from "./effects.ts";

interface Counts {
  held: number;
  sold: number;
  blocked: number;
  capacity: number | null;
}

/** How the areas of one event change in a run of facts, and how many of its seats are free. */
export class AreaFold {
  readonly #areas = new Map<number, Counts>();
  #seatsFree = 0;

  /** Seats that are free after the run, less those that were before it. */
  get seatsFree(): number {
    return this.#seatsFree;
  }

  changes(eventId: EventId): AreaChange[] {
    const changes: AreaChange[] = [];
    for (const [area, counts] of this.#areas) {
      const { held, sold, blocked, capacity } = counts;
      if (held === 0 && sold === 0 && blocked === 0 && capacity === null) continue;
      changes.push({ eventId, area, ...counts });
    }
    return changes;
  }

  count(fact: Fact): void {
    for (const { places, from, to, times = 1 } of movesOf(fact)) {
      const held = (to === HELD ? times : 0) - (from === HELD ? times : 0);
      const sold = (to === SOLD ? times : 0) - (from === SOLD ? times : 0);
      const blocked = (to === BLOCKED ? times : 0) - (from === BLOCKED ? times : 0);
      const free = (to === FREE ? 1 : 0) - (from === FREE ? 1 : 0);
      for (const place of places) {
        if (isSeat(place)) {
          this.#seatsFree += free;
          continue;
        }
        const counts = this.#of(areaIndexOf(place));
        counts.held += held;
        counts.sold += sold;
        counts.blocked += blocked;
      }
    }
  }

  /** What `count` makes of the same fact: its places were free. */
  countPlain(hold: PlainHold): void {
    hold.forEachPlace((place) => {
      if (isSeat(place)) this.#seatsFree -= 1;
      else this.#of(areaIndexOf(place)).held += 1;
    });
  }

  resize({ capacities }: PlacesChanged): void {
    for (const { area, capacity } of capacities) this.#of(area).capacity = capacity;
  }

  #of(area: number): Counts {
    let counts = this.#areas.get(area);
    if (counts === undefined) {
      counts = { held: 0, sold: 0, blocked: 0, capacity: null };
      this.#areas.set(area, counts);
    }
    return counts;
  }
}
