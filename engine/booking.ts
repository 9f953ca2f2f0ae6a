/** What a booking is: made by one fact, and carried whole by every later one that changes it. */
import type { BookingId, HoldId, IntentId, ItemId, RefundId, UserId } from "./ids.ts";
import { itemIdOf } from "./ids.ts";
import { dueMinor, type PlaceItem } from "./place.ts";
import type { HoldTerms } from "./terms.ts";

/**
 * - `pending_payment`: its hold waits for money.
 * - `confirmed`: its tickets admit, those that were not cancelled.
 * - `cancelled`: no ticket admits any more.
 * - `refunded`: cancelled, and everything that was paid has been paid back.
 */
export type BookingStatus = "pending_payment" | "confirmed" | "cancelled" | "refunded";

export interface BookingRecord {
  readonly bookingId: BookingId;
  readonly holdId: HoldId;
  /** Its owner. */
  readonly userId: UserId;
  readonly email: string | null;
  /** Human-readable booking code. */
  readonly code: string;
  /** Cancelled ones included: a ticket keeps its position. */
  readonly items: readonly PlaceItem[];
  /** Which of the hold's ids each item has; null: 0, 1, 2 … */
  readonly ordinals: readonly number[] | null;
  /** One code per item, in the items' order. */
  readonly ticketCodes: readonly string[];
  readonly bookedAtMs: number;
  /** Of the hold that it came from; null: a plain one. */
  readonly terms: HoldTerms | null;
  /** What became of it; null: confirmed at once, owes nothing, and nothing happened since. */
  readonly later: BookingLater | null;
}

/** A booking as its event's state has it. */
export interface KnownBooking {
  readonly record: BookingRecord;
  /** seq of the fact that made it. */
  readonly seq: number;
}

export const bookingIdOf = ({ record }: KnownBooking): BookingId => record.bookingId;

export interface BookingLater {
  readonly status: BookingStatus;
  /** seq and time of the last change. */
  readonly seq: number;
  readonly atMs: number;
  /** In the items' order; null: every ticket is valid and nobody was checked in. */
  readonly tickets: readonly TicketFate[] | null;
  readonly payment: BookingPayment | null;
  /** Of the whole booking; null: at least one ticket stands, or it is pending. */
  readonly cancelled: Cancellation | null;
}

export interface TicketFate {
  /** null: it stands. */
  readonly cancelledAtMs: number | null;
  /** null: nobody has entered with it. */
  readonly checkedInAtMs: number | null;
}

export interface Cancellation {
  readonly atMs: number;
  /** null: nobody asked for it; the payment's time was over, or the event was cancelled. */
  readonly by: UserId | null;
  readonly reason: string | null;
}

export interface BookingPayment {
  readonly provider: string;
  readonly intentId: IntentId;
  readonly amountMinor: number;
  readonly payUntilMs: number;
  readonly status: "pending" | "paid" | "failed" | "expired";
  readonly refunds: readonly Refund[];
}

/** Money that goes back to the buyer. */
export interface Refund {
  readonly refundId: RefundId;
  readonly amountMinor: number;
  readonly reason: string;
  readonly status: "due" | "done" | "failed";
}

export const STANDING: TicketFate = { cancelledAtMs: null, checkedInAtMs: null };

export const statusOf = ({ later }: BookingRecord): BookingStatus => later?.status ?? "confirmed";

export const fateOf = ({ later }: BookingRecord, index: number): TicketFate =>
  later?.tickets?.[index] ?? STANDING;

/** `pending`: its booking waits for money. `valid`: it admits. */
export type TicketStatus = "pending" | "valid" | "cancelled";

export function ticketStatusOf(booking: BookingRecord, index: number): TicketStatus {
  const status = statusOf(booking);
  if (status === "pending_payment") return "pending";
  if (status !== "confirmed") return "cancelled";
  return fateOf(booking, index).cancelledAtMs === null ? "valid" : "cancelled";
}

/** The places that the booking has: those of its tickets that stand, once it is confirmed. */
export function standingItems(booking: BookingRecord): readonly PlaceItem[] {
  if (statusOf(booking) !== "confirmed") return [];
  if (booking.later?.tickets == null) return booking.items;
  return booking.items.filter((_, index) => fateOf(booking, index).cancelledAtMs === null);
}

/** seq of the booking's last fact. `firstSeq`: of the one that made it. */
export const seqOf = ({ later }: BookingRecord, firstSeq: number): number => later?.seq ?? firstSeq;

/** Id of the ticket at `index`: of the item that it was in the hold. */
export function ticketIdOf(
  { holdId, ordinals }: Pick<BookingRecord, "holdId" | "ordinals">,
  index: number,
): ItemId {
  return itemIdOf(holdId, ordinals?.[index] ?? index);
}

/** What was paid for and goes back when these tickets are cancelled, minor units. */
export function refundableMinor(booking: BookingRecord, indexes: readonly number[]): number {
  if (booking.later?.payment?.status !== "paid") return 0;
  let sum = 0;
  for (const index of indexes) {
    const item = booking.items[index];
    if (item !== undefined && fateOf(booking, index).cancelledAtMs === null) sum += dueMinor(item);
  }
  return sum;
}
