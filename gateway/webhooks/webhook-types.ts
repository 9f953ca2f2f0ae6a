/** What organisations are told of: the names of their messages, and the facts behind them. */
import type { BookingChange } from "../../engine/facts.ts";
import { unreachable } from "../../engine/unreachable.ts";
import type { OutboxEntry } from "../notifier/outbox-entry.ts";

/**
 * Holds, waiting and bookings whose money has not come are no messages: they are what may become
 * of a sale, many times as many, and over in minutes.
 */
export const WEBHOOK_TYPES = [
  ...(["booking.confirmed", "booking.cancelled", "booking.transferred"] as const),
  ...(["booking.payment_failed", "booking.payment_expired", "booking.paid_in_vain"] as const),
  ...(["booking.refund_settled", "booking.buyer_forgotten"] as const),
  ...(["ticket.moved", "ticket.checked_in", "ticket.check_in_undone"] as const),
  ...(["event.published", "event.updated", "event.cancelled", "inventory.changed"] as const),
] as const;
export type WebhookType = (typeof WEBHOOK_TYPES)[number];

const OF_CHANGE: Readonly<Record<BookingChange, WebhookType>> = {
  cancelled: "booking.cancelled",
  payment_expired: "booking.payment_expired",
  payment_failed: "booking.payment_failed",
  paid_late: "booking.confirmed",
  paid_in_vain: "booking.paid_in_vain",
  refund_settled: "booking.refund_settled",
  ticket_moved: "ticket.moved",
  transferred: "booking.transferred",
  checked_in: "ticket.checked_in",
  check_in_undone: "ticket.check_in_undone",
  buyer_forgotten: "booking.buyer_forgotten",
};

export const BOOKED: WebhookType = "booking.confirmed";

/** The type of a row `h` of event_history, as SQL; NULL: it is no message. */
export const TYPE_OF_ROW = `
  CASE h.kind
    WHEN 'booked' THEN '${BOOKED}'
    WHEN 'placesChanged' THEN 'inventory.changed'
    WHEN 'configured' THEN CASE
      WHEN h.detail ->> 'status' = 'cancelled' THEN 'event.cancelled'
      WHEN h.seq = 1 THEN 'event.published'
      ELSE 'event.updated' END
    WHEN 'bookingChanged' THEN CASE h.change
      ${Object.entries(OF_CHANGE)
        .map(([change, type]) => `WHEN '${change}' THEN '${type}'`)
        .join(" ")} END
  END`;

/** What an entry of the outbox may be told as; none: it is nobody's business. */
export function typesOf(entry: OutboxEntry): readonly WebhookType[] {
  switch (entry.kind) {
    case "booked":
      return [BOOKED];
    case "bookingChanged":
      return entry.change === null ? [] : [OF_CHANGE[entry.change]];
    case "configured":
      return ["event.published", "event.updated", "event.cancelled"];
    case "placesChanged":
      return ["inventory.changed"];
    // An offer is a hold. Whoever edits an event configures it, too, and that fact has a seq.
    case "offered":
    case "eventEdited":
    case "mail":
      return [];
    default:
      return unreachable(entry);
  }
}
