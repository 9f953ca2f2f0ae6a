/** What commands about bookings have to be told. */
import type { BookingRecord } from "../../engine/booking.ts";
import { ITEM_IDS_PER_HOLD } from "../../engine/limits.ts";
import type { Refusal } from "../../engine/replies.ts";
import { unreachable } from "../../engine/unreachable.ts";
import type { Operation } from "../../workers/shard-messages.ts";
import { promoOf, refusalByPlaces } from "./availability.ts";
import type { Expected } from "./expected.ts";
import {
  fateIn,
  type ModelBooking,
  type ModelState,
  ordinalIn,
  positionsIn,
  standingIn,
  statusIn,
} from "./model-state.ts";
import { costIn, dueOf, sumOf } from "./prices.ts";
import { itemIdIn } from "./routed-ids.ts";

type Of<Kind extends Operation["kind"]> = Extract<Operation, { kind: Kind }>;
type BookingCommand = Of<
  | "settlePayment"
  | "settleRefund"
  | "cancel"
  | "moveTicket"
  | "transfer"
  | "checkIn"
  | "forgetBuyer"
>;

const accepted: Expected = { kind: "accepted" };
const unchanged: Expected = { kind: "unchanged" };
const refused = (refusal: Refusal): Expected => ({ kind: "refused", refusal });

export function ofBookingCommand(
  state: ModelState,
  command: BookingCommand,
  nowMs: number,
): Expected {
  switch (command.kind) {
    case "settlePayment":
      return ofPayment(state, command);
    case "settleRefund":
      return ofRefund(state, command);
    case "cancel":
      return ofCancel(state, command, nowMs);
    case "moveTicket":
      return ofMove(state, command);
    case "transfer":
      return ofTransfer(state, command);
    case "forgetBuyer":
      return ofForgetting(state, command);
    case "checkIn":
      return ofCheckIn(state, command);
    default:
      return unreachable(command);
  }
}

function paidFor(state: ModelState, { intentId }: Of<"settlePayment" | "settleRefund">) {
  const bookingId = state.intents.get(intentId);
  const record = bookingId === undefined ? undefined : state.bookings.get(bookingId)?.record;
  return record?.later?.payment ?? null;
}

/** Money that is there is there, whatever comes later; and a failure is told once. */
function ofPayment(state: ModelState, command: Of<"settlePayment">): Expected {
  const payment = paidFor(state, command);
  if (payment === null) return refused({ code: "intent_not_found" });
  if (payment.status === "paid") return unchanged;
  return command.outcome === "succeeded" || payment.status === "pending" ? accepted : unchanged;
}

function ofRefund(state: ModelState, command: Of<"settleRefund">): Expected {
  const payment = paidFor(state, command);
  const refund = payment?.refunds.find(({ refundId }) => refundId === command.refundId);
  if (refund === undefined) return refused({ code: "intent_not_found" });
  // Money that is back is back; and a failure is told once.
  if (refund.status === "done") return unchanged;
  return command.outcome === "succeeded" || refund.status === "due" ? accepted : unchanged;
}

/** Another buyer's booking does not exist. */
function bookingFor(
  state: ModelState,
  { bookingId, userId, asOrganizer }: Of<"cancel" | "moveTicket" | "transfer">,
): ModelBooking | null {
  const known = state.bookings.get(bookingId);
  return known !== undefined && (asOrganizer || known.record.userId === userId) ? known : null;
}

const notFound = refused({ code: "booking_not_found" });

const ticketIdsOf = (record: BookingRecord) =>
  positionsIn(record).map((n) => itemIdIn(record.holdId, ordinalIn(record, n)));

function asItIs({ record, seq }: ModelBooking): Expected {
  return { kind: "booking", booking: { record, seq } };
}

function ofCancel(state: ModelState, command: Of<"cancel">, nowMs: number): Expected {
  const known = bookingFor(state, command);
  if (known === null) return notFound;
  const { record } = known;
  const ids = ticketIdsOf(record);
  const asked = command.tickets ?? ids;
  if (asked.some((id) => !ids.includes(id))) return refused({ code: "ticket_not_found" });
  const isPending = statusIn(record) === "pending_payment";
  const standing = (isPending ? positionsIn(record) : standingIn(record)).filter((n) =>
    asked.some((id) => id === ids[n]),
  );
  if (standing.length === 0) return asItIs(known);
  if (isPending && standing.length < ids.length) return refused({ code: "booking_pending" });
  if (command.asOrganizer) return accepted;
  const closedAtMs = state.definition?.cancelUntilMs ?? null;
  if (!isPending && closedAtMs !== null && nowMs >= closedAtMs) {
    return refused({ code: "cancellation_closed", closedAtMs });
  }
  return unless(enteredAmong(record, standing));
}

const unless = (refusal: Refusal | null): Expected =>
  refusal === null ? accepted : refused(refusal);

function enteredAmong(record: BookingRecord, positions: readonly number[]): Refusal | null {
  for (const n of positions) {
    const atMs = fateIn(record, n).checkedInAtMs;
    if (atMs !== null) return { code: "already_checked_in", atMs };
  }
  return null;
}

/** Only a ticket that stands in a confirmed booking admits. */
function refusalOfTicket(record: BookingRecord, at: number): Refusal | null {
  const status = statusIn(record);
  if (status === "pending_payment") return { code: "booking_pending" };
  if (status !== "confirmed") return { code: "booking_cancelled" };
  return standingIn(record).includes(at) ? null : { code: "ticket_cancelled" };
}

function ofMove(state: ModelState, command: Of<"moveTicket">): Expected {
  const known = bookingFor(state, command);
  const { definition } = state;
  if (known === null || definition === null) return notFound;
  const { record } = known;
  const { terms } = record;
  const at = ticketIdsOf(record).indexOf(command.ticketId);
  const old = record.items[at];
  if (old === undefined) return refused({ code: "ticket_not_found" });
  const refusal = refusalOfTicket(record, at);
  if (refusal !== null) return refused(refusal);
  if (old.place < 0) return refused({ code: "ticket_not_movable" });
  const { seat } = command;
  if (seat < 0) return refused({ code: "unknown_place", places: [seat] });
  if (definition.status === "cancelled") return refused({ code: "event_cancelled" });
  const entered = enteredAmong(record, [at]);
  if (entered !== null) return refused(entered);
  const taken = refusalByPlaces(state, [seat], terms?.channel ?? null);
  if (taken !== null) return refused(taken);
  const promo = promoOf(definition, terms?.promoCode ?? null);
  const cost = costIn(definition, state.categoryOf(seat) ?? -1, promo);
  const differenceMinor = dueOf({ ...old, ...cost }) - dueOf(old);
  const payment = record.later?.payment ?? null;
  const isSettled = payment !== null || sumOf(record.items) === 0;
  if (differenceMinor > 0 && isSettled && !command.asOrganizer) {
    return refused({ code: "price_differs", differenceMinor });
  }
  const refunds = payment?.refunds.length ?? 0;
  const isRefund = differenceMinor < 0 && payment !== null;
  if (isRefund && refunds + 1 + standingIn(record).length > ITEM_IDS_PER_HOLD) {
    return refused({ code: "ticket_not_movable" });
  }
  return accepted;
}

function ofTransfer(state: ModelState, command: Of<"transfer">): Expected {
  const known = bookingFor(state, command);
  if (known === null) return notFound;
  const { record } = known;
  if (record.userId === command.toUserId && record.email === command.email) return asItIs(known);
  const refusal = refusalOfTicket(record, standingIn(record)[0] ?? 0);
  return unless(refusal ?? enteredAmong(record, positionsIn(record)));
}

/** What has no address has nothing to forget. */
function ofForgetting(state: ModelState, { bookingId, userId }: Of<"forgetBuyer">): Expected {
  const known = state.bookings.get(bookingId);
  if (known === undefined || known.record.userId !== userId) return notFound;
  if (known.record.email === null) return asItIs(known);
  const isPending = statusIn(known.record) === "pending_payment";
  return isPending ? refused({ code: "booking_pending" }) : accepted;
}

function ofCheckIn(state: ModelState, { ticketCode, undo }: Of<"checkIn">): Expected {
  const bookingId = state.ticketCodes.get(ticketCode);
  const record = bookingId === undefined ? undefined : state.bookings.get(bookingId)?.record;
  if (record === undefined) return refused({ code: "ticket_not_found" });
  const at = record.ticketCodes.indexOf(ticketCode);
  // It was the code of who had the booking before.
  if (at < 0) return refused({ code: "ticket_not_found" });
  const refusal = refusalOfTicket(record, at);
  if (refusal !== null) return refused(refusal);
  const entered = enteredAmong(record, [at]);
  if (undo) return entered === null ? refused({ code: "not_checked_in" }) : accepted;
  return unless(entered);
}
