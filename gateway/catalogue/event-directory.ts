import { FifoMap } from "../../engine/fifo-map.ts";
import { type EventId, type EventTag, eventTagOf, type OrganizationId } from "../../engine/ids.ts";
import * as limits from "../../engine/limits.ts";
import { DIRECTORY_DOUBT_TTL_MS, DIRECTORY_DOUBT_WAIT_MS } from "../../engine/search-limits.ts";
import { systemClock } from "../../workers/clock.ts";
import { etagOf } from "../http/etag.ts";
import { ProblemError } from "../http/problem.ts";
import type { PriceCategory, Seat } from "./event-definition.ts";
import { isPrivate, type StoredEvent } from "./event-store.ts";
import { eventView } from "./event-view.ts";

/** What the gateway must know of an event: its rules, and the names behind the actor's numbers. */
export interface EventEntry extends StoredEvent {
  readonly seatIds: readonly string[];
  /** What is written on each seat; null: nothing. */
  readonly seatNumbers: readonly (string | null)[];
  readonly seatIndexById: ReadonlyMap<string, number>;
  /** The zones' names; a zone's position is its index in the actor's seat map. */
  readonly zoneNames: readonly string[];
  readonly rows: readonly SeatRow[];
  /** Index of each seat's row. */
  readonly seatRows: Uint32Array;
  readonly areaKeys: readonly string[];
  readonly areaIndexByKey: ReadonlyMap<string, number>;
  readonly categoryKeys: readonly string[];
  readonly categoryIndexByKey: ReadonlyMap<string, number>;
  /** As priceCategories; index order. */
  readonly categories: readonly PriceCategory[];
  /** The event as the contract shows it, and its entity tag. */
  readonly json: string;
  readonly etag: string;
}

/** What has one zone and one row name. */
export interface SeatRow {
  readonly zone: string;
  readonly name: string | null;
}

/** Where entries come from: the event store. */
export interface EventSource {
  find(eventId: EventId): Promise<StoredEvent | null>;
  findByTag(tag: EventTag): Promise<StoredEvent | null>;
  seatsOf(eventId: EventId): Promise<readonly Seat[]>;
}

interface Slot {
  readonly entry: EventEntry;
  /** When it began to be read. */
  readonly bornMs: number;
  /** Until then nobody tries to read it anew. */
  restMs: number;
  /** Used since the last search for something to let go. */
  isRecent: boolean;
}

/**
 * The events that this gateway knows, so that a booking needs no database.
 *
 * Invariants:
 * - What was never published is not kept: whatever is at hand here is for everybody.
 * - `#slots` and `#idByTag` have the same events: at most DIRECTORY_EVENTS_MAX, with at most
 *   DIRECTORY_SEATS_MAX seats together (but one event is always kept). The least recently used
 *   goes, by the second-chance approximation, since a look-up must not cost a reordering.
 * - What was loading when `forget` was called is not kept.
 * - An entry is in doubt when a change of it may have gone unheard: it was read before changes
 *   were heard again, or is older than DIRECTORY_DOUBT_TTL_MS while they are not. Such an entry is
 *   read anew as soon as somebody looks at it, and serves on while the database does not answer:
 *   what a sale needs of it (the names of its places) never changes.
 */
export class EventDirectory {
  readonly #source: EventSource;
  readonly #slots = new FifoMap<EventId, Slot>();
  readonly #idByTag = new Map<EventTag, EventId>();
  readonly #loads = new Map<EventId | EventTag, Promise<EventEntry | null>>();
  /** Ids and tags that are nobody's, and until when that is believed. */
  readonly #absent = new FifoMap<EventId | EventTag, number>();
  readonly #now: () => number;
  #seats = 0;
  /** Entries that were read before are in doubt. */
  #heardSinceMs = Number.NEGATIVE_INFINITY;
  #isDeaf = false;
  #changed: () => void = () => undefined;

  /** `now`: ms since any moment, which never run backwards. */
  constructor(source: EventSource, now: () => number = systemClock.monotonicMs) {
    this.#source = source;
    this.#now = now;
  }

  /** `changed` is told whenever events are to be read anew. */
  listen(changed: () => void): void {
    this.#changed = changed;
  }

  /** Changes by other nodes may go unheard from now on. */
  deaf(): void {
    this.#isDeaf = true;
    this.#changed();
  }

  /** Every change is heard from now on; those before may not have been. */
  hearing(): void {
    this.#isDeaf = false;
    this.#heardSinceMs = this.#now();
    this.#changed();
  }

  /** Any event may have changed. */
  forgetAll(): void {
    this.#loads.clear();
    for (const { entry } of [...this.#slots.values()]) this.#drop(entry.eventId);
    this.#changed();
  }

  /** The event when it is at hand; one that is in doubt is read anew meanwhile. */
  peek(eventId: EventId): EventEntry | undefined {
    const slot = this.#slots.get(eventId);
    if (slot === undefined) return undefined;
    slot.isRecent = true;
    if (this.#isInDoubt(slot)) this.#reread(slot).catch(() => undefined);
    return slot.entry;
  }

  peekByTag(tag: EventTag): EventEntry | undefined {
    const eventId = this.#idByTag.get(tag);
    return eventId === undefined ? undefined : this.peek(eventId);
  }

  /** The event, drafts included; null: there is none. Throws `busy` and the database's errors. */
  async get(eventId: EventId): Promise<EventEntry | null> {
    const slot = this.#slots.get(eventId);
    if (slot !== undefined && this.#isInDoubt(slot)) return this.#doubted(slot);
    return this.peek(eventId) ?? this.#load(eventId, () => this.#source.find(eventId));
  }

  async getByTag(tag: EventTag): Promise<EventEntry | null> {
    const known = this.#idByTag.get(tag);
    return known === undefined
      ? this.#load(tag, () => this.#source.findByTag(tag))
      : this.get(known);
  }

  /** The event has changed: the next look-up reads it anew. */
  forget(eventId: EventId): void {
    const tag = eventTagOf(eventId);
    for (const key of [eventId, tag]) {
      this.#loads.delete(key);
      this.#absent.delete(key);
    }
    this.#drop(eventId);
    this.#changed();
  }

  /** The organisation has changed, and with it what its events say. */
  forgetOrganization(organizationId: OrganizationId): void {
    // Whose event is still loading is not known yet.
    this.#loads.clear();
    for (const { entry } of [...this.#slots.values()]) {
      if (entry.organizationId === organizationId) this.#drop(entry.eventId);
    }
    this.#changed();
  }

  get eventCount(): number {
    return this.#slots.size;
  }

  #isInDoubt({ bornMs }: Slot): boolean {
    if (bornMs <= this.#heardSinceMs) return true;
    return this.#isDeaf && this.#now() - bornMs > DIRECTORY_DOUBT_TTL_MS;
  }

  /** Throws the database's errors. null: there is no such event any more. */
  async #reread(slot: Slot): Promise<EventEntry | null> {
    const { eventId } = slot.entry;
    if (this.#now() < slot.restMs && !this.#loads.has(eventId)) return slot.entry;
    slot.restMs = this.#now() + DIRECTORY_DOUBT_TTL_MS;
    return this.#load(eventId, () => this.#source.find(eventId));
  }

  /** As the database has it, if it says so in good time. */
  async #doubted(slot: Slot): Promise<EventEntry | null> {
    let timer: NodeJS.Timeout | undefined;
    const patience = new Promise<EventEntry>((resolve) => {
      timer = setTimeout(() => resolve(slot.entry), DIRECTORY_DOUBT_WAIT_MS);
    });
    try {
      return await Promise.race([this.#reread(slot).catch(() => slot.entry), patience]);
    } finally {
      clearTimeout(timer);
    }
  }

  async #load(
    key: EventId | EventTag,
    find: () => Promise<StoredEvent | null>,
  ): Promise<EventEntry | null> {
    const loading = this.#loads.get(key);
    if (loading !== undefined) return loading;
    if ((this.#absent.get(key) ?? 0) > this.#now()) return null;
    if (this.#loads.size >= limits.DIRECTORY_LOADS_MAX) throw new ProblemError("busy");
    const bornMs = this.#now();
    const load = this.#read(find);
    this.#loads.set(key, load);
    try {
      const entry = await load;
      // Another load under the same key, or none: this one was forgotten.
      if (this.#loads.get(key) === load) this.#keep(key, entry, bornMs);
      return entry;
    } finally {
      if (this.#loads.get(key) === load) this.#loads.delete(key);
    }
  }

  async #read(find: () => Promise<StoredEvent | null>): Promise<EventEntry | null> {
    const event = await find();
    return event === null ? null : entryOf(event, await this.#source.seatsOf(event.eventId));
  }

  #keep(key: EventId | EventTag, entry: EventEntry | null, bornMs: number): void {
    if (entry === null) {
      this.#drop(key as EventId);
      this.#absent.set(key, this.#now() + limits.DIRECTORY_ABSENT_TTL_MS);
      if (this.#absent.size <= limits.DIRECTORY_ABSENT_MAX) return;
      const oldest = this.#absent.oldestKey();
      if (oldest !== undefined) this.#absent.delete(oldest);
    } else if (!isPrivate(entry)) {
      this.#drop(entry.eventId);
      this.#slots.set(entry.eventId, { entry, bornMs, restMs: 0, isRecent: false });
      this.#idByTag.set(entry.tag, entry.eventId);
      this.#seats += entry.seatIds.length;
      this.#shrink(entry.eventId);
    }
  }

  #shrink(newest: EventId): void {
    for (;;) {
      const isFull =
        this.#slots.size > limits.DIRECTORY_EVENTS_MAX || this.#seats > limits.DIRECTORY_SEATS_MAX;
      const eventId = this.#slots.oldestKey();
      if (!isFull || this.#slots.size === 1 || eventId === undefined) return;
      const slot = this.#slots.get(eventId);
      if (slot === undefined) return;
      if (slot.isRecent || eventId === newest) {
        // Its second chance: to the end of the queue, where this loop comes by again.
        slot.isRecent = false;
        this.#slots.set(eventId, slot);
      } else {
        this.#drop(eventId);
      }
    }
  }

  #drop(eventId: EventId): void {
    const slot = this.#slots.get(eventId);
    if (slot === undefined) return;
    this.#slots.delete(eventId);
    this.#idByTag.delete(slot.entry.tag);
    this.#seats -= slot.entry.seatIds.length;
  }
}

function entryOf(event: StoredEvent, seats: readonly Seat[]): EventEntry {
  const seatIds = seats.map((seat) => seat.id);
  const areaKeys = event.areas.map((area) => area.key);
  const categoryKeys = event.priceCategories.map((category) => category.key);
  const json = JSON.stringify(eventView(event));
  return {
    ...event,
    seatIds,
    seatNumbers: seats.map((seat) => seat.number),
    seatIndexById: indexesOf(seatIds),
    ...rowsOf(seats),
    areaKeys,
    areaIndexByKey: indexesOf(areaKeys),
    categoryKeys,
    categoryIndexByKey: indexesOf(categoryKeys),
    categories: event.priceCategories,
    json,
    etag: etagOf(json),
  };
}

/** Zones in the order of their first seats, which is how the seat map numbers them. */
function rowsOf(seats: readonly Seat[]): Pick<EventEntry, "zoneNames" | "rows" | "seatRows"> {
  const rows: SeatRow[] = [];
  const indexes = new Map<string, Map<string | null, number>>();
  const seatRows = Uint32Array.from(seats, ({ zone, row: name }) => {
    const ofZone = indexes.get(zone) ?? new Map<string | null, number>();
    indexes.set(zone, ofZone);
    const known = ofZone.get(name);
    if (known !== undefined) return known;
    ofZone.set(name, rows.length);
    return rows.push({ zone, name }) - 1;
  });
  return { zoneNames: [...indexes.keys()], rows, seatRows };
}

function indexesOf(names: readonly string[]): Map<string, number> {
  const indexes = new Map<string, number>();
  for (let index = 0; index < names.length; index += 1) indexes.set(names[index] ?? "", index);
  return indexes;
}
