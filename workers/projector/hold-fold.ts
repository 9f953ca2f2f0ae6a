import type { Held } from "../../engine/facts.ts";
import type { EndedHold } from "../../engine/hold-book.ts";
import { activeHoldOf } from "../../engine/holds.ts";
import type { BookingId, EventId, HoldId } from "../../engine/ids.ts";
import { PlainHold } from "../store/plain-hold.ts";
import type { HoldBooked, HoldChange, HoldMade, HoldUpdate } from "./effects.ts";

const idOf = (made: HoldMade): HoldId =>
  made instanceof PlainHold ? made.holdId : made.hold.holdId;

/**
 * What becomes of the holds of one event in a run of facts.
 *
 * Invariant: a hold is in one of what is `made`, `changes` and what is `booked`.
 */
export class HoldFold {
  /** In their order; null: it became a booking within the run. */
  readonly #made: (HoldMade | null)[] = [];
  /**
   * Where in #made each of its first ones is. A run may be of new holds alone, so it is kept from
   * the first question on.
   */
  readonly #places = new Map<HoldId, number>();
  #placed = 0;
  readonly changes = new Map<HoldId, HoldChange>();
  readonly #booked = new Set<HoldId>();
  readonly #eventId: EventId;

  constructor(eventId: EventId) {
    this.#eventId = eventId;
  }

  made(): HoldMade[] {
    return this.#made.filter((made) => made !== null);
  }

  /** Those of earlier runs that are bookings now. */
  booked(): HoldBooked[] {
    return Array.from(this.#booked, (holdId) => ({ eventId: this.#eventId, holdId }));
  }

  make(fact: Held): void {
    this.#made.push({ eventId: this.#eventId, hold: activeHoldOf(fact), ended: null });
  }

  makePlain(hold: PlainHold): void {
    this.#made.push(hold);
  }

  change(holdId: HoldId, seq: number, update: HoldUpdate): void {
    const isMade = this.#replace(holdId, ({ eventId, hold, ended }) => {
      return { eventId, hold: { ...hold, ...update, seq }, ended };
    });
    if (isMade) return;
    const before = this.changes.get(holdId)?.update;
    const change = { eventId: this.#eventId, holdId, seq, ended: null };
    this.changes.set(holdId, { ...change, update: { ...before, ...update } });
  }

  end(end: EndedHold, seq: number): void {
    const { holdId } = end;
    const ended = { end, seq };
    if (this.#replace(holdId, ({ eventId, hold }) => ({ eventId, hold, ended }))) return;
    const update = this.changes.get(holdId)?.update ?? {};
    this.changes.set(holdId, { eventId: this.#eventId, holdId, seq, update, ended });
  }

  /** It became a booking at once, which tells all of it. */
  endBooked(holdId: HoldId): void {
    if (this.#replace(holdId, () => null)) return;
    this.changes.delete(holdId);
    this.#booked.add(holdId);
  }

  /** The money came for the booking that it waited for. */
  endPaid(end: EndedHold, seq: number, paying: BookingId): void {
    this.change(end.holdId, seq, { paying });
    this.end(end, seq);
  }

  /** False: it was not made in this run, or is a booking already. */
  #replace(holdId: HoldId, by: (made: HoldMade) => HoldMade | null): boolean {
    for (; this.#placed < this.#made.length; this.#placed += 1) {
      const made = this.#made[this.#placed];
      if (made != null) this.#places.set(idOf(made), this.#placed);
    }
    const place = this.#places.get(holdId);
    const made = place === undefined ? undefined : this.#made[place];
    if (place === undefined || made == null) return false;
    this.#made[place] = by(made);
    return true;
  }
}
