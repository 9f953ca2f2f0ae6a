import type { KnownBooking } from "../booking.ts";
import { type BookingLater, type BookingRecord, fateOf, statusOf, ticketIdOf } from "../booking.ts";
import type { EventState } from "../event-state.ts";
import { type BookingChanged, type CommandKey, movesFreeing } from "../facts.ts";
import type { ItemId, UserId } from "../ids.ts";
import { HELD, SOLD } from "../inventory.ts";
import { isPaidBack, refundsAfter, withoutMoney } from "../payments.ts";
import type { Decision, Refusal } from "../replies.ts";
import { type BookingRequester, findBooking } from "./find-booking.ts";
import { accept, answer, nextFact, refuse } from "./outcome.ts";

/** Cancels tickets of a booking, or all that stand; their places return to sale. */
export interface Cancel extends BookingRequester {
  readonly kind: "cancel";
  /** null: all. */
  readonly tickets: readonly ItemId[] | null;
  readonly reason: string | null;
  readonly key: CommandKey | null;
}

export function cancel(state: EventState, command: Cancel, nowMs: number): Decision {
  const known = findBooking(state, command);
  if (known === null) return refuse({ code: "booking_not_found" });
  const { record } = known;
  const asked = positionsOf(record, command.tickets);
  if ("code" in asked) return refuse(asked);
  const standing = asked.filter((index) => fateOf(record, index).cancelledAtMs === null);
  if (standing.length === 0) return answer({ kind: "booking", booking: known });
  const refusal = refuseCancelling(state, record, command, { standing, nowMs });
  if (refusal !== null) return refuse(refusal);
  const { userId: by, reason, key } = command;
  const fact = cancellationOf(state, known, { tickets: standing, by, reason, nowMs });
  return accept({ ...fact, key });
}

function positionsOf(
  record: BookingRecord,
  tickets: readonly ItemId[] | null,
): readonly number[] | Refusal {
  const all = record.items.map((_, index) => index);
  if (tickets === null) return all;
  const found = all.filter((index) => tickets.includes(ticketIdOf(record, index)));
  return found.length === new Set(tickets).size ? found : { code: "ticket_not_found" };
}

interface Asked {
  readonly standing: readonly number[];
  readonly nowMs: number;
}

function refuseCancelling(
  { definition }: EventState,
  record: BookingRecord,
  { asOrganizer, tickets }: Cancel,
  { standing, nowMs }: Asked,
): Refusal | null {
  const isPending = statusOf(record) === "pending_payment";
  if (isPending && tickets !== null && standing.length < record.items.length) {
    return { code: "booking_pending" };
  }
  if (asOrganizer) return null;
  const untilMs = definition?.cancelUntilMs ?? null;
  if (!isPending && untilMs !== null && nowMs >= untilMs) {
    return { code: "cancellation_closed", closedAtMs: untilMs };
  }
  for (const index of standing) {
    const { checkedInAtMs } = fateOf(record, index);
    if (checkedInAtMs !== null) return { code: "already_checked_in", atMs: checkedInAtMs };
  }
  return null;
}

interface Cancelling {
  /** Positions of tickets that stand. */
  readonly tickets: readonly number[];
  /** null: nobody asked for it. */
  readonly by: UserId | null;
  readonly reason: string | null;
  readonly nowMs: number;
}

/** The fact that these tickets are cancelled, and what was paid for them goes back. */
export function cancellationOf(
  state: EventState,
  { record }: KnownBooking,
  { tickets, by, reason, nowMs }: Cancelling,
): BookingChanged {
  const base = nextFact(state, nowMs);
  const change = { kind: "bookingChanged", ...base, change: "cancelled", tickets, by } as const;
  if (statusOf(record) === "pending_payment") {
    const booking = withoutMoney(record, "expired", { ...base, by, reason });
    const moves = movesFreeing(record.items, record.terms, HELD);
    return { ...change, booking, reason, moves, holdEnd: by === null ? "cancelled" : "released" };
  }
  const fates = record.items.map((_, index) => {
    const fate = fateOf(record, index);
    return tickets.includes(index) ? { ...fate, cancelledAtMs: nowMs } : fate;
  });
  const isWhole = fates.every(({ cancelledAtMs }) => cancelledAtMs !== null);
  const payment = refundsAfter(record, tickets, reason ?? "cancelled");
  // The last tickets may have cost nothing, and what others cost be back already.
  const isOver = payment !== null && isPaidBack(payment);
  const later: BookingLater = {
    status: !isWhole ? "confirmed" : isOver ? "refunded" : "cancelled",
    seq: base.seq,
    atMs: nowMs,
    tickets: fates,
    payment,
    cancelled: isWhole ? { atMs: nowMs, by, reason } : null,
  };
  const items = record.items.filter((_, index) => tickets.includes(index));
  const moves = movesFreeing(items, record.terms, SOLD);
  return { ...change, booking: { ...record, later }, reason, moves, holdEnd: null };
}
