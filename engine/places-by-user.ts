import { assert } from "./assert.ts";
import type { UserId } from "./ids.ts";
import { OrderedRecords } from "./ordered-records.ts";

interface OwnedPlaces {
  readonly userId: UserId;
  places: number;
}

const buyerOf = ({ userId }: OwnedPlaces): UserId => userId;

/**
 * How many places of one event each buyer holds or owns.
 *
 * Invariant: who has none is not in it.
 */
export class PlacesByUser {
  readonly #owned = new OrderedRecords<OwnedPlaces>(buyerOf);

  /** Buyers who have places. */
  get size(): number {
    return this.#owned.size;
  }

  get(userId: UserId): number {
    return this.#owned.get(userId)?.places ?? 0;
  }

  /** The buyer has so many more, or fewer. */
  add(userId: UserId, count: number): void {
    const owned = this.#owned.get(userId);
    const places = (owned?.places ?? 0) + count;
    assert(places >= 0, "a buyer's places never fall below none");
    if (owned === undefined) {
      if (places > 0) this.#owned.put({ userId, places });
    } else if (places === 0) this.#owned.delete(userId);
    else owned.places = places;
  }

  *[Symbol.iterator](): Iterator<readonly [UserId, number]> {
    for (const { userId, places } of this.#owned.all()) yield [userId, places];
  }
}
