import type { BookingRecord } from "../../engine/booking.ts";
import type { Booked, BookingChanged, PaymentStarted } from "../../engine/facts.ts";
import type { BookingId, EventId, RefundId } from "../../engine/ids.ts";
import type { BookingChange, BookingMade, RefundDue } from "./effects.ts";

interface Changing {
  record: BookingRecord;
  readonly tickets: Set<number>;
  readonly moved: Set<number>;
}

/**
 * What becomes of the bookings of one event in a run of facts.
 *
 * Invariant: a booking was made in the run or is changed by it, never both.
 */
export class BookingFold {
  readonly made = new Map<BookingId, BookingMade>();
  readonly refunds = new Map<RefundId, RefundDue>();
  readonly #changing = new Map<BookingId, Changing>();
  readonly #eventId: EventId;

  constructor(eventId: EventId) {
    this.#eventId = eventId;
  }

  changes(): BookingChange[] {
    const eventId = this.#eventId;
    return Array.from(this.#changing.values(), ({ record, tickets, moved }) => {
      return { eventId, record, tickets: [...tickets], moved: [...moved] };
    });
  }

  make({ booking, seq }: PaymentStarted | Booked): void {
    const made = { eventId: this.#eventId, seq, record: booking, buyerId: null };
    this.made.set(booking.bookingId, made);
  }

  /** Money confirmed a booking that was pending: all of its tickets. */
  confirm({ booking }: Booked): void {
    const all = booking.items.map((_, index) => index);
    this.#change(booking, all, []);
  }

  change(fact: BookingChanged): void {
    const { booking, change, tickets } = fact;
    const moved = change === "ticket_moved" ? tickets : [];
    this.#change(booking, tickets, moved);
    if (change === "cancelled" || change === "ticket_moved" || change === "paid_in_vain") {
      this.#noteRefunds(fact);
    }
  }

  #change(record: BookingRecord, tickets: readonly number[], moved: readonly number[]): void {
    const { bookingId, userId } = record;
    const made = this.made.get(bookingId);
    if (made !== undefined) {
      const before = made.record.userId;
      const buyerId = made.buyerId ?? (before === userId ? null : before);
      this.made.set(bookingId, { ...made, record, buyerId });
      return;
    }
    let changing = this.#changing.get(bookingId);
    if (changing === undefined) {
      changing = { record, tickets: new Set(), moved: new Set() };
      this.#changing.set(bookingId, changing);
    }
    changing.record = record;
    for (const index of tickets) changing.tickets.add(index);
    for (const index of moved) changing.moved.add(index);
  }

  #noteRefunds({ booking, atMs }: BookingChanged): void {
    const { bookingId, later } = booking;
    const payment = later?.payment ?? null;
    if (payment === null) return;
    for (const refund of payment.refunds) {
      if (refund.status !== "due" || this.refunds.has(refund.refundId)) continue;
      const due = { eventId: this.#eventId, bookingId, payment, refund, atMs };
      this.refunds.set(refund.refundId, due);
    }
  }
}
