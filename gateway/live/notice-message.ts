import { unreachable } from "../../engine/unreachable.ts";
import type { Notice } from "../../workers/shard-messages.ts";
import { bookingView, holdView } from "../booking/views.ts";
import type { EventEntry } from "../catalogue/event-directory.ts";

/** What the owner of something is told without having asked. */
export function noticeMessage(event: EventEntry, notice: Notice): object {
  const { eventId } = event;
  switch (notice.kind) {
    case "holdExpired":
      return {
        op: "hold.expired",
        eventId,
        holdId: notice.holdId,
        reason: notice.reason,
        seq: notice.seq,
      };
    case "waitlistOffer":
      return { op: "waitlist.offer", eventId, hold: holdView(event, notice.offer) };
    case "bookingUpdated": {
      const { booking: record, seq } = notice.fact;
      const reader = { userId: notice.userId, asOrganizer: false };
      const booking = bookingView(event, { record, seq }, reader);
      return { op: "booking.updated", eventId, booking };
    }
    default:
      return unreachable(notice);
  }
}
