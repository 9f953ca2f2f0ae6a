/**
 * Facts and rows as the contract shows them. Everything public about a hold or booking is made
 * here.
 */
import type { BookingRecord, Extended, Held } from "../../engine/facts.ts";
import type { ActiveHold } from "../../engine/hold-book.ts";
import { type ItemId, itemIdOf } from "../../engine/ids.ts";
import { areaIndexOf, isSeat, type PlaceItem, totalMinor } from "../../engine/place.ts";
import type { EventEntry } from "../catalogue/event-directory.ts";

export interface CancellationView {
  readonly atMs: number;
  readonly reason: string | null;
}

const iso = (ms: number): string => new Date(ms).toISOString();

function itemView(event: EventEntry, id: ItemId, item: PlaceItem): object {
  const category = event.categoryKeys[item.category];
  const { place, priceMinor: price } = item;
  if (isSeat(place)) return { id, seat: event.seatIds[place], category, price };
  return { id, area: event.areaKeys[areaIndexOf(place)], category, price };
}

function total(event: EventEntry, items: readonly PlaceItem[]): object {
  return { amount: totalMinor(items), currency: event.currency };
}

/** A hold as the reply to its creation, its extension, or a question shows it. */
export function holdView(event: EventEntry, hold: Held | Extended | ActiveHold): object {
  const { holdId, items, expiresAtMs, seq } = hold;
  return {
    id: holdId,
    eventId: event.eventId,
    items: items.map((item, index) => itemView(event, itemIdOf(holdId, index), item)),
    total: total(event, items),
    expiresAt: iso(expiresAtMs),
    status: "active",
    seq,
  };
}

export function bookingView(
  event: EventEntry,
  booking: BookingRecord,
  seq: number,
  cancelled: CancellationView | null,
): object {
  const { holdId, items, ticketCodes } = booking;
  return {
    id: booking.bookingId,
    code: booking.code,
    eventId: event.eventId,
    holdId,
    status: cancelled === null ? "confirmed" : "cancelled",
    email: booking.email,
    tickets: items.map((item, index) => ({
      ...itemView(event, itemIdOf(holdId, index), item),
      code: ticketCodes[index],
      status: cancelled === null ? "valid" : "cancelled",
    })),
    total: total(event, items),
    createdAt: iso(booking.bookedAtMs),
    ...(cancelled === null
      ? {}
      : { cancelledAt: iso(cancelled.atMs), cancelReason: cancelled.reason }),
    seq,
  };
}
