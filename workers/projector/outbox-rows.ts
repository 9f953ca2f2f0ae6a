/** Which facts others are told of (mails, webhooks), and what of them waits in the outbox. */
import type { BookingChange, Fact } from "../../engine/facts.ts";
import type { EventId } from "../../engine/ids.ts";
import { isOffer } from "../../engine/terms.ts";

/** No more than what it is about: whoever tells of it reads what it has become meanwhile. */
export interface OutboxRow {
  readonly kind: "booked" | "bookingChanged" | "offered" | "configured" | "placesChanged";
  readonly eventId: EventId;
  readonly seq: number;
  /** Of `bookingChanged`; otherwise null. */
  readonly change: BookingChange | null;
  /** The booking's id, or that of the hold that is offered; null: it is about the event. */
  readonly subjectId: string | null;
  /** Unix ms. */
  readonly atMs: number;
}

/** null: nobody is told. */
export function outboxRowOf(eventId: EventId, fact: Fact): OutboxRow | null {
  const { seq, atMs } = fact;
  switch (fact.kind) {
    case "booked": {
      const subjectId = fact.booking.bookingId;
      return { kind: "booked", eventId, seq, change: null, subjectId, atMs };
    }
    case "bookingChanged": {
      const { change, booking } = fact;
      return { kind: "bookingChanged", eventId, seq, change, subjectId: booking.bookingId, atMs };
    }
    case "held":
      if (!isOffer(fact.terms)) return null;
      return { kind: "offered", eventId, seq, change: null, subjectId: fact.holdId, atMs };
    case "configured":
    case "placesChanged":
      return { kind: fact.kind, eventId, seq, change: null, subjectId: null, atMs };
    default:
      return null;
  }
}
