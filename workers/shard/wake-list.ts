import type { EventId } from "../../engine/ids.ts";
import type { Shard } from "./shard.ts";

/**
 * Events that had something to do at the start and whose actors have not been loaded yet. What was
 * due while nobody was there happens when its actor is loaded.
 *
 * Invariant: who waits for the list to be done waits exactly until it is empty.
 */
export class WakeList {
  readonly #shards = new Map<EventId, Shard>();
  #waiting: (() => void)[] = [];

  add(eventId: EventId, shard: Shard): void {
    this.#shards.set(eventId, shard);
  }

  entries(): Iterable<[EventId, Shard]> {
    return this.#shards;
  }

  loaded(eventId: EventId): void {
    if (!this.#shards.delete(eventId) || this.#shards.size > 0) return;
    for (const resolve of this.#waiting.splice(0)) resolve();
  }

  whenDone(): Promise<void> {
    if (this.#shards.size === 0) return Promise.resolve();
    return new Promise((resolve) => this.#waiting.push(resolve));
  }
}
