import { type BookingRecord, fateOf, STANDING, standingItems } from "../booking.ts";
import type { EventState } from "../event-state.ts";
import { type CommandKey, movesFreeing, movesTaking } from "../facts.ts";
import type { ItemId } from "../ids.ts";
import { SOLD } from "../inventory.ts";
import { ITEM_IDS_PER_HOLD } from "../limits.ts";
import { withRefund } from "../payments.ts";
import { dueMinor, isSeat, type Place, type PlaceItem, totalMinor } from "../place.ts";
import { keptAmong, openEvent, refuseByPlaces } from "../places.ts";
import { priced } from "../pricing.ts";
import { findPromo } from "../promo-codes.ts";
import type { Decision, Refusal } from "../replies.ts";
import { type BookingRequester, findBooking, findTicket } from "./find-booking.ts";
import { accept, nextFact, refuse } from "./outcome.ts";

/**
 * Gives a ticket another seat. A cheaper one pays the difference back where the booking was paid
 * for; a dearer one only the organiser may give then, who waives the difference. A booking that had
 * nothing to pay was paid for, too; only who was sent an invoice owes what the new seat costs.
 */
export interface MoveTicket extends BookingRequester {
  readonly kind: "moveTicket";
  readonly ticketId: ItemId;
  readonly seat: Place;
  readonly key: CommandKey | null;
}

export function moveTicket(state: EventState, command: MoveTicket, nowMs: number): Decision {
  const event = openEvent(state);
  const known = findBooking(state, command);
  if (known === null || event === null) return refuse({ code: "booking_not_found" });
  const { record } = known;
  const index = findTicket(record, command.ticketId);
  if (typeof index !== "number") return refuse(index);
  const before = record.items[index];
  if (before === undefined || !isSeat(before.place)) return refuse({ code: "ticket_not_movable" });
  if (!isSeat(command.seat)) return refuse({ code: "unknown_place", places: [command.seat] });
  const refusal =
    refuseMoving(state, record, index) ??
    refuseByPlaces(state, event.inventory, [command.seat], record.terms?.channel ?? null);
  if (refusal !== null) return refuse(refusal);
  const code = record.terms?.promoCode ?? null;
  const promo = code === null ? undefined : findPromo(event.definition.promoCodes, code);
  const item = priced(event.definition, event.inventory, command.seat, promo);
  const differenceMinor = dueMinor(item) - dueMinor(before);
  if (differenceMinor > 0 && isSettled(record) && !command.asOrganizer) {
    return refuse({ code: "price_differs", differenceMinor });
  }
  if (differenceMinor < 0 && !hasRefundIds(record)) return refuse({ code: "ticket_not_movable" });
  const base = nextFact(state, nowMs, command.key);
  const booking = moved(state, record, { index, item, differenceMinor, ...base });
  return accept({
    kind: "bookingChanged",
    ...base,
    change: "ticket_moved",
    booking,
    tickets: [index],
    by: command.userId,
    reason: null,
    moves: [
      ...movesFreeing([before], record.terms, SOLD),
      ...movesTaking([item], booking.terms, SOLD),
    ],
    holdEnd: null,
    differenceMinor: dueMinor(booking.items[index] ?? item) - dueMinor(before),
  });
}

function refuseMoving(
  { definition }: EventState,
  record: BookingRecord,
  index: number,
): Refusal | null {
  if (definition?.status === "cancelled") return { code: "event_cancelled" };
  const { checkedInAtMs } = fateOf(record, index);
  return checkedInAtMs === null ? null : { code: "already_checked_in", atMs: checkedInAtMs };
}

/** Whether its buyer owes nothing: it was paid for, or there was nothing to pay. */
const isSettled = ({ later, items }: BookingRecord): boolean =>
  later?.payment?.status === "paid" || totalMinor(items) === 0;

/** An intent has ids for this many refunds: one for this move, and one for each ticket later. */
function hasRefundIds(record: BookingRecord): boolean {
  const { payment } = record.later ?? {};
  if (payment == null) return true;
  return payment.refunds.length + 1 + standingItems(record).length <= ITEM_IDS_PER_HOLD;
}

interface Moving {
  readonly index: number;
  readonly item: PlaceItem;
  readonly differenceMinor: number;
  readonly seq: number;
  readonly atMs: number;
}

/** A ticket that was paid for keeps what it cost, less what goes back. */
function moved(
  state: EventState,
  record: BookingRecord,
  { index, item, differenceMinor, seq, atMs }: Moving,
): BookingRecord {
  const payment = record.later?.payment ?? null;
  const isPaidBack = payment?.status === "paid" && differenceMinor < 0;
  const refunds = isPaidBack ? withRefund(payment, -differenceMinor, "cheaper_seat") : [];
  const isWaived = isSettled(record) && differenceMinor > 0;
  const before = record.items[index];
  const waived = before === undefined || !isWaived ? item : { ...item, ...costOf(before) };
  const items = record.items.with(index, waived);
  const later = {
    status: "confirmed",
    seq,
    atMs,
    tickets: record.later?.tickets ?? record.items.map(() => STANDING),
    payment: payment !== null && isPaidBack ? { ...payment, refunds } : payment,
    cancelled: null,
  } as const;
  const { terms } = record;
  // A cancelled ticket keeps nothing: its seat may be anybody's now.
  const others = items.filter((_, n) => n !== index && fateOf(record, n).cancelledAtMs === null);
  const staying = terms?.kept.filter((place) => others.some((item) => item.place === place)) ?? [];
  const isKept = keptAmong(state, [item.place], terms?.channel ?? null);
  const kept = [...new Set([...staying, ...isKept])];
  return { ...record, items, terms: terms === null ? null : { ...terms, kept }, later };
}

function costOf({ priceMinor, charge }: PlaceItem) {
  return { priceMinor, charge };
}
