import type { EventState } from "../event-state.ts";
import type { CommandKey } from "../facts.ts";
import type { ActiveHold } from "../hold-book.ts";
import { endOf } from "../holds.ts";
import type { UserId, WaitlistEntryId } from "../ids.ts";
import { PLACES_PER_HOLD_MAX, WAITLIST_ENTRIES_MAX } from "../limits.ts";
import { refuseByChurn } from "../places.ts";
import type { Decision, Refusal } from "../replies.ts";
import type { WaitlistEntry } from "../waitlist.ts";
import { accept, answer, nextFact, refuse } from "./outcome.ts";

/** Waits for places, in the order of priority, then of arrival. */
export interface JoinWaitlist {
  readonly kind: "joinWaitlist";
  /** Fresh; the ids after it are reserved for the hold that may be offered. */
  readonly entryId: WaitlistEntryId;
  readonly userId: UserId;
  readonly quantity: number;
  /** Indexes, ascending; null: any. */
  readonly categories: readonly number[] | null;
  readonly priority: number;
  readonly key: CommandKey | null;
}

/** Waits no longer; who has been offered places meanwhile gives them back, to the next in line. */
export interface LeaveWaitlist {
  readonly kind: "leaveWaitlist";
  readonly userId: UserId;
}

export function joinWaitlist(state: EventState, command: JoinWaitlist, nowMs: number): Decision {
  const { definition, waitlist } = state;
  if (definition === null) return refuse({ code: "event_not_found" });
  const waiting = waitlist.ofUser(command.userId);
  if (waiting !== undefined) {
    if (!isSameWish(waiting, command)) return refuse({ code: "already_waiting" });
    return answer({
      kind: "waiting",
      entry: waiting,
      position: waitlist.positionOf(waiting.entryId),
    });
  }
  const offer = openOffer(state, command.userId);
  if (offer !== undefined) return answer({ kind: "hold", hold: offer });
  const refusal = refuseWaiting(state, command, nowMs);
  if (refusal !== null) return refuse(refusal);
  const { entryId, userId, quantity, categories, priority } = command;
  const base = nextFact(state, nowMs, command.key);
  const { seq, atMs } = base;
  const entry = { entryId, userId, quantity, categories, priority, seq, atMs };
  return accept({ kind: "queued", ...base, entry });
}

function isSameWish(entry: WaitlistEntry, { quantity, categories, priority }: JoinWaitlist) {
  const isSame = entry.quantity === quantity && entry.priority === priority;
  return isSame && JSON.stringify(entry.categories) === JSON.stringify(categories);
}

/** What the buyer was offered and does not pay for yet. One that is being paid for is wanted. */
const openOffer = ({ holds }: EventState, userId: UserId): ActiveHold | undefined =>
  holds.offersTo(userId).find(({ paying }) => paying === null);

/** Where places are free, who joins is offered them at once: a churn wait is one here, too. */
function refuseWaiting(
  state: EventState,
  { userId, quantity }: JoinWaitlist,
  nowMs: number,
): Refusal | null {
  const { definition, waitlist } = state;
  if (definition === null || definition.status === "cancelled") return { code: "event_cancelled" };
  const { salesCloseMs, perOrderMax, perUserMax } = definition;
  if (salesCloseMs !== null && nowMs >= salesCloseMs) return { code: "sales_closed" };
  const churn = refuseByChurn(state, definition, { userId, nowMs });
  if (churn !== null) return churn;
  const limit = Math.min(perOrderMax, perUserMax, PLACES_PER_HOLD_MAX);
  if (quantity > limit) {
    return { code: "limit_exceeded", scope: "perOrder", limit, current: quantity };
  }
  return waitlist.count >= WAITLIST_ENTRIES_MAX ? { code: "busy" } : null;
}

export function leaveWaitlist(state: EventState, command: LeaveWaitlist, nowMs: number): Decision {
  const entry = state.waitlist.ofUser(command.userId);
  if (entry === undefined) {
    const offer = openOffer(state, command.userId);
    if (offer === undefined) return answer({ kind: "unchanged" });
    return accept(endOf(state, offer, "released", nowMs));
  }
  const { entryId, userId } = entry;
  return accept({ kind: "unqueued", ...nextFact(state, nowMs), entryId, userId, reason: "left" });
}
