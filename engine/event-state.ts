import { assert } from "./assert.ts";
import { SeatPicker } from "./best-available.ts";
import { Blocks } from "./blocks.ts";
import { bookingIdOf } from "./booking.ts";
import { ChurnBook } from "./churn.ts";
import type { InventoryDefinition } from "./definition.ts";
import { HoldBook } from "./hold-book.ts";
import { HoldBookings } from "./hold-bookings.ts";
import { IdempotencyKeys } from "./idempotency-keys.ts";
import type { BookingId, IntentId } from "./ids.ts";
import type { Inventory } from "./inventory.ts";
import { OrderedRecords } from "./ordered-records.ts";
import { PlacesByUser } from "./places-by-user.ts";
import { PromoUses } from "./promo-codes.ts";
import { decodeSeatMap } from "./seat-map.ts";
import { TicketIndex } from "./ticket-index.ts";
import { Waitlist } from "./waitlist.ts";

/**
 * All that one actor knows. Only `apply` changes it.
 *
 * Invariants:
 * - `seq` is the seq of the last fact applied; 0 before the first.
 * - `definition` and `inventory` are both null (nobody has configured the event) or both set.
 * - A seat is held iff one active hold has it, and sold iff a standing ticket has it.
 * - `placesByUser` counts the places that a buyer holds or owns.
 * - `promoUses` counts the holds and standing bookings that use a code.
 * - A booking is pending iff an active hold is paying for it.
 */
export class EventState {
  seq = 0;
  definition: InventoryDefinition | null = null;
  inventory: Inventory | null = null;
  readonly holds = new HoldBook();
  readonly bookings = new OrderedRecords(bookingIdOf, { isRouted: true });
  readonly placesByUser = new PlacesByUser();
  readonly keys = new IdempotencyKeys();
  readonly blocks = new Blocks();
  readonly waitlist = new Waitlist();
  readonly promoUses = new PromoUses();
  readonly churn = new ChurnBook();
  readonly bookingByIntent = new Map<IntentId, BookingId>();
  readonly bookingByTicketCode = new TicketIndex(this.bookings);
  readonly bookingsOfHold = new HoldBookings(this.bookings);
  #picker: SeatPicker | null = null;

  /** Chooses seats; made when it is asked for the first time, and told of every move since. */
  get picker(): SeatPicker {
    const { definition, inventory } = this;
    assert(definition !== null && inventory !== null, "an event is configured before it sells");
    if (this.#picker === null) {
      const { seatMap, seatCategories } = definition;
      const map = decodeSeatMap(seatMap, seatCategories.length);
      this.#picker = new SeatPicker(map, seatCategories, inventory.statuses);
    }
    return this.#picker;
  }

  /** A seat's status has changed. */
  seatMoved(seat: number): void {
    this.#picker?.touch(seat);
  }
}
