/** Every booking as it is now, against what was told, its history and its event's state. */
import type { BookingShape, ItemShape } from "../support/shapes.ts";
import type { LogEntry } from "./event-log.ts";
import { diff, isSameBooking, type Ledger } from "./ledger.ts";
import type { Stage } from "./scenery.ts";
import type { Faults } from "./teller.ts";

/** An event when all is over. */
export interface Outcome {
  readonly stage: Stage;
  readonly log: readonly LogEntry[];
  readonly bookings: readonly BookingShape[];
}

export const dueOf = ({ price, due = price }: ItemShape): number => due;

export const standing = ({ tickets }: BookingShape) =>
  tickets.filter(({ status }) => status === "valid");

export function checkBookings({ stage, log, bookings }: Outcome, ledger: Ledger, faults: Faults) {
  const changes = new Map<string, LogEntry[]>();
  for (const entry of log) {
    const { bookingId } = entry;
    if (bookingId === null) continue;
    const known = changes.get(bookingId) ?? [];
    known.push(entry);
    changes.set(bookingId, known);
  }
  const known = new Map(bookings.map((booking) => [booking.id, booking]));
  for (const { told } of ledger.bookings.values()) {
    if (told.eventId !== stage.eventId) continue;
    faults.check(known.has(told.id), () => `${stage.name}: booking ${told.id} is lost`);
  }
  for (const booking of bookings) {
    const history = changes.get(booking.id) ?? [];
    checkTold(booking, history, ledger, faults);
    checkHistory(booking, history, faults);
    checkState(stage, booking, faults);
  }
}

/** It is what was told last, or something has happened since. */
function checkTold(
  booking: BookingShape,
  history: readonly LogEntry[],
  ledger: Ledger,
  faults: Faults,
): void {
  const known = ledger.bookings.get(booking.id);
  if (known === undefined) return faults.add(`booking ${booking.id} was made, and nobody was told`);
  const { told, seqs, codes } = known;
  const handedOver = history.flatMap(({ change, seq }) => (change === "transferred" ? [seq] : []));
  for (const wrong of codes.faultsOf(booking, handedOver)) {
    faults.add(`booking ${booking.id}: ${wrong}`);
  }
  faults.check(
    booking.seq > told.seq || isSameBooking(booking, told),
    () => `booking ${booking.id} is not what was told: ${diff(booking, told)}`,
  );
  const happened = new Set(history.map(({ seq }) => seq));
  for (const seq of seqs) {
    faults.check(happened.has(seq), () => `booking ${booking.id}: nothing happened at seq ${seq}`);
  }
}

interface Fate {
  /** Somebody has cancelled it while it waited for its money. */
  isUnwanted: boolean;
  status: "pending_payment" | "confirmed" | "cancelled";
  /** By ticket: whether it was cancelled, somebody entered, and the seat that it was moved to. */
  readonly tickets: Map<string, { isCancelled: boolean; hasEntered: boolean; seat: string | null }>;
}

/** The changes of a booking, in their order, lead from its making to what it is. */
function checkHistory(booking: BookingShape, history: readonly LogEntry[], faults: Faults): void {
  const names = history.map(({ change }) => change).join(" ");
  const fault = (what: string): void =>
    faults.add(`booking ${booking.id} (${booking.status}), ${names}: ${what}`);
  const [first] = history;
  if (first?.change !== "booked" && first?.change !== "payment_started") {
    return fault("does not begin with its making");
  }
  if (history.at(-1)?.seq !== booking.seq) fault(`does not end at seq ${booking.seq}`);
  const fate: Fate = {
    isUnwanted: false,
    status: first.change === "booked" ? "confirmed" : "pending_payment",
    tickets: new Map(
      booking.tickets.map(({ id }) => [id, { isCancelled: false, hasEntered: false, seat: null }]),
    ),
  };
  for (const entry of history.slice(1)) {
    const wrong = happen(fate, entry);
    if (wrong !== null) fault(`${entry.change} at ${entry.seq}: ${wrong}`);
  }
  const status = booking.status === "refunded" ? "cancelled" : booking.status;
  if (fate.status !== status) fault(`leads to ${fate.status}`);
  for (const { id, status: is, checkedInAt, seat } of booking.tickets) {
    const { isCancelled, hasEntered, seat: movedTo } = fate.tickets.get(id) ?? untouched();
    const isGone = isCancelled || fate.status === "cancelled";
    if ((is === "cancelled") !== isGone) fault(`ticket ${id} is ${is}`);
    if ((checkedInAt !== undefined) !== hasEntered)
      fault(`ticket ${id}: checked in ${checkedInAt}`);
    if (movedTo !== null && movedTo !== seat) fault(`ticket ${id} is in ${seat}, not ${movedTo}`);
  }
}

function untouched(): { isCancelled: boolean; hasEntered: boolean; seat: string | null } {
  return { isCancelled: false, hasEntered: false, seat: null };
}

/** One change; what is wrong with it, or null. */
function happen(fate: Fate, { change, tickets = [], from, to, userId }: LogEntry): string | null {
  const named = tickets.flatMap((id) => fate.tickets.get(id) ?? []);
  const isConfirmed = fate.status === "confirmed";
  switch (change) {
    case "booked":
    case "paid_late":
      if (isConfirmed) return "it was confirmed already";
      if (fate.isUnwanted) return "nobody wanted it any more";
      if (change === "booked" && fate.status !== "pending_payment") {
        // A hold that outlived its failed payment: the money bought it after all.
        if (fate.status !== "cancelled") return `it was ${fate.status}`;
      }
      fate.status = "confirmed";
      for (const ticket of fate.tickets.values()) ticket.isCancelled = false;
      return null;
    case "payment_failed":
    case "payment_expired":
      if (fate.status !== "pending_payment") return `it was ${fate.status}`;
      fate.status = "cancelled";
      return null;
    case "paid_in_vain":
      if (isConfirmed) return "it was confirmed already";
      fate.status = "cancelled";
      return null;
    case "refund_settled":
      return null;
    case "cancelled":
      if (userId !== null) fate.isUnwanted ||= fate.status === "pending_payment";
      if (fate.status === "pending_payment") fate.status = "cancelled";
      else if (!isConfirmed) return `it was ${fate.status}`;
      else if (named.some(({ isCancelled }) => isCancelled)) return "a ticket goes twice";
      for (const ticket of named) ticket.isCancelled = true;
      if ([...fate.tickets.values()].every(({ isCancelled }) => isCancelled)) {
        fate.status = "cancelled";
      }
      return null;
    default:
      break;
  }
  if (!isConfirmed) return `it was ${fate.status}`;
  if (change !== "transferred" && named.some(({ isCancelled }) => isCancelled)) {
    return "the ticket was cancelled";
  }
  switch (change) {
    case "transferred":
      return null;
    case "ticket_moved":
      for (const ticket of named) {
        if (ticket.seat !== null && ticket.seat !== from) return `it was in ${ticket.seat}`;
        ticket.seat = to ?? null;
      }
      return null;
    case "checked_in":
    case "check_in_undone": {
      const enters = change === "checked_in";
      const isWrong = named.some(({ hasEntered }) => hasEntered === enters);
      for (const ticket of named) ticket.hasEntered = enters;
      return isWrong ? "twice in a row" : null;
    }
    default:
      return "nobody knows this change";
  }
}

function checkState(stage: Stage, booking: BookingShape, faults: Faults): void {
  const { id, status, tickets, total, payment } = booking;
  const fault = (what: string): void => faults.add(`${stage.name}: booking ${id} ${what}`);
  if (status === "pending_payment") fault("still waits for its money");
  const isOver = status === "cancelled" || status === "refunded";
  if (stage.isCancelled && !isOver) fault(`is ${status}, and its event is cancelled`);
  const valid = standing(booking).length;
  if (isOver !== (valid === 0)) fault(`is ${status} with ${valid} valid tickets`);
  const sum = tickets.reduce((all, ticket) => all + dueOf(ticket), 0);
  if (sum !== total.amount) fault(`costs ${total.amount}, its tickets ${sum}`);
  const isPaid = payment?.status === "paid";
  const paidBack = (payment?.refunds ?? []).reduce((all, { amount }) => all + amount.amount, 0);
  if (status === "refunded" && !(isPaid && paidBack === payment.amount.amount)) {
    fault(`is refunded, but ${paidBack} went back`);
  }
  if (status === "cancelled" && isPaid && paidBack > 0) fault("is cancelled, not refunded");
}
