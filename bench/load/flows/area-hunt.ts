import type { FaultList } from "../fault-list.ts";
import { codeOf } from "../refusals.ts";
import { type Attempt, type PlaceHunt, partySize } from "./attempt.ts";

export interface AreaHuntOptions {
  readonly area: string | null;
  readonly capacity: number;
  readonly faults: FaultList;
}

/** Buyers who ask for places of an area, of which any is as good as another. */
export class AreaHunt implements PlaceHunt {
  readonly #options: AreaHuntOptions;
  /** Places that were ever asked for: no more are held or sold. */
  #asked = 0;

  constructor(options: AreaHuntOptions) {
    this.#options = options;
  }

  sizeOf(chance: number): number {
    return partySize(chance);
  }

  attempt(size: number): Attempt {
    this.#asked += size;
    const nothing = (): void => undefined;
    return {
      stream: 0,
      items: JSON.stringify([{ area: this.#options.area, quantity: size }]),
      count: size,
      askedMs: performance.now(),
      held: () => Array.from({ length: size }, () => -1),
      refused: (body) => this.#refused(body),
      again: () => null,
      booking: nothing,
      releasing: nothing,
      booked: nothing,
      released: nothing,
      expired: nothing,
      lost: nothing,
    };
  }

  checks(): readonly [] {
    return [];
  }

  /** Not where there is room, as far as this load knows. */
  #refused(body: string): false {
    const { capacity, faults } = this.#options;
    const isTrue = codeOf(body) === "insufficient_capacity" && this.#asked > capacity;
    if (!isTrue) faults.add(`what could be had was refused: ${body.slice(0, 200)}`);
    return false;
  }
}
