/** What an owner must be told of a fact though nobody asked, as the oracle has it. */
import { isDeepStrictEqual } from "node:util";
import type { Fact } from "../../engine/facts.ts";
import type { HoldId } from "../../engine/ids.ts";
import type { Notice } from "../../workers/shard-messages.ts";

const isOffer = (fact: Fact): boolean => fact.kind === "held" && fact.terms?.entryId != null;

/** How a hold ended by this fact; null: it did not, or in a booking. */
function endIn(fact: Fact): string | null {
  if (fact.kind === "holdEnded") return fact.reason;
  return fact.kind === "bookingChanged" ? fact.holdEnd : null;
}

/** A hold ended by its time. */
const isExpiry = (fact: Fact): boolean => endIn(fact) === "expired";
/** A hold ended with its event. */
const isCancellation = (fact: Fact): boolean => endIn(fact) === "cancelled";

/** The hold that a fact ends because its time was over; null: none. */
export function expiredBy(fact: Fact): HoldId | null {
  if (!isExpiry(fact)) return null;
  if (fact.kind === "holdEnded") return fact.holdId;
  return fact.kind === "bookingChanged" ? fact.booking.holdId : null;
}

/** When a hold is due from this fact on, Unix ms; null: the fact says nothing of it. */
export function dueBy(fact: Fact, holdId: HoldId): number | null {
  switch (fact.kind) {
    case "held":
    case "extended":
      return fact.holdId === holdId ? fact.expiresAtMs : null;
    case "paymentStarted":
      return fact.booking.holdId === holdId ? fact.expiresAtMs : null;
    default:
      return null;
  }
}

/** What is taken though nothing new may be admitted: it follows from what was. */
export function happensByItself(fact: Fact): boolean {
  return isExpiry(fact) || isOffer(fact);
}

export function noticesDue(fact: Fact): Notice["kind"][] {
  const kinds: Notice["kind"][] = [];
  if (isExpiry(fact) || isCancellation(fact)) kinds.push("holdExpired");
  if (isOffer(fact)) kinds.push("waitlistOffer");
  if (fact.kind === "bookingChanged") kinds.push("bookingUpdated");
  if (fact.kind === "booked" && fact.booking.later !== null) kinds.push("bookingUpdated");
  return kinds;
}

export function seqOfNotice(notice: Notice): number {
  if (notice.kind === "holdExpired") return notice.seq;
  return notice.kind === "waitlistOffer" ? notice.offer.seq : notice.fact.seq;
}

/** Whether the notice is due because of this fact, and tells its owner what it is. */
export function isNoticeOf(notice: Notice, fact: Fact): boolean {
  if (!noticesDue(fact).includes(notice.kind)) return false;
  const about = "booking" in fact ? fact.booking : fact;
  if (!("userId" in about) || about.userId !== notice.userId) return false;
  if (notice.kind === "holdExpired") {
    const reason = isExpiry(fact) ? "expired" : "event_cancelled";
    return "holdId" in about && about.holdId === notice.holdId && notice.reason === reason;
  }
  return isDeepStrictEqual(notice.kind === "waitlistOffer" ? notice.offer : notice.fact, fact);
}

/** Whoever watches must look at everything again. */
export function changesCapacity(fact: Fact): boolean {
  const isResized = fact.kind === "placesChanged" && fact.capacities.length > 0;
  return fact.kind === "configured" || isResized;
}
