import { FifoMap } from "../../engine/fifo-map.ts";
import type { EventId } from "../../engine/ids.ts";
import { SEAT_LISTS_BYTES_MAX } from "../../engine/limits.ts";
import { etagOf } from "../http/etag.ts";

export interface SeatList {
  /** The whole answer of GET /events/{id}/seats. */
  readonly body: Buffer;
  readonly etag: string;
}

/** Where seat lists come from: the event store. */
export interface SeatListSource {
  /** A JSON list. */
  seatsTextOf(eventId: EventId): Promise<string>;
}

/**
 * Seat lists ready to send. They never change, so nothing is invalidated.
 *
 * Invariants: the kept lists have at most SEAT_LISTS_BYTES_MAX bytes together, the least recently
 * used goes first; a list is read once however many ask for it at the same time.
 */
export class SeatLists {
  readonly #source: SeatListSource;
  readonly #lists = new FifoMap<EventId, SeatList>();
  readonly #loads = new Map<EventId, Promise<SeatList>>();
  #bytes = 0;

  constructor(source: SeatListSource) {
    this.#source = source;
  }

  async get(eventId: EventId): Promise<SeatList> {
    const known = this.#lists.get(eventId);
    if (known !== undefined) {
      this.#lists.set(eventId, known);
      return known;
    }
    const load = this.#loads.get(eventId) ?? this.#load(eventId);
    this.#loads.set(eventId, load);
    return load;
  }

  async #load(eventId: EventId): Promise<SeatList> {
    try {
      const body = Buffer.from(`{"seats":${await this.#source.seatsTextOf(eventId)}}`);
      const list = { body, etag: etagOf(body) };
      this.#keep(eventId, list);
      return list;
    } finally {
      this.#loads.delete(eventId);
    }
  }

  #keep(eventId: EventId, list: SeatList): void {
    this.#lists.set(eventId, list);
    this.#bytes += list.body.length;
    while (this.#bytes > SEAT_LISTS_BYTES_MAX) {
      const oldestId = this.#lists.oldestKey();
      if (oldestId === undefined) return;
      this.#bytes -= this.#lists.get(oldestId)?.body.length ?? 0;
      this.#lists.delete(oldestId);
    }
  }
}
