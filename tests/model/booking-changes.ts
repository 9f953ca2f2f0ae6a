/** What a booking becomes, change by change. */
import type {
  BookingLater,
  BookingPayment,
  BookingRecord,
  Refund,
  TicketFate,
} from "../../engine/booking.ts";
import type { BookingChanged } from "../../engine/facts.ts";
import type { ActiveHold } from "../../engine/hold-book.ts";
import { keptOf, promoOf, refusalByPlaces } from "./availability.ts";
import {
  fateIn,
  type ModelState,
  ordinalIn,
  positionsIn,
  standingIn,
  statusIn,
} from "./model-state.ts";
import { costIn, dueOf, sumOf } from "./prices.ts";
import { refundIdIn } from "./routed-ids.ts";

type At = Pick<BookingChanged, "seq" | "atMs">;

const paymentIn = ({ later }: BookingRecord): BookingPayment | null => later?.payment ?? null;

/** A pending booking as it begins. */
export function pendingRecord(
  record: BookingRecord,
  payment: Pick<BookingPayment, "provider" | "intentId" | "payUntilMs">,
  { seq, atMs }: At,
): BookingRecord {
  const { provider, intentId, payUntilMs } = payment;
  const amountMinor = sumOf(record.items);
  const asked = {
    provider,
    intentId,
    amountMinor,
    payUntilMs,
    status: "pending",
    refunds: [],
  } as const;
  const status = "pending_payment";
  const later = { status, seq, atMs, tickets: null, payment: asked, cancelled: null } as const;
  return { ...record, later };
}

export function paidRecord(record: BookingRecord, { seq, atMs }: At): BookingRecord {
  const payment = paymentIn(record);
  if (payment === null) return record;
  const paid = { ...payment, status: "paid" } as const;
  const status = "confirmed";
  return { ...record, later: { status, seq, atMs, tickets: null, payment: paid, cancelled: null } };
}

/** Whether a hold is still what the booking was to be made of. */
export function isUnchanged(hold: ActiveHold, record: BookingRecord): boolean {
  const contentsOf = ({
    items,
    ordinals,
    terms,
  }: Pick<ActiveHold, "items" | "ordinals" | "terms">) =>
    JSON.stringify([
      items.map((item, n) => [item.place, dueOf(item), ordinalIn({ ordinals }, n)]),
      [...(terms?.kept ?? [])].sort((a, b) => a - b),
    ]);
  return contentsOf(hold) === contentsOf(record);
}

/** Whether a hold has become another booking that stands, or that somebody has cancelled. */
function isSoldAgain({ bookings }: ModelState, { bookingId, holdId }: BookingRecord): boolean {
  for (const { record: other } of bookings.values()) {
    if (other.holdId !== holdId || other.bookingId === bookingId) continue;
    if (statusIn(other) === "confirmed" || other.later?.cancelled?.by != null) return true;
  }
  return false;
}

/**
 * What money buys that comes now: the hold that waits for it or was not changed since it did; the
 * same places, when that hold is over and all of them are free again; or nothing. Neither for who
 * has cancelled, nor of a cancelled event, nor what another booking of the hold has.
 */
export function boughtBy(state: ModelState, record: BookingRecord): "hold" | "places" | "nothing" {
  const isWanted =
    state.definition?.status === "published" && (record.later?.cancelled?.by ?? null) === null;
  if (!isWanted) return "nothing";
  const hold = state.holds.get(record.holdId);
  if (hold !== undefined) {
    const isFree = hold.paying === null || hold.paying === record.bookingId;
    return hold.userId === record.userId && isFree && isUnchanged(hold, record)
      ? "hold"
      : "nothing";
  }
  if (isSoldAgain(state, record)) return "nothing";
  const places = record.items.map(({ place }) => place);
  const refusal = refusalByPlaces(state, places, record.terms?.channel ?? null);
  return refusal === null ? "places" : "nothing";
}

/**
 * What a change must make of a booking: of the fact it takes only what somebody has asked for, or
 * the provider said. A sentence: it may not happen.
 */
export function changedRecord(
  state: ModelState,
  before: BookingRecord,
  fact: BookingChanged,
): BookingRecord | string {
  switch (fact.change) {
    case "cancelled":
      return cancelled(before, fact);
    case "payment_expired":
      return unpaid(before, "expired", fact);
    case "payment_failed":
      return unpaid(before, "failed", fact);
    case "paid_late":
      return paidLate(state, before, fact);
    case "paid_in_vain":
      return paidInVain(state, before, fact);
    case "refund_settled":
      return refundSettled(before, fact);
    case "ticket_moved":
      return moved(state, before, fact);
    case "transferred":
      return transferred(state, before, fact);
    case "buyer_forgotten":
      return forgotten(before, fact);
    case "checked_in":
    case "check_in_undone":
      return entered(before, fact);
    default:
      return `nobody knows a change "${String(fact.change)}"`;
  }
}

function unpaid(
  before: BookingRecord,
  status: "failed" | "expired",
  { seq, atMs, by, reason }: Pick<BookingChanged, "seq" | "atMs" | "by" | "reason">,
): BookingRecord | string {
  const payment = paymentIn(before);
  if (statusIn(before) !== "pending_payment" || payment === null) return "it waits for no money";
  const tickets = before.items.map(() => ({ cancelledAtMs: atMs, checkedInAtMs: null }));
  const ended = { ...payment, status };
  const cancelled = { atMs, by, reason };
  return {
    ...before,
    later: { status: "cancelled", seq, atMs, tickets, payment: ended, cancelled },
  };
}

function cancelled(before: BookingRecord, fact: BookingChanged): BookingRecord | string {
  const { tickets, by, reason, seq, atMs } = fact;
  if (statusIn(before) === "pending_payment") return unpaid(before, "expired", fact);
  const standing = standingIn(before);
  const isAny = tickets.length > 0 && tickets.every((n) => standing.includes(n));
  if (!isAny) return "only tickets that stand are cancelled";
  const fates = positionsIn(before).map((n) => {
    const fate = fateIn(before, n);
    return tickets.includes(n) ? { ...fate, cancelledAtMs: atMs } : fate;
  });
  const isWhole = standing.every((n) => tickets.includes(n));
  const goesBack = sumOf(tickets.flatMap((n) => before.items[n] ?? []));
  const payment = withRefund(paymentIn(before), goesBack, reason ?? "cancelled");
  const later: BookingLater = {
    status: !isWhole ? "confirmed" : isPaidBack(payment) ? "refunded" : "cancelled",
    seq,
    atMs,
    tickets: fates,
    payment,
    cancelled: isWhole ? { atMs, by, reason } : null,
  };
  return { ...before, later };
}

function withRefund(
  payment: BookingPayment | null,
  amountMinor: number,
  reason: string,
): BookingPayment | null {
  if (payment === null || payment.status !== "paid" || amountMinor === 0) return payment;
  const refundId = refundIdIn(payment.intentId, payment.refunds.length);
  const refund = { refundId, amountMinor, reason, status: "due" } as const;
  return { ...payment, refunds: [...payment.refunds, refund] };
}

function isPaidBack(payment: BookingPayment | null): boolean {
  const done = payment?.refunds.filter(({ status }) => status === "done") ?? [];
  const sum = done.reduce((total, { amountMinor }) => total + amountMinor, 0);
  return payment?.status === "paid" && sum === payment.amountMinor;
}

function paidLate(
  state: ModelState,
  before: BookingRecord,
  fact: BookingChanged,
): BookingRecord | string {
  const status = paymentIn(before)?.status;
  if (status !== "failed" && status !== "expired") return "its money came already, or may in time";
  if (boughtBy(state, before) !== "places") return "its places may not be bought any more";
  const places = before.items.map(({ place }) => place);
  const { terms } = before;
  const kept = keptOf(state, places, terms?.channel ?? null);
  return paidRecord({ ...before, terms: terms === null ? null : { ...terms, kept } }, fact);
}

function paidInVain(
  state: ModelState,
  before: BookingRecord,
  fact: BookingChanged,
): BookingRecord | string {
  const { seq, atMs } = fact;
  const payment = paymentIn(before);
  if (payment === null || payment.status === "paid") return "its money came already, or never";
  const bought = boughtBy(state, before);
  if (bought !== "nothing") return `its money would have bought its ${bought}`;
  const ended = statusIn(before) === "pending_payment" ? unpaid(before, "expired", fact) : before;
  if (typeof ended === "string" || ended.later === null) return "it was not made for money";
  const paid = withRefund({ ...payment, status: "paid" }, payment.amountMinor, "paid_too_late");
  return { ...ended, later: { ...ended.later, seq, atMs, payment: paid } };
}

function refundSettled(before: BookingRecord, fact: BookingChanged): BookingRecord | string {
  const { booking, reason, seq, atMs } = fact;
  const payment = paymentIn(before);
  if (payment === null || before.later === null) return "nothing of it was paid";
  if (reason !== "done" && reason !== "failed") return `a refund is not "${reason}"`;
  const told = paymentIn(booking)?.refunds ?? [];
  const at = payment.refunds.findIndex(
    ({ status }, n) => status !== "done" && status !== reason && told[n]?.status === reason,
  );
  if (at < 0) return "no refund was due";
  const refunds = payment.refunds.map(
    (refund, n): Refund => (n === at ? { ...refund, status: reason } : refund),
  );
  const settled = { ...payment, refunds };
  const isOver = statusIn(before) === "cancelled" && isPaidBack(settled);
  const status = isOver ? "refunded" : before.later.status;
  return { ...before, later: { ...before.later, status, seq, atMs, payment: settled } };
}

/** The one ticket that a fact is about, which stands in a confirmed booking. */
function ticketOf(before: BookingRecord, { tickets }: BookingChanged): number | null {
  const [at = -1] = tickets;
  return tickets.length === 1 && standingIn(before).includes(at) ? at : null;
}

function moved(
  state: ModelState,
  before: BookingRecord,
  fact: BookingChanged,
): BookingRecord | string {
  const { definition } = state;
  const at = ticketOf(before, fact);
  const old = at === null ? undefined : before.items[at];
  if (at === null || old === undefined || definition === null)
    return "no ticket of it stands there";
  if (fateIn(before, at).checkedInAtMs !== null) return "somebody has entered with the ticket";
  if (definition.status === "cancelled") return "the event is cancelled";
  const place = fact.booking.items[at]?.place ?? -1;
  if (old.place < 0 || place < 0) return "only seats are moved";
  const { terms } = before;
  const channel = terms?.channel ?? null;
  if (refusalByPlaces(state, [place], channel) !== null) return `seat ${place} is not to be had`;
  const category = state.categoryOf(place) ?? -1;
  const cost = costIn(definition, category, promoOf(definition, terms?.promoCode ?? null));
  const by = dueOf({ ...old, ...cost }) - dueOf(old);
  // Whoever paid, or had to pay nothing, pays no more for it.
  const isSettled = paymentIn(before) !== null || sumOf(before.items) === 0;
  const { priceMinor, charge } = by > 0 && isSettled ? old : cost;
  const items = before.items.with(at, { place, category, priceMinor, charge });
  const staying = standingIn(before).filter(
    (n) => n !== at && terms?.kept.includes(items[n]?.place ?? -1),
  );
  const places = (terms?.kept ?? []).filter((kept) =>
    staying.some((n) => items[n]?.place === kept),
  );
  const kept = [...new Set([...places, ...keptOf(state, [place], channel)])];
  const later: BookingLater = {
    status: "confirmed",
    seq: fact.seq,
    atMs: fact.atMs,
    tickets: before.later?.tickets ?? before.items.map((): TicketFate => NO_FATE),
    payment: withRefund(paymentIn(before), Math.max(-by, 0), "cheaper_seat"),
    cancelled: null,
  };
  return { ...before, items, terms: terms === null ? null : { ...terms, kept }, later };
}

const NO_FATE: TicketFate = { cancelledAtMs: null, checkedInAtMs: null };

function transferred(
  state: ModelState,
  before: BookingRecord,
  fact: BookingChanged,
): BookingRecord | string {
  const { seq, atMs, booking } = fact;
  const { userId, email, ticketCodes } = booking;
  if (statusIn(before) !== "confirmed")
    return `a booking that is ${statusIn(before)} stays whose it is`;
  const isIn = standingIn(before).some((n) => fateIn(before, n).checkedInAtMs !== null);
  if (isIn) return "somebody has entered with a ticket of it";
  if (userId === before.userId && email === before.email) return "it is theirs already";
  const tickets = before.later === null ? before.items.map(() => NO_FATE) : before.later.tickets;
  const payment = paymentIn(before);
  const later = { status: "confirmed", seq, atMs, tickets, payment, cancelled: null } as const;
  const after = { ...before, userId, email, ticketCodes, later };
  if (userId !== before.userId) return flawOfCodes(state, booking) ?? after;
  return { ...after, ticketCodes: before.ticketCodes };
}

/** What is wrong with the codes that a booking's tickets get; null: each has one that is new. */
export function flawOfCodes(
  state: ModelState,
  { items, ticketCodes }: Pick<BookingRecord, "items" | "ticketCodes">,
): string | null {
  if (ticketCodes.length !== items.length) {
    return `${ticketCodes.length} ticket codes for ${items.length} places`;
  }
  const used = ticketCodes.find(
    (code, n) => state.ticketCodes.has(code) || ticketCodes.indexOf(code) < n,
  );
  return used === undefined ? null : `ticket code ${used} was used`;
}

function forgotten(before: BookingRecord, { seq, atMs, by }: BookingChanged) {
  if (statusIn(before) === "pending_payment") return "its hold waits for money for it";
  if (before.email === null) return "it has no address";
  if (by !== before.userId) return "only its owner can be gone from it";
  const plain = { status: "confirmed", tickets: null, payment: null, cancelled: null } as const;
  return { ...before, email: null, later: { ...plain, ...before.later, seq, atMs } };
}

function entered(before: BookingRecord, fact: BookingChanged): BookingRecord | string {
  const { seq, atMs, change } = fact;
  const at = ticketOf(before, fact);
  if (at === null) return "no ticket of it stands there";
  const isIn = fateIn(before, at).checkedInAtMs !== null;
  if (isIn === (change === "checked_in")) return isIn ? "it was used already" : "nobody used it";
  const checkedInAtMs = isIn ? null : atMs;
  const tickets = positionsIn(before).map((n) =>
    n === at ? { cancelledAtMs: null, checkedInAtMs } : fateIn(before, n),
  );
  const payment = paymentIn(before);
  return {
    ...before,
    later: { status: "confirmed", seq, atMs, tickets, payment, cancelled: null },
  };
}
