import type { BookingRecord, KnownBooking } from "./booking.ts";
import type { BookingId, HoldId } from "./ids.ts";
import type { OrderedRecords } from "./ordered-records.ts";

type Bookings = Pick<OrderedRecords<KnownBooking, BookingId>, "all" | "get">;

/**
 * Which bookings were made of a hold: more than one, where a payment failed and it was booked
 * again. Only money that comes late asks, so it is built when the first does, and kept since then.
 */
export class HoldBookings {
  readonly #bookings: Bookings;
  #byHold: Map<HoldId, BookingId[]> | null = null;

  constructor(bookings: Bookings) {
    this.#bookings = bookings;
  }

  /** In the order in which they were made. */
  of(holdId: HoldId): BookingRecord[] {
    if (this.#byHold === null) {
      this.#byHold = new Map();
      for (const { record } of this.#bookings.all()) this.add(record);
    }
    const ids = this.#byHold.get(holdId) ?? [];
    return ids.flatMap((bookingId) => this.#bookings.get(bookingId)?.record ?? []);
  }

  /** A booking was made. */
  add({ holdId, bookingId }: BookingRecord): void {
    if (this.#byHold === null) return;
    const ids = this.#byHold.get(holdId);
    if (ids === undefined) this.#byHold.set(holdId, [bookingId]);
    else ids.push(bookingId);
  }
}
