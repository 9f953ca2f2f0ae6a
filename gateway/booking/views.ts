/**
 * Facts and rows as the contract shows them. Everything public about a hold or booking is made
 * here.
 */
import {
  type BookingPayment,
  type BookingRecord,
  fateOf,
  type KnownBooking,
  type Refund,
  seqOf,
  statusOf,
  ticketIdOf,
  ticketStatusOf,
} from "../../engine/booking.ts";
import type { Charge } from "../../engine/charges.ts";
import type { Extended, Held, HoldChanged } from "../../engine/facts.ts";
import type { ActiveHold } from "../../engine/hold-book.ts";
import { type ItemId, itemIdOf, type UserId } from "../../engine/ids.ts";
import { areaIndexOf, isSeat, type PlaceItem, totalMinor } from "../../engine/place.ts";
import type { ChosenGroup, HoldTerms } from "../../engine/terms.ts";
import type { EventEntry } from "../catalogue/event-directory.ts";
import { iso } from "./instant.ts";

export function money({ currency }: Pick<EventEntry, "currency">, amount: number): object {
  return { amount, currency };
}

/** Members are added one by one, where there are many views: spreading costs several times more. */
type View = Record<string, unknown>;

function itemView(event: EventEntry, id: ItemId, item: PlaceItem): View {
  const category = event.categoryKeys[item.category];
  const { place, priceMinor: price, charge } = item;
  const shown: View = isSeat(place)
    ? { id, seat: event.seatIds[place], category, price }
    : { id, area: event.areaKeys[areaIndexOf(place)], category, price };
  return charge === null ? shown : { ...shown, ...chargeView(charge) };
}

/** What was taken off the price and put on it; `due` is what the place costs in the end. */
function chargeView({ discountMinor, feeMinor, taxMinor, dueMinor }: Charge): object {
  return {
    ...(discountMinor === 0 ? {} : { discount: discountMinor }),
    ...(feeMinor === 0 ? {} : { fee: feeMinor }),
    ...(taxMinor === 0 ? {} : { tax: taxMinor }),
    due: dueMinor,
  };
}

export type ShownHold = Held | Extended | HoldChanged | ActiveHold;

/** A hold as the reply to its creation, its change, or a question shows it. */
export function holdView(event: EventEntry, hold: ShownHold): object {
  const { holdId, items, ordinals, terms, expiresAtMs, seq } = hold;
  const shown = {
    id: holdId,
    eventId: event.eventId,
    items: items.map((item, index) =>
      itemView(
        event,
        itemIdOf(holdId, ordinals === null ? index : (ordinals[index] ?? index)),
        item,
      ),
    ),
    total: money(event, totalMinor(items)),
    expiresAt: iso(expiresAtMs),
    status: "active",
    seq,
  };
  const paying = "paying" in hold && hold.paying !== null ? { bookingId: hold.paying } : null;
  if (terms === null && paying === null) return shown;
  return { ...shown, ...termsView(event, items, terms), ...paying };
}

function termsView(event: EventEntry, items: readonly PlaceItem[], terms: HoldTerms | null) {
  if (terms === null) return {};
  const { source, promoCode, chosen } = terms;
  return {
    ...(source === "waitlist" ? { source } : {}),
    ...(promoCode === null ? {} : { promoCode }),
    ...(chosen.length === 0
      ? {}
      : { bestAvailable: chosen.map((group) => chosenView(event, items, group)) }),
  };
}

/** Why these seats: where they are together, how far from the middle, and what they leave alone. */
function chosenView(
  event: EventEntry,
  items: readonly PlaceItem[],
  { from, count, distance, orphans }: ChosenGroup,
): object {
  const places = items.slice(from, from + count).map((item) => item.place);
  const rows = new Set(places.map((seat) => event.rows[event.seatRows[seat] ?? -1]));
  const [first] = rows;
  const zones = new Set([...rows].map((row) => row?.zone));
  return {
    seats: places.map((seat) => event.seatIds[seat]),
    row: rows.size === 1 ? (first?.name ?? null) : null,
    zone: zones.size === 1 ? (first?.zone ?? null) : null,
    distance,
    orphans,
  };
}

/** Who is shown a booking. */
export interface Reader {
  readonly userId: UserId;
  /** Whether they may act for the event's organisation. */
  readonly asOrganizer: boolean;
}

/**
 * A booking; its tickets' codes only for whose it is then, and for who organises the event: who has
 * just handed it over is shown the rest.
 */
export function bookingView(
  event: EventEntry,
  { record: booking, seq: firstSeq }: KnownBooking,
  { userId, asOrganizer }: Reader,
): object {
  const { items, later, terms } = booking;
  const mayEnter = asOrganizer || userId === booking.userId;
  const shown: View = {
    id: booking.bookingId,
    code: booking.code,
    eventId: event.eventId,
    holdId: booking.holdId,
    status: statusOf(booking),
    email: booking.email,
    tickets: items.map((_, index) => ticketView(event, booking, { index, withCode: mayEnter })),
    total: money(event, totalMinor(items)),
    createdAt: iso(booking.bookedAtMs),
  };
  if (terms !== null && terms.promoCode !== null) shown.promoCode = terms.promoCode;
  if (later !== null) {
    const { payment, cancelled } = later;
    if (payment !== null) shown.payment = paymentView(event, payment);
    if (cancelled !== null) {
      shown.cancelledAt = iso(cancelled.atMs);
      shown.cancelReason = cancelled.reason;
    }
  }
  shown.seq = seqOf(booking, firstSeq);
  return shown;
}

/** The ticket at a position of the booking, with or without the code that opens the door. */
export function ticketView(
  event: EventEntry,
  booking: BookingRecord,
  { index, withCode }: { readonly index: number; readonly withCode: boolean },
): object {
  const item = booking.items[index];
  if (item === undefined) return {};
  const { checkedInAtMs } = fateOf(booking, index);
  const shown = itemView(event, ticketIdOf(booking, index), item);
  if (withCode) shown.code = booking.ticketCodes[index];
  shown.status = ticketStatusOf(booking, index);
  if (checkedInAtMs !== null) shown.checkedInAt = iso(checkedInAtMs);
  return shown;
}

export function paymentView(event: EventEntry, payment: BookingPayment): object {
  const { provider, intentId, amountMinor, status, payUntilMs, refunds } = payment;
  return {
    provider,
    intentId,
    amount: money(event, amountMinor),
    status,
    payUntil: iso(payUntilMs),
    refunds: refunds.map((refund) => refundView(event, refund)),
  };
}

function refundView(event: EventEntry, { refundId, amountMinor, reason, status }: Refund): object {
  return { id: refundId, amount: money(event, amountMinor), reason, status };
}
