import type { BookingRecord, KnownBooking } from "./booking.ts";
import type { BookingId } from "./ids.ts";

/**
 * Which booking a ticket's code is of. Only the doors ask, so it is built when the first one does,
 * and kept from then on.
 */
export class TicketIndex {
  readonly #bookings: ReadonlyMap<BookingId, KnownBooking>;
  #byCode: Map<string, BookingId> | null = null;

  constructor(bookings: ReadonlyMap<BookingId, KnownBooking>) {
    this.#bookings = bookings;
  }

  get(ticketCode: string): BookingId | undefined {
    if (this.#byCode === null) {
      this.#byCode = new Map();
      for (const { record } of this.#bookings.values()) this.add(record);
    }
    return this.#byCode.get(ticketCode);
  }

  /** A booking was made. */
  add({ bookingId, ticketCodes }: BookingRecord): void {
    if (this.#byCode === null) return;
    for (const code of ticketCodes) this.#byCode.set(code, bookingId);
  }
}
