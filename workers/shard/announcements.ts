/** What others are told of a fact, once it is durable, without having asked. */
import { type Fact, movesOf } from "../../engine/facts.ts";
import type { EventId } from "../../engine/ids.ts";
import { isOffer } from "../../engine/terms.ts";
import type { InventoryChange, InventoryReset, Notice } from "../shard-messages.ts";

/** For those who watch the event: also what moves nothing, so that their seq keeps up. */
export function changeOf(eventId: EventId, fact: Fact): InventoryChange | InventoryReset {
  const { seq } = fact;
  const isResized = fact.kind === "placesChanged" && fact.capacities.length > 0;
  if (fact.kind === "configured" || isResized) return { eventId, seq, reset: true };
  return { eventId, seq, moves: movesOf(fact) };
}

const NONE: readonly Notice[] = [];

/** How holds end that their owners did not end themselves. */
const UNASKED_ENDS: Partial<Record<string, "expired" | "event_cancelled">> = {
  expired: "expired",
  cancelled: "event_cancelled",
};

/** For the owner of what changed; `lsn` is the fact's. */
export function noticesOf(eventId: EventId, fact: Fact, lsn: number): readonly Notice[] {
  switch (fact.kind) {
    case "holdEnded": {
      const { holdId, userId, seq } = fact;
      const reason = UNASKED_ENDS[fact.reason];
      if (reason === undefined) return NONE;
      return [{ kind: "holdExpired", eventId, userId, lsn, seq, holdId, reason }];
    }
    case "held": {
      if (!isOffer(fact.terms)) return NONE;
      return [{ kind: "waitlistOffer", eventId, userId: fact.userId, lsn, offer: fact }];
    }
    case "booked": {
      if (fact.booking.later === null) return NONE;
      return [{ kind: "bookingUpdated", eventId, userId: fact.booking.userId, lsn, fact }];
    }
    case "bookingChanged": {
      const { booking, holdEnd, seq } = fact;
      const { userId, holdId } = booking;
      const updated: Notice = { kind: "bookingUpdated", eventId, userId, lsn, fact };
      const reason = holdEnd === null ? undefined : UNASKED_ENDS[holdEnd];
      if (reason === undefined) return [updated];
      return [{ kind: "holdExpired", eventId, userId, lsn, seq, holdId, reason }, updated];
    }
    default:
      return NONE;
  }
}
