import type { BookingRecord, BookingStatus, TicketFate } from "../../engine/booking.ts";
import type { InventoryDefinition } from "../../engine/definition.ts";
import type { Fact } from "../../engine/facts.ts";
import type { ActiveHold, EndedHold } from "../../engine/hold-book.ts";
import type { BookingId, HoldId, IntentId, UserId } from "../../engine/ids.ts";
import type { AreaCounts } from "../../engine/inventory.ts";
import { ENDED_HOLDS_PER_EVENT_MAX } from "../../engine/limits.ts";
import type { Place, PlaceItem } from "../../engine/place.ts";
import type { HoldTerms } from "../../engine/terms.ts";
import { unreachable } from "../../engine/unreachable.ts";
import type { Waiting } from "../../engine/waitlist.ts";
import { DueList } from "./due-list.ts";

/** Free, held, sold, blocked. */
export type SeatLetter = "f" | "h" | "s" | "b";

/** One place, once for each unit of an area. */
export interface ModelMove {
  readonly place: Place;
  readonly from: SeatLetter;
  readonly to: SeatLetter;
}

export interface ModelEnd extends EndedHold {
  /** seq of the fact that ended it. */
  readonly seq: number;
  /** How many holds of the event had ended with it. */
  readonly ordinal: number;
}

export interface ModelBooking {
  readonly record: BookingRecord;
  /** seq of the fact that made it. */
  readonly seq: number;
  /** What it was before its last change; null: it has not changed. */
  readonly before: BookingRecord | null;
}

type Contents = Pick<ActiveHold, "items" | "ordinals" | "terms">;

export const seatOf = (place: Place): number | null => (place >= 0 ? place : null);
export const areaOf = (place: Place): number => -place - 1;

export const statusIn = ({ later }: BookingRecord): BookingStatus => later?.status ?? "confirmed";
export const fateIn = ({ later }: BookingRecord, position: number): TicketFate =>
  later?.tickets?.[position] ?? { cancelledAtMs: null, checkedInAtMs: null };
export const ordinalIn = ({ ordinals }: Pick<Contents, "ordinals">, position: number): number =>
  ordinals === null ? position : (ordinals[position] ?? -1);
export const positionsIn = ({ items }: Pick<Contents, "items">): number[] => items.map((_, n) => n);

/** Positions of the tickets that admit. */
export function standingIn(record: BookingRecord): number[] {
  if (statusIn(record) !== "confirmed") return [];
  return positionsIn(record).filter((n) => fateIn(record, n).cancelledAtMs === null);
}

/** What was not kept from the sale is free; what was is blocked, when nobody has it. */
const unused = (terms: HoldTerms | null, place: Place): SeatLetter =>
  terms?.kept.includes(place) ? "b" : "f";

const taken = (items: readonly PlaceItem[], terms: HoldTerms | null, to: SeatLetter): ModelMove[] =>
  items.map(({ place }) => ({ place, from: unused(terms, place), to }));

const given = (
  items: readonly PlaceItem[],
  terms: HoldTerms | null,
  from: SeatLetter,
): ModelMove[] => items.map(({ place }) => ({ place, from, to: unused(terms, place) }));

/** The areas' counts, in their order. */
export function areasOf({ definition, areas }: ModelState): AreaCounts[] {
  return areas.map(({ held, sold, blocked }, index) => {
    const capacity = definition?.areas[index]?.capacity ?? 0;
    return { capacity, free: capacity - held - sold - blocked, held, sold, blocked };
  });
}

/**
 * What the facts so far amount to, in the plainest form. Facts are taken in whether they are legal
 * or not; whether they are is the business of fact-rules.ts.
 *
 * Invariants, as long as all facts were legal:
 * - A seat's letter says what holds, bookings and blocks say of it, and so do an area's counters.
 * - A hold id is in `holds` or in `ends`, never in both; nothing is ever taken out of `ends`.
 */
export class ModelState {
  seq = 0;
  lastMs = 0;
  definition: InventoryDefinition | null = null;
  seats: SeatLetter[] = [];
  areas: { held: number; sold: number; blocked: number }[] = [];
  holds = new Map<HoldId, ActiveHold>();
  due = new DueList();
  ends = new Map<HoldId, ModelEnd>();
  bookings = new Map<BookingId, ModelBooking>();
  intents = new Map<IntentId, BookingId>();
  /** Whose ticket a code is of, or was before the booking was handed over. */
  ticketCodes = new Map<string, BookingId>();
  placesByUser = new Map<UserId, number>();
  /** The times at which a buyer's holds were dropped. */
  drops = new Map<UserId, readonly number[]>();
  /** Seats that are kept, and for which channel ("": for nobody). */
  keptSeats = new Map<number, string>();
  /** Places of areas that are kept for channels, by area and channel. */
  keptInAreas = new Map<string, { area: number; channel: string; quantity: number }>();
  /** In the order in which they are served. */
  line: readonly Waiting[] = [];
  /** Every entry that ever waited. */
  entryIds = new Set<string>();
  /** Every fact, in order. */
  facts: Fact[] = [];
  /** The last fact that was the outcome of a key, by the key's digest, in the order of time. */
  outcomes = new Map<string, Fact>();
  /** Places by what the seats and areas say. */
  placed = { free: 0, held: 0, sold: 0, blocked: 0 };
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
    const moves = this.movesIn(fact);
    this.#takeRecords(fact);
    for (const move of moves) this.#move(move);
  }

  #takeRecords(fact: Fact): void {
    switch (fact.kind) {
      case "configured":
        return this.#configure(fact.definition);
      case "held":
        return this.#hold(fact);
      case "extended":
        return this.#rehold(fact, { expiresAtMs: fact.expiresAtMs, extended: true });
      case "holdChanged": {
        const { items, ordinals, terms, expiresAtMs, extended } = fact;
        return this.#rehold(fact, { items, ordinals, terms, expiresAtMs, extended });
      }
      case "holdEnded":
        return this.#end(fact, fact.reason, null);
      case "paymentStarted": {
        const { holdId, bookingId } = fact.booking;
        this.#rehold(
          { holdId, seq: fact.seq },
          { expiresAtMs: fact.expiresAtMs, paying: bookingId },
        );
        return this.#keep(fact.booking, fact.seq);
      }
      case "booked": {
        const { holdId, bookingId, userId, terms } = fact.booking;
        const { seq, atMs } = fact;
        this.#end({ holdId, userId, terms, seq, atMs }, "booked", bookingId);
        return this.#keep(fact.booking, fact.seq);
      }
      case "bookingChanged":
        return this.#rebook(fact);
      case "placesChanged":
        return this.#changePlaces(fact);
      case "queued": {
        this.entryIds.add(fact.entry.entryId);
        const line = [...this.line, { entry: fact.entry, skips: 0 }];
        // Those of one priority stay in the order in which they came.
        this.line = line.sort((a, b) => b.entry.priority - a.entry.priority);
        return;
      }
      case "unqueued":
        this.line = this.line.filter(({ entry }) => entry.entryId !== fact.entryId);
        return;
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
    return areasOf(this)[area]?.free ?? 0;
  }

  /** Places of an area's allotment, and how many of them are held or sold. */
  keptIn(area: number, channel: string): number {
    return this.keptInAreas.get(`${area} ${channel}`)?.quantity ?? 0;
  }

  usedIn(area: number, channel: string): number {
    const units = ({ items, terms }: Pick<Contents, "items" | "terms">): number =>
      terms?.channel === channel
        ? items.filter(({ place }) => areaOf(place) === area && terms.kept.includes(place)).length
        : 0;
    return this.#inUse().reduce((sum, owned) => sum + units(owned), 0);
  }

  /** How often a promo code is in use: by holds, and by bookings of which a ticket stands. */
  usesOf(code: string, userId: UserId | null = null): number {
    return this.#inUse().filter(
      (owned) => owned.terms?.promoCode === code && (userId === null || owned.userId === userId),
    ).length;
  }

  #inUse(): Pick<ActiveHold, "userId" | "items" | "terms">[] {
    const bookings = [...this.bookings.values()].map(({ record }) => {
      const items = standingIn(record).flatMap((n) => record.items[n] ?? []);
      return { userId: record.userId, items, terms: record.terms };
    });
    return [...this.holds.values(), ...bookings].filter(({ items }) => items.length > 0);
  }

  /** Whether an actor that was never built again would still know how this hold ended. */
  isAmongLastEnds({ ordinal }: ModelEnd): boolean {
    return this.ends.size - ordinal < ENDED_HOLDS_PER_EVENT_MAX;
  }

  /** What a fact means for each place, if it is taken in now. */
  movesIn(fact: Fact): ModelMove[] {
    switch (fact.kind) {
      case "configured":
      case "extended":
      case "paymentStarted":
      case "queued":
      case "unqueued":
        return [];
      case "held":
        return taken(fact.items, fact.terms, "h");
      case "holdEnded":
        return given(fact.items, fact.terms, "h");
      case "booked":
        return fact.booking.items.map(({ place }) => ({ place, from: "h", to: "s" }));
      case "holdChanged":
        return this.#movesOfHold(fact);
      case "bookingChanged":
        return this.#movesOfBooking(fact);
      case "placesChanged":
        return this.#movesOfBlocks(fact);
      default:
        return unreachable(fact);
    }
  }

  #movesOfHold(fact: Extract<Fact, { kind: "holdChanged" }>): ModelMove[] {
    const before = this.holds.get(fact.holdId);
    if (before === undefined) return [];
    const apart = (a: Contents, b: Contents): PlaceItem[] => {
      const others = new Set(positionsIn(b).map((n) => ordinalIn(b, n)));
      return a.items.filter((_, n) => !others.has(ordinalIn(a, n)));
    };
    return [
      ...given(apart(before, fact), before.terms, "h"),
      ...taken(apart(fact, before), fact.terms, "h"),
    ];
  }

  #movesOfBooking({ booking, holdEnd }: Extract<Fact, { kind: "bookingChanged" }>): ModelMove[] {
    const before = this.bookings.get(booking.bookingId)?.record;
    const hold = this.holds.get(booking.holdId);
    const fromHold =
      holdEnd === null || hold === undefined ? [] : given(hold.items, hold.terms, "h");
    if (before === undefined) return fromHold;
    const apart = (a: BookingRecord, b: BookingRecord): PlaceItem[] => {
      const inB = standingIn(b);
      return standingIn(a)
        .filter((n) => !inB.includes(n) || a.items[n]?.place !== b.items[n]?.place)
        .flatMap((n) => a.items[n] ?? []);
    };
    return [
      ...fromHold,
      ...given(apart(before, booking), before.terms, "s"),
      ...taken(apart(booking, before), booking.terms, "s"),
    ];
  }

  #movesOfBlocks({ blocks }: Extract<Fact, { kind: "placesChanged" }>): ModelMove[] {
    return blocks.flatMap(({ place, channel, quantity }): ModelMove[] => {
      const seat = seatOf(place);
      const before =
        seat === null
          ? this.keptIn(areaOf(place), channel)
          : this.keptSeats.get(seat) === channel
            ? 1
            : 0;
      const by = quantity - before;
      const move: ModelMove =
        by > 0 ? { place, from: "f", to: "b" } : { place, from: "b", to: "f" };
      return Array.from({ length: Math.min(Math.abs(by), 2_000_000) || 0 }, () => move);
    });
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
    copy.intents = new Map(this.intents);
    copy.ticketCodes = new Map(this.ticketCodes);
    copy.placesByUser = new Map(this.placesByUser);
    copy.drops = new Map(this.drops);
    copy.keptSeats = new Map(this.keptSeats);
    copy.keptInAreas = new Map(this.keptInAreas);
    copy.entryIds = new Set(this.entryIds);
    copy.facts = [...this.facts];
    copy.outcomes = new Map(this.outcomes);
    copy.placed = { ...this.placed };
    copy.recorded = { ...this.recorded };
    return copy;
  }

  #configure(definition: InventoryDefinition): void {
    if (this.definition === null) {
      this.seats = Array.from(definition.seatCategories, () => "f");
      this.areas = definition.areas.map(() => ({ held: 0, sold: 0, blocked: 0 }));
      const inAreas = definition.areas.reduce((sum, area) => sum + area.capacity, 0);
      this.placed.free = this.seats.length + inAreas;
    }
    this.definition = definition;
  }

  #hold(fact: Extract<Fact, { kind: "held" }>): void {
    const { holdId, userId, items, ordinals, terms, expiresAtMs, seq, atMs } = fact;
    this.#dropHold(holdId);
    const made = { holdId, userId, items, ordinals, terms, expiresAtMs, seq };
    this.#putHold({ ...made, createdAtMs: atMs, extended: false, paying: null });
    const entryId = terms?.entryId ?? null;
    const at = this.line.findIndex(({ entry }) => entry.entryId === entryId);
    if (at < 0) return;
    this.line = this.line
      .map((each, n) => (n < at ? { ...each, skips: each.skips + 1 } : each))
      .filter(({ entry }) => entry.entryId !== entryId);
  }

  #rehold(
    { holdId, seq }: { readonly holdId: HoldId; readonly seq: number },
    changes: Partial<ActiveHold>,
  ): void {
    const hold = this.#dropHold(holdId);
    if (hold !== undefined) this.#putHold({ ...hold, ...changes, seq });
  }

  #rebook(fact: Extract<Fact, { kind: "bookingChanged" }>): void {
    const { booking, holdEnd, seq, atMs } = fact;
    const { holdId, bookingId } = booking;
    const hold = this.holds.get(holdId);
    if (holdEnd !== null && hold !== undefined) {
      const { userId, terms } = hold;
      const of = holdEnd === "booked" ? bookingId : null;
      this.#end({ holdId, userId, terms, seq, atMs }, holdEnd, of);
    } else if (hold?.paying === bookingId) {
      this.#rehold({ holdId, seq }, { paying: null });
    }
    this.#keep(booking, seq);
  }

  #changePlaces({ blocks, capacities }: Extract<Fact, { kind: "placesChanged" }>): void {
    for (const { place, channel, quantity } of blocks) {
      const seat = seatOf(place);
      if (seat !== null && quantity === 0) this.keptSeats.delete(seat);
      else if (seat !== null) this.keptSeats.set(seat, channel);
      else if (quantity === 0) this.keptInAreas.delete(`${areaOf(place)} ${channel}`);
      else {
        const area = areaOf(place);
        this.keptInAreas.set(`${area} ${channel}`, { area, channel, quantity });
      }
    }
    if (this.definition === null) return;
    const areas = [...this.definition.areas];
    for (const { area, capacity } of capacities) {
      const before = areas[area];
      if (before === undefined) continue;
      areas[area] = { ...before, capacity };
      this.placed.free += capacity - before.capacity;
    }
    this.definition = { ...this.definition, areas };
  }

  #keep(record: BookingRecord, seq: number): void {
    const { bookingId, ticketCodes, later } = record;
    const known = this.bookings.get(bookingId);
    if (known !== undefined) this.#countBooking(known.record, -1);
    this.#countBooking(record, 1);
    const before = known?.record ?? null;
    this.bookings.set(bookingId, { record, seq: known?.seq ?? seq, before });
    for (const code of ticketCodes) this.ticketCodes.set(code, bookingId);
    if (later?.payment) this.intents.set(later.payment.intentId, bookingId);
  }

  #countBooking(record: BookingRecord, sign: 1 | -1): void {
    const places = sign * standingIn(record).length;
    this.recorded.sold += places;
    this.#count(record.userId, places);
  }

  #putHold(hold: ActiveHold): void {
    this.holds.set(hold.holdId, hold);
    this.due.add(hold.holdId, hold.expiresAtMs);
    this.recorded.held += hold.items.length;
    this.#count(hold.userId, hold.items.length);
  }

  #dropHold(holdId: HoldId): ActiveHold | undefined {
    const hold = this.holds.get(holdId);
    if (hold === undefined) return undefined;
    this.holds.delete(holdId);
    this.due.remove(holdId, hold.expiresAtMs);
    this.recorded.held -= hold.items.length;
    this.#count(hold.userId, -hold.items.length);
    return hold;
  }

  #end(
    hold: Pick<ActiveHold, "holdId" | "userId" | "terms" | "seq"> & { readonly atMs: number },
    end: EndedHold["end"],
    bookingId: BookingId | null,
  ): void {
    const { holdId, userId, terms, seq, atMs } = hold;
    this.#dropHold(holdId);
    const isOffer = terms?.source === "waitlist";
    const ordinal = this.ends.size + 1;
    this.ends.set(holdId, { holdId, userId, end, bookingId, isOffer, seq, atMs, ordinal });
    if (end !== "released" && (isOffer || end !== "expired")) return;
    this.drops.set(userId, [...(this.drops.get(userId) ?? []), atMs].slice(-100));
  }

  #count(userId: UserId, by: number): void {
    const count = (this.placesByUser.get(userId) ?? 0) + by;
    if (count === 0) this.placesByUser.delete(userId);
    else this.placesByUser.set(userId, count);
  }

  /** A seat gets the letter that the fact gives it, whatever it had; areas only count. */
  #move({ place, from, to }: ModelMove): void {
    const seat = seatOf(place);
    if (seat === null) {
      const area = this.areas[areaOf(place)];
      if (area === undefined) return;
      if (from !== "f") area[NAMES[from]] -= 1;
      if (to !== "f") area[NAMES[to]] += 1;
      this.placed[NAMES[from]] -= 1;
    } else {
      const letter = this.seats[seat];
      if (letter === undefined) return;
      this.seats[seat] = to;
      this.placed[NAMES[letter]] -= 1;
    }
    this.placed[NAMES[to]] += 1;
  }
}

const NAMES = { f: "free", h: "held", s: "sold", b: "blocked" } as const;
