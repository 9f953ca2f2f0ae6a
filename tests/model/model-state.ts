import type { InventoryDefinition } from "../../engine/definition.ts";
import type { BookingRecord, Cancelled, Fact } from "../../engine/facts.ts";
import type { ActiveHold } from "../../engine/hold-book.ts";
import type { BookingId, HoldId, UserId } from "../../engine/ids.ts";
import type { AreaCounts } from "../../engine/inventory.ts";
import { ENDED_HOLDS_PER_EVENT_MAX } from "../../engine/limits.ts";
import type { Place, PlaceItem } from "../../engine/place.ts";
import { unreachable } from "../../engine/unreachable.ts";
import { DueList } from "./due-list.ts";

/** Free, held, sold. */
export type SeatLetter = "f" | "h" | "s";

export interface ModelEnd {
  readonly holdId: HoldId;
  readonly userId: UserId;
  readonly end: "released" | "expired" | "booked";
  /** Set when `end` is `booked`. */
  readonly bookingId: BookingId | null;
  /** seq and time of the fact that ended it. */
  readonly seq: number;
  readonly atMs: number;
  /** How many holds of the event had ended with it. */
  readonly ordinal: number;
}

export interface ModelBooking {
  readonly record: BookingRecord;
  readonly seq: number;
  readonly cancelled: Cancelled | null;
}

export const seatOf = (place: Place): number | null => (place >= 0 ? place : null);
export const areaOf = (place: Place): number => -place - 1;

/** The areas' counts, in their order. */
export function areasOf({ definition, areas }: ModelState): AreaCounts[] {
  return areas.map(({ held, sold }, index) => {
    const capacity = definition?.areas[index]?.capacity ?? 0;
    return { capacity, free: capacity - held - sold, held, sold };
  });
}

/**
 * What the facts so far amount to, in the plainest form. Facts are taken in whether they are legal
 * or not; whether they are is the business of fact-rules.ts.
 *
 * Invariants, as long as all facts were legal:
 * - A seat's letter says what the holds and bookings say of it, and so do an area's counters.
 * - A hold id is in `holds` or in `ends`, never in both; nothing is ever taken out of `ends`.
 */
export class ModelState {
  seq = 0;
  lastMs = 0;
  definition: InventoryDefinition | null = null;
  seats: SeatLetter[] = [];
  areas: { held: number; sold: number }[] = [];
  holds = new Map<HoldId, ActiveHold>();
  due = new DueList();
  ends = new Map<HoldId, ModelEnd>();
  bookings = new Map<BookingId, ModelBooking>();
  ticketCodes = new Set<string>();
  placesByUser = new Map<UserId, number>();
  /** Every fact, in order. */
  facts: Fact[] = [];
  /** The last fact that was the outcome of a key, by the key's digest, in the order of time. */
  outcomes = new Map<string, Fact>();
  /** Places by what the seats and areas say. */
  placed = { free: 0, held: 0, sold: 0 };
  /** Places by what the holds and bookings say. */
  recorded = { held: 0, sold: 0 };
  /** seq at which the actor was last built again from rows; 0: never. */
  reloadedSeq = 0;
  /** Rows of holds that had ended before this may have been purged when it was; Unix ms. */
  purgedBeforeMs = Number.NEGATIVE_INFINITY;

  take(fact: Fact): void {
    this.seq = fact.seq;
    this.lastMs = Math.max(this.lastMs, fact.atMs);
    this.facts[fact.seq - 1] = fact;
    if (fact.key !== null) {
      // Taken out first, so that the map stays in the order of time.
      this.outcomes.delete(fact.key.digest);
      this.outcomes.set(fact.key.digest, fact);
    }
    switch (fact.kind) {
      case "configured":
        return this.#configure(fact.definition);
      case "held":
        return this.#hold(fact);
      case "extended": {
        const { holdId, expiresAtMs, seq } = fact;
        const hold = this.#dropHold(holdId);
        if (hold !== undefined) this.#putHold({ ...hold, expiresAtMs, seq, extended: true });
        return;
      }
      case "holdEnded": {
        const { holdId, userId, reason, seq, atMs, items } = fact;
        this.#end({ holdId, userId, end: reason, bookingId: null, seq, atMs });
        this.#count(userId, -items.length);
        return this.#move(items, "h", "f");
      }
      case "booked":
        return this.#book(fact.booking, fact);
      case "cancelled":
        return this.#cancel(fact);
      default:
        return unreachable(fact);
    }
  }

  /** The price category of a place; undefined: there is no such place. */
  categoryOf(place: Place): number | undefined {
    const seat = seatOf(place);
    return seat === null
      ? this.definition?.areas[areaOf(place)]?.category
      : this.definition?.seatCategories[seat];
  }

  freeInArea(area: number): number {
    const counts = this.areas[area] ?? { held: 0, sold: 0 };
    return (this.definition?.areas[area]?.capacity ?? 0) - counts.held - counts.sold;
  }

  /** Whether an actor that was never built again would still know how this hold ended. */
  isAmongLastEnds({ ordinal }: ModelEnd): boolean {
    return this.ends.size - ordinal < ENDED_HOLDS_PER_EVENT_MAX;
  }

  /**
   * An independent copy. Facts, holds, ends and bookings are shared: they are replaced, not
   * changed.
   */
  clone(): ModelState {
    const copy = new ModelState();
    Object.assign(copy, this);
    copy.seats = [...this.seats];
    copy.areas = this.areas.map((area) => ({ ...area }));
    copy.holds = new Map(this.holds);
    copy.due = new DueList();
    for (const hold of this.holds.values()) copy.due.add(hold.holdId, hold.expiresAtMs);
    copy.ends = new Map(this.ends);
    copy.bookings = new Map(this.bookings);
    copy.ticketCodes = new Set(this.ticketCodes);
    copy.placesByUser = new Map(this.placesByUser);
    copy.facts = [...this.facts];
    copy.outcomes = new Map(this.outcomes);
    copy.placed = { ...this.placed };
    copy.recorded = { ...this.recorded };
    return copy;
  }

  #configure(definition: InventoryDefinition): void {
    if (this.definition === null) {
      this.seats = Array.from(definition.seatCategories, () => "f");
      this.areas = definition.areas.map(() => ({ held: 0, sold: 0 }));
      const inAreas = definition.areas.reduce((sum, area) => sum + area.capacity, 0);
      this.placed.free = this.seats.length + inAreas;
    }
    this.definition = definition;
  }

  #hold({ holdId, userId, items, expiresAtMs, seq, atMs }: Extract<Fact, { kind: "held" }>): void {
    this.#dropHold(holdId);
    const createdAtMs = atMs;
    this.#putHold({ holdId, userId, items, createdAtMs, expiresAtMs, extended: false, seq });
    this.#count(userId, items.length);
    this.#move(items, "f", "h");
  }

  #book(record: BookingRecord, { seq, atMs }: Fact): void {
    const { bookingId, holdId, userId, items, ticketCodes } = record;
    this.#end({ holdId, userId, end: "booked", bookingId, seq, atMs });
    this.bookings.set(bookingId, { record, seq, cancelled: null });
    for (const code of ticketCodes) this.ticketCodes.add(code);
    this.recorded.sold += items.length;
    this.#move(items, "h", "s");
  }

  #cancel(fact: Extract<Fact, { kind: "cancelled" }>): void {
    const { booking: record, seq } = fact;
    const known = this.bookings.get(record.bookingId);
    if (known?.cancelled === null) this.recorded.sold -= known.record.items.length;
    this.bookings.set(record.bookingId, { ...(known ?? { record, seq }), cancelled: fact });
    this.#count(record.userId, -record.items.length);
    this.#move(record.items, "s", "f");
  }

  #putHold(hold: ActiveHold): void {
    this.holds.set(hold.holdId, hold);
    this.due.add(hold.holdId, hold.expiresAtMs);
    this.recorded.held += hold.items.length;
  }

  #dropHold(holdId: HoldId): ActiveHold | undefined {
    const hold = this.holds.get(holdId);
    if (hold === undefined) return undefined;
    this.holds.delete(holdId);
    this.due.remove(holdId, hold.expiresAtMs);
    this.recorded.held -= hold.items.length;
    return hold;
  }

  #end(end: Omit<ModelEnd, "ordinal">): void {
    this.#dropHold(end.holdId);
    this.ends.set(end.holdId, { ...end, ordinal: this.ends.size + 1 });
  }

  #count(userId: UserId, by: number): void {
    this.placesByUser.set(userId, (this.placesByUser.get(userId) ?? 0) + by);
  }

  /** A seat gets the letter that the fact gives it, whatever it had; areas only count. */
  #move(items: readonly PlaceItem[], from: SeatLetter, to: SeatLetter): void {
    for (const { place } of items) {
      const seat = seatOf(place);
      if (seat === null) {
        const area = this.areas[areaOf(place)];
        if (area === undefined) continue;
        if (from !== "f") area[NAMES[from]] -= 1;
        if (to !== "f") area[NAMES[to]] += 1;
        this.placed[NAMES[from]] -= 1;
      } else {
        const letter = this.seats[seat];
        if (letter === undefined) continue;
        this.seats[seat] = to;
        this.placed[NAMES[letter]] -= 1;
      }
      this.placed[NAMES[to]] += 1;
    }
  }
}

const NAMES = { f: "free", h: "held", s: "sold" } as const;
