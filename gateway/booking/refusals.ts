import type { PromoReason } from "../../engine/promo-codes.ts";
import type { Refusal } from "../../engine/replies.ts";
import { unreachable } from "../../engine/unreachable.ts";
import type { EventEntry } from "../catalogue/event-directory.ts";
import { type DeskProblem, problem } from "./desk-result.ts";
import { iso } from "./instant.ts";
import { money } from "./views.ts";

/** The engine's refusal in the words of the contract: names instead of indexes. */
export function problemOfRefusal(refusal: Refusal, event: EventEntry): DeskProblem {
  const { code } = refusal;
  switch (code) {
    case "seat_unavailable":
      return seatsTaken(refusal.seats.map((seat) => event.seatIds[seat] ?? ""));
    case "insufficient_capacity": {
      const { available } = refusal;
      const area = event.areaKeys[refusal.area];
      const few = available === 0 ? "None" : `Only ${available}`;
      return problem(code, { area, available, detail: `${few} left in area ${area}` });
    }
    case "too_few_places": {
      const { available } = refusal;
      const category = refusal.category === null ? null : event.categoryKeys[refusal.category];
      const few = available === 0 ? "None" : `Only ${available}`;
      const detail = `${few} to be had`;
      const named =
        category === null ? { detail } : { category, detail: `${detail} of category ${category}` };
      return problem("insufficient_capacity", { ...named, available });
    }
    case "no_adjacent_seats":
      return problem(code, {
        alternatives: refusal.alternatives.map((groups) => itemsOf(event, groups)),
      });
    case "limit_exceeded":
      return limitExceeded(refusal);
    case "sales_not_open": {
      const opensAt = iso(refusal.opensAtMs);
      return problem(code, { opensAt, detail: `Sales open at ${opensAt}` });
    }
    case "hold_churn": {
      const retryAt = iso(refusal.retryAtMs);
      const detail = `Too many holds were taken and dropped; the next one may come at ${retryAt}`;
      return problem(code, { retryAt, detail });
    }
    case "promo_not_valid":
      return problem(code, { reason: refusal.reason, detail: PROMO_DETAILS[refusal.reason] });
    case "hold_booked":
    case "hold_paying":
      return problem(code, { bookingId: refusal.bookingId });
    case "item_not_found":
      return problem(code, { items: refusal.items });
    case "cancellation_closed":
      return problem(code, { closedAt: iso(refusal.closedAtMs) });
    case "price_differs":
      return problem(code, { priceDifference: money(event, refusal.differenceMinor) });
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

const seatsTaken = (seats: readonly string[]): DeskProblem =>
  problem("seat_unavailable", { seats, detail: `Not free: ${seats.join(", ")}` });

/** `current`: places of the order, or those that its buyer has already. */
export function limitExceeded({
  scope,
  limit,
  current,
}: Omit<Extract<Refusal, { code: "limit_exceeded" }>, "code">): DeskProblem {
  const detail =
    scope === "perOrder"
      ? `One order may have ${limit} places at most; this one would have ${current}`
      : `One buyer may have ${limit} places at most; you have ${current}`;
  return problem("limit_exceeded", { scope, limit, current, detail });
}

const PROMO_DETAILS: Readonly<Record<PromoReason, string>> = {
  unknown: "This event has no such promo code",
  not_yet: "The promo code is not valid yet",
  over: "The promo code is no longer valid",
  used_up: "The promo code has been used up",
  used_by_you: "You have used the promo code as often as you may",
  no_place_it_applies_to: "The promo code applies to none of these places",
};

/**
 * Seats as items that a hold may be asked for with. Those that sit side by side have one `group`.
 */
function itemsOf(event: EventEntry, groups: readonly (readonly number[])[]): object[] {
  return groups.flatMap((seats, group) =>
    seats.map((seat) => ({ seat: event.seatIds[seat], group })),
  );
}
