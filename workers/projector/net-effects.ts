/**
 * What a run of facts amounts to in the database's rows. Facts cancel out: a hold that was made and
 * booked within the run leaves the booking alone, an area's counters move by their sum. What
 * somebody was told is written all the same: bookings (also those cancelled at once), how a hold
 * ended that did not become one, and the outcome of every request with a key.
 */
import { assert } from "../../engine/assert.ts";
import type { InventoryDefinition } from "../../engine/definition.ts";
import {
  type BookingRecord,
  type Cancelled,
  type CommandKey,
  type Fact,
  moveOf,
} from "../../engine/facts.ts";
import type { ActiveHold, EndedHold } from "../../engine/hold-book.ts";
import type { BookingId, EventId, HoldId } from "../../engine/ids.ts";
import { HELD, SOLD } from "../../engine/inventory.ts";
import { areaIndexOf, isSeat } from "../../engine/place.ts";
import { unreachable } from "../../engine/unreachable.ts";

/** An event's facts in the run are those in [firstSeq, lastSeq]. */
export interface EventAdvance {
  readonly eventId: EventId;
  readonly firstSeq: number;
  readonly lastSeq: number;
  /** The last configuration in the run; null: none. */
  readonly definition: InventoryDefinition | null;
}

export interface AreaChange {
  readonly eventId: EventId;
  readonly area: number;
  readonly held: number;
  readonly sold: number;
}

export interface HoldMade {
  readonly eventId: EventId;
  readonly hold: ActiveHold;
  /** null: still active. */
  readonly ended: HoldEnd | null;
}

export interface HoldEnd {
  readonly end: EndedHold;
  readonly atMs: number;
  readonly seq: number;
}

/** Extends, ends, or extends and ends a hold that an earlier run made. */
export interface HoldChange {
  readonly eventId: EventId;
  readonly holdId: HoldId;
  readonly seq: number;
  /** null: not extended. */
  readonly expiresAtMs: number | null;
  /** null: still active. */
  readonly ended: HoldEnd | null;
}

export interface BookingMade {
  readonly eventId: EventId;
  readonly seq: number;
  readonly record: BookingRecord;
  /** null: it stands. */
  readonly cancelled: Cancelled | null;
}

/** Cancels a booking that an earlier run made. */
export interface BookingCancelled {
  readonly eventId: EventId;
  readonly fact: Cancelled;
}

export interface KeyOutcome {
  readonly eventId: EventId;
  readonly key: CommandKey;
  readonly fact: Fact;
}

/** Rows change in this order: what a seat frees must be written before it is sold again. */
export interface NetEffects {
  readonly events: readonly EventAdvance[];
  readonly areas: readonly AreaChange[];
  readonly holdsMade: readonly HoldMade[];
  readonly holdChanges: readonly HoldChange[];
  readonly bookingsCancelled: readonly BookingCancelled[];
  readonly bookingsMade: readonly BookingMade[];
  readonly keys: readonly KeyOutcome[];
}

export interface EventFact {
  readonly eventId: EventId;
  readonly fact: Fact;
}

/** `facts`: in order, each event's without gaps. */
export function netEffectsOf(facts: Iterable<EventFact>): NetEffects {
  const byEvent = new Map<EventId, EventFold>();
  for (const { eventId, fact } of facts) {
    let fold = byEvent.get(eventId);
    if (fold === undefined) {
      fold = new EventFold(eventId, fact.seq);
      byEvent.set(eventId, fold);
    }
    fold.add(fact);
  }
  const folds = [...byEvent.values()];
  return {
    events: folds.map((fold) => fold.advance()),
    areas: folds.flatMap((fold) => fold.areaChanges()),
    holdsMade: folds.flatMap((fold) => [...fold.holdsMade.values()]),
    holdChanges: folds.flatMap((fold) => [...fold.holdChanges.values()]),
    bookingsCancelled: folds.flatMap((fold) => fold.bookingsCancelled),
    bookingsMade: folds.flatMap((fold) => [...fold.bookingsMade.values()]),
    keys: folds.flatMap((fold) => [...fold.keys.values()]),
  };
}

/** Invariant: a hold is in `holdsMade` or in `holdChanges`, never in both. */
class EventFold {
  readonly holdsMade = new Map<HoldId, HoldMade>();
  readonly holdChanges = new Map<HoldId, HoldChange>();
  readonly bookingsMade = new Map<BookingId, BookingMade>();
  readonly bookingsCancelled: BookingCancelled[] = [];
  readonly keys = new Map<string, KeyOutcome>();
  readonly #areas = new Map<number, { held: number; sold: number }>();
  readonly #eventId: EventId;
  readonly #firstSeq: number;
  #nextSeq: number;
  #definition: InventoryDefinition | null = null;

  constructor(eventId: EventId, firstSeq: number) {
    this.#eventId = eventId;
    this.#firstSeq = firstSeq;
    this.#nextSeq = firstSeq;
  }

  advance(): EventAdvance {
    return {
      eventId: this.#eventId,
      firstSeq: this.#firstSeq,
      lastSeq: this.#nextSeq - 1,
      definition: this.#definition,
    };
  }

  areaChanges(): AreaChange[] {
    const eventId = this.#eventId;
    return [...this.#areas]
      .filter(([, { held, sold }]) => held !== 0 || sold !== 0)
      .map(([area, { held, sold }]) => ({ eventId, area, held, sold }));
  }

  add(fact: Fact): void {
    assert(fact.seq === this.#nextSeq, "an event's facts come in order, without gaps");
    this.#nextSeq += 1;
    this.#countAreas(fact);
    this.#addRecords(fact);
    const { key } = fact;
    if (key !== null) this.keys.set(key.digest, { eventId: this.#eventId, key, fact });
  }

  #addRecords(fact: Fact): void {
    const eventId = this.#eventId;
    switch (fact.kind) {
      case "configured":
        this.#definition = fact.definition;
        return;
      case "held": {
        const { holdId, userId, items, expiresAtMs, seq, atMs: createdAtMs } = fact;
        const hold = { holdId, userId, items, createdAtMs, expiresAtMs, extended: false, seq };
        this.holdsMade.set(holdId, { eventId, hold, ended: null });
        return;
      }
      case "extended": {
        const { holdId, expiresAtMs, seq } = fact;
        const made = this.holdsMade.get(holdId);
        if (made === undefined) {
          this.holdChanges.set(holdId, { eventId, holdId, seq, expiresAtMs, ended: null });
        } else {
          const hold = { ...made.hold, expiresAtMs, seq, extended: true };
          this.holdsMade.set(holdId, { ...made, hold });
        }
        return;
      }
      case "holdEnded": {
        const { holdId, userId, reason } = fact;
        return this.#endHold(fact, { holdId, userId, end: reason, bookingId: null });
      }
      case "booked": {
        const { bookingId, holdId, userId } = fact.booking;
        const made = { eventId, seq: fact.seq, record: fact.booking, cancelled: null };
        this.bookingsMade.set(bookingId, made);
        return this.#endHold(fact, { holdId, userId, end: "booked", bookingId });
      }
      case "cancelled": {
        const { bookingId } = fact.booking;
        const made = this.bookingsMade.get(bookingId);
        if (made === undefined) this.bookingsCancelled.push({ eventId, fact });
        else this.bookingsMade.set(bookingId, { ...made, cancelled: fact });
        return;
      }
      default:
        return unreachable(fact);
    }
  }

  #endHold({ seq, atMs }: Fact, end: EndedHold): void {
    const { holdId } = end;
    const ended = { end, atMs, seq };
    const made = this.holdsMade.get(holdId);
    if (made === undefined) {
      const expiresAtMs = this.holdChanges.get(holdId)?.expiresAtMs ?? null;
      const eventId = this.#eventId;
      this.holdChanges.set(holdId, { eventId, holdId, seq, expiresAtMs, ended });
    } else if (end.end === "booked") {
      this.holdsMade.delete(holdId);
    } else {
      this.holdsMade.set(holdId, { ...made, ended });
    }
  }

  #countAreas(fact: Fact): void {
    const move = moveOf(fact);
    if (move === null) return;
    const held = (move.to === HELD ? 1 : 0) - (move.from === HELD ? 1 : 0);
    const sold = (move.to === SOLD ? 1 : 0) - (move.from === SOLD ? 1 : 0);
    for (const { place } of move.items) {
      if (isSeat(place)) continue;
      const index = areaIndexOf(place);
      const area = this.#areas.get(index);
      if (area === undefined) {
        this.#areas.set(index, { held, sold });
      } else {
        area.held += held;
        area.sold += sold;
      }
    }
  }
}
