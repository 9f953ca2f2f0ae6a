import type { BookingRecord, KnownBooking } from "./booking.ts";
import type { BookingId } from "./ids.ts";
import type { OrderedRecords } from "./ordered-records.ts";

type Bookings = Pick<OrderedRecords<KnownBooking, BookingId>, "all">;

/**
 * Which booking a ticket's code is of. Only the doors ask, so it is built when the first one does,
 * and kept from then on.
 *
 * Invariant: what it has are the codes that its bookings' tickets have now, and no others.
 */
export class TicketIndex {
  readonly #bookings: Bookings;
  #byCode: Map<string, BookingId> | null = null;

  constructor(bookings: Bookings) {
    this.#bookings = bookings;
  }

  get(ticketCode: string): BookingId | undefined {
    if (this.#byCode === null) {
      this.#byCode = new Map();
      for (const { record } of this.#bookings.all()) this.add(record);
    }
    return this.#byCode.get(ticketCode);
  }

  /** A booking was made. */
  add({ bookingId, ticketCodes }: BookingRecord): void {
    if (this.#byCode === null) return;
    for (const code of ticketCodes) this.#byCode.set(code, bookingId);
  }

  /** A booking has changed: codes that it has no more are nobody's. */
  change(before: BookingRecord, after: BookingRecord): void {
    if (this.#byCode === null || before.ticketCodes === after.ticketCodes) return;
    for (const code of before.ticketCodes) this.#byCode.delete(code);
    this.add(after);
  }
}
