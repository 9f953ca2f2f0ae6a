import type { Refusal } from "../../engine/replies.ts";
import { unreachable } from "../../engine/unreachable.ts";
import type { EventEntry } from "../catalogue/event-directory.ts";
import { type DeskProblem, problem } from "./desk-result.ts";

/** The engine's refusal in the words of the contract: names instead of indexes. */
export function problemOfRefusal(refusal: Refusal, event: EventEntry): DeskProblem {
  const { code } = refusal;
  switch (code) {
    case "seat_unavailable":
      return problem(code, { seats: refusal.seats.map((seat) => event.seatIds[seat]) });
    case "insufficient_capacity": {
      const { area, available } = refusal;
      return problem(code, { area: event.areaKeys[area], available });
    }
    case "too_few_places": {
      const { category, available } = refusal;
      const named = category === null ? {} : { category: event.categoryKeys[category] };
      return problem("insufficient_capacity", { ...named, available });
    }
    case "no_adjacent_seats":
      return problem(code, {
        alternatives: refusal.alternatives.map((groups) => itemsOf(event, groups)),
      });
    case "limit_exceeded": {
      const { scope, limit, current } = refusal;
      return problem(code, { scope, limit, current });
    }
    case "sales_not_open":
      return problem(code, { opensAt: iso(refusal.opensAtMs) });
    case "hold_churn":
      return problem(code, { retryAt: iso(refusal.retryAtMs) });
    case "promo_not_valid":
      return problem(code, { reason: refusal.reason });
    case "hold_booked":
    case "hold_paying":
      return problem(code, { bookingId: refusal.bookingId });
    case "item_not_found":
      return problem(code, { items: refusal.items });
    case "cancellation_closed":
      return problem(code, { closedAt: iso(refusal.closedAtMs) });
    case "price_differs": {
      const { currency } = event;
      return problem(code, { priceDifference: { amount: refusal.differenceMinor, currency } });
    }
    case "already_checked_in":
      return problem(code, { checkedInAt: iso(refusal.atMs) });
    case "capacity_in_use": {
      const { area, inUse } = refusal;
      return problem(code, { area: event.areaKeys[area], inUse });
    }
    case "unknown_place":
      return problem("unknown_seat");
    case "event_not_found":
    case "event_cancelled":
    case "sales_closed":
    case "hold_not_found":
    case "hold_expired":
    case "hold_released":
    case "hold_not_extendable":
    case "hold_would_be_empty":
    case "hold_changed_too_often":
    case "payment_required":
    case "intent_not_found":
    case "booking_not_found":
    case "booking_pending":
    case "booking_cancelled":
    case "ticket_not_found":
    case "ticket_cancelled":
    case "ticket_not_movable":
    case "not_checked_in":
    case "already_waiting":
    case "not_waiting":
    case "inventory_fixed":
    case "idempotency_key_reused":
    case "busy":
      return problem(code);
    default:
      return unreachable(code);
  }
}

/**
 * Seats as items that a hold may be asked for with. Those that sit side by side have one `group`.
 */
function itemsOf(event: EventEntry, groups: readonly (readonly number[])[]): object[] {
  return groups.flatMap((seats, group) =>
    seats.map((seat) => ({ seat: event.seatIds[seat], group })),
  );
}

const iso = (ms: number): string => new Date(ms).toISOString();
