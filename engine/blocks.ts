import { assert } from "./assert.ts";
import type { Block } from "./facts.ts";
import { isSeat, type Place } from "./place.ts";

/**
 * What the organiser keeps from the sale: seats blocked for nobody, and allotments, which are sold
 * with their channel's key alone.
 *
 * Invariants:
 * - A seat is kept for one channel at most, with quantity 1; an area only for channels, not "".
 * - Of an area's places that are kept for a channel, those held and sold through it are in use;
 *   they are never more.
 * - A kept seat is `blocked` or, sold through its channel, held or sold. It returns to `blocked`.
 */
export class Blocks {
  readonly #seats = new Map<Place, string>();
  readonly #areas = new Map<Place, Map<string, number>>();
  readonly #inUse = new Map<Place, Map<string, number>>();

  /** The channel that a seat is kept for; undefined: it is not. */
  channelOf(seat: Place): string | undefined {
    return this.#seats.get(seat);
  }

  /** Places of an area that are kept for a channel, those in use included. */
  quantityOf(area: Place, channel: string): number {
    return this.#areas.get(area)?.get(channel) ?? 0;
  }

  /** Of these, those that nobody has. */
  leftOf(area: Place, channel: string): number {
    return this.quantityOf(area, channel) - this.inUseOf(area, channel);
  }

  inUseOf(area: Place, channel: string): number {
    return this.#inUse.get(area)?.get(channel) ?? 0;
  }

  /** Places of an area's allotment were taken (by > 0) or given back. */
  use(area: Place, channel: string, by: number): void {
    const channels = this.#inUse.get(area) ?? new Map<string, number>();
    const count = (channels.get(channel) ?? 0) + by;
    assert(count >= 0, "what is given back was in use");
    channels.set(channel, count);
    this.#inUse.set(area, channels);
  }

  set({ place, channel, quantity }: Block): void {
    if (isSeat(place)) {
      if (quantity === 0) this.#seats.delete(place);
      else this.#seats.set(place, channel);
      return;
    }
    assert(channel !== "", "an area is kept for a channel");
    const channels = this.#areas.get(place) ?? new Map<string, number>();
    if (quantity === 0) channels.delete(channel);
    else channels.set(channel, quantity);
    this.#areas.set(place, channels);
  }

  all(): Block[] {
    return [
      ...Array.from(this.#seats, ([place, channel]) => ({ place, channel, quantity: 1 })),
      ...Array.from(this.#areas, ([place, channels]) =>
        Array.from(channels, ([channel, quantity]) => ({ place, channel, quantity })),
      ).flat(),
    ];
  }
}
