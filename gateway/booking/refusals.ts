import type { Refusal } from "../../engine/replies.ts";
import { unreachable } from "../../engine/unreachable.ts";
import type { EventEntry } from "../catalogue/event-directory.ts";
import type { DeskProblem } from "./desk-result.ts";

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
    case "limit_exceeded": {
      const { scope, limit, current } = refusal;
      return problem(code, { scope, limit, current });
    }
    case "sales_not_open":
      return problem(code, { opensAt: new Date(refusal.opensAtMs).toISOString() });
    case "hold_booked":
      return problem(code, { bookingId: refusal.bookingId });
    case "unknown_place":
      return problem("unknown_seat", {});
    case "event_not_found":
    case "event_cancelled":
    case "sales_closed":
    case "hold_not_found":
    case "hold_expired":
    case "hold_released":
    case "hold_not_extendable":
    case "payment_required":
    case "booking_not_found":
    case "inventory_fixed":
    case "idempotency_key_reused":
    case "busy":
      return problem(code, {});
    default:
      return unreachable(code);
  }
}

function problem(code: DeskProblem["code"], members: DeskProblem["members"]): DeskProblem {
  return { kind: "problem", code, members };
}
