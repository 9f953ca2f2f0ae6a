import { type EventId, type EventTag, eventTagOf } from "../../engine/ids.ts";
import type { ScopedRows } from "../tenancy/database.ts";
import { namedEvent } from "../tenancy/scope.ts";
import type { Seat } from "./event-definition.ts";
import type { EventSource } from "./event-directory.ts";
import { EventStore, type StoredEvent } from "./event-store.ts";
import type { SeatListSource } from "./seat-lists.ts";

/**
 * Events for what the gateway keeps of them, whoever asks: each look-up sees the one event that it
 * names, and nothing else that is not public. Who may see a draft the routes decide.
 */
export class NamedEvents implements EventSource, SeatListSource {
  readonly #database: ScopedRows;

  constructor(database: ScopedRows) {
    this.#database = database;
  }

  find(eventId: EventId): Promise<StoredEvent | null> {
    return this.#of(eventTagOf(eventId)).find(eventId);
  }

  findByTag(tag: EventTag): Promise<StoredEvent | null> {
    return this.#of(tag).findByTag(tag);
  }

  seatsOf(eventId: EventId): Promise<readonly Seat[]> {
    return this.#of(eventTagOf(eventId)).seatsOf(eventId);
  }

  seatsTextOf(eventId: EventId): Promise<string> {
    return this.#of(eventTagOf(eventId)).seatsTextOf(eventId);
  }

  #of(tag: EventTag): EventStore {
    return new EventStore(this.#database, namedEvent(tag));
  }
}
