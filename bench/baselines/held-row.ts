import type { BookingId, EventId, HoldId, UserId } from "../../engine/ids.ts";
import type { PlaceItem } from "../../engine/place.ts";
import type { Refusal } from "../../engine/replies.ts";
import { itemsOf } from "./statements.ts";

/** The columns of `holds` that make a HeldRow. */
export const HELD_COLUMNS = `user_id, status, places, categories, prices, total_minor, created_ms,
  expires_ms, extended, booking_id, seq, version`;

export interface HeldColumns {
  readonly user_id: string;
  readonly status: "active" | "released" | "expired" | "booked";
  readonly places: readonly number[];
  readonly categories: readonly number[];
  readonly prices: readonly string[];
  readonly total_minor: string;
  readonly created_ms: string;
  readonly expires_ms: string;
  readonly extended: boolean;
  readonly booking_id: string | null;
  readonly seq: string;
  readonly version: string;
}

/** A hold as its row has it. */
export interface HeldRow {
  readonly holdId: HoldId;
  readonly eventId: EventId;
  readonly userId: UserId;
  readonly status: HeldColumns["status"];
  readonly items: readonly PlaceItem[];
  readonly totalMinor: number;
  readonly createdAtMs: number;
  readonly expiresAtMs: number;
  readonly extended: boolean;
  readonly bookingId: BookingId | null;
  readonly seq: number;
  readonly version: string;
}

export function heldRow(eventId: EventId, holdId: HoldId, row: HeldColumns): HeldRow {
  return {
    holdId,
    eventId,
    userId: row.user_id as UserId,
    status: row.status,
    items: itemsOf(row),
    totalMinor: Number(row.total_minor),
    createdAtMs: Number(row.created_ms),
    expiresAtMs: Number(row.expires_ms),
    extended: row.extended,
    bookingId: row.booking_id as BookingId | null,
    seq: Number(row.seq),
    version: row.version,
  };
}

/** Why the user may do nothing with the hold; null: it is theirs and active. */
export function refusalOfHold(hold: HeldRow | null, userId: UserId, nowMs: number): Refusal | null {
  if (hold === null || hold.userId !== userId) return { code: "hold_not_found" };
  if (hold.status === "booked" && hold.bookingId !== null) {
    return { code: "hold_booked", bookingId: hold.bookingId };
  }
  if (hold.status === "released") return { code: "hold_released" };
  if (hold.status === "expired" || hold.expiresAtMs <= nowMs) return { code: "hold_expired" };
  return null;
}

/** The same for whoever wants to book it. */
export function refusalOfBooking(
  hold: HeldRow | null,
  { userId, nowMs, invoiceAllowed }: { userId: UserId; nowMs: number; invoiceAllowed: boolean },
): Refusal | null {
  const refusal = refusalOfHold(hold, userId, nowMs);
  if (refusal !== null || hold === null) return refusal;
  if (!invoiceAllowed && hold.totalMinor > 0) return { code: "payment_required" };
  return null;
}
