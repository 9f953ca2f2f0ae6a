/** The rows of one event as sql/ declares them, and the snapshot that a loader builds from them. */
import type { InventoryDefinition } from "../../engine/definition.ts";
import type { KnownBooking } from "../../engine/event-state.ts";
import type { BookingRecord } from "../../engine/facts.ts";
import type { EndedHold } from "../../engine/hold-book.ts";
import type { BookingId, EventId, HoldId, ItemId, UserId } from "../../engine/ids.ts";
import { ENDED_HOLDS_PER_EVENT_MAX } from "../../engine/limits.ts";
import type { Place, PlaceItem } from "../../engine/place.ts";
import type { Snapshot } from "../../engine/snapshot.ts";

export interface InventoryRow {
  readonly seq: number;
  /** JSON, without eventId and seatCategories. */
  readonly definition: string;
  readonly seatCategories: Uint8Array;
}

export interface AreaRow {
  readonly capacity: number;
  readonly held: number;
  readonly sold: number;
}

export interface HoldRow {
  readonly id: HoldId;
  readonly userId: UserId;
  readonly status: "active" | "released" | "expired" | "booked";
  readonly items: readonly PlaceItem[];
  readonly createdMs: number;
  readonly expiresMs: number;
  readonly extended: boolean;
  readonly seq: number;
  readonly endedMs: number | null;
  readonly bookingId: BookingId | null;
}

export interface Cancellation {
  readonly seq: number;
  readonly atMs: number;
  readonly by: UserId;
  readonly reason: string | null;
}

export interface BookingRow {
  readonly id: BookingId;
  readonly holdId: HoldId;
  readonly userId: UserId;
  readonly email: string | null;
  readonly code: string;
  readonly bookedMs: number;
  readonly seq: number;
  readonly cancelled: Cancellation | null;
}

export interface TicketRow extends PlaceItem {
  readonly id: ItemId;
  readonly bookingId: BookingId;
  readonly position: number;
  readonly code: string;
  readonly status: "valid" | "cancelled";
}

export interface KeyRow {
  readonly digest: string;
  readonly fingerprint: string;
  readonly seq: number;
  readonly atMs: number;
  readonly fact: Buffer;
}

/**
 * Invariants: `ticketByCode` and `ticketBySeat` are the unique indexes tickets_code and
 * tickets_one_per_seat, and show exactly the tickets that those cover.
 */
export interface EventRows {
  readonly areas: Map<number, AreaRow>;
  readonly holds: Map<HoldId, HoldRow>;
  readonly bookings: Map<BookingId, BookingRow>;
  readonly tickets: Map<ItemId, TicketRow>;
  readonly keys: Map<string, KeyRow>;
  readonly ticketByCode: Map<string, ItemId>;
  readonly ticketBySeat: Map<Place, ItemId>;
}

export function noRows(): EventRows {
  return {
    areas: new Map(),
    holds: new Map(),
    bookings: new Map(),
    tickets: new Map(),
    keys: new Map(),
    ticketByCode: new Map(),
    ticketBySeat: new Map(),
  };
}

/** As a text comes back from PostgreSQL, which keeps neither U+0000 nor half a surrogate pair. */
export function storedText(text: string): string {
  return Buffer.from(text.replaceAll("\0", "\uFFFD")).toString();
}

export const NOT_CONFIGURED: Snapshot = {
  seq: 0,
  definition: null,
  holds: [],
  endedHolds: [],
  bookings: [],
  keys: [],
};

export function snapshotOfRows(
  eventId: EventId,
  inventory: InventoryRow,
  rows: EventRows,
): Snapshot {
  const holds = [...rows.holds.values()];
  const bookings = bookingsOf(rows);
  const definition = JSON.parse(inventory.definition) as Omit<
    InventoryDefinition,
    "eventId" | "seatCategories"
  >;
  return {
    seq: inventory.seq,
    definition: {
      ...definition,
      eventId,
      seatCategories: Uint8Array.from(inventory.seatCategories),
    },
    holds: holds
      .filter(({ status }) => status === "active")
      .sort((a, b) => (a.id < b.id ? -1 : 1))
      .map(({ id, userId, items, createdMs, expiresMs, extended, seq }) => {
        const [createdAtMs, expiresAtMs] = [createdMs, expiresMs];
        return { holdId: id, userId, items, createdAtMs, expiresAtMs, extended, seq };
      }),
    endedHolds: endedHoldsOf(holds, bookings),
    bookings: bookings.map(({ row, tickets }) => knownBooking(row, tickets)),
    keys: [...rows.keys.values()]
      .sort((a, b) => a.seq - b.seq)
      .map(({ digest, fingerprint, seq, atMs }) => ({ digest, fingerprint, seq, atMs })),
  };
}

interface WholeBooking {
  readonly row: BookingRow;
  readonly tickets: readonly TicketRow[];
}

/** In the order of their seq; one without a ticket is not found by the join. */
function bookingsOf(rows: EventRows): WholeBooking[] {
  const ticketsOf = new Map<BookingId, TicketRow[]>();
  for (const ticket of rows.tickets.values()) {
    const tickets = ticketsOf.get(ticket.bookingId);
    if (tickets === undefined) ticketsOf.set(ticket.bookingId, [ticket]);
    else tickets.push(ticket);
  }
  return [...rows.bookings.values()]
    .sort((a, b) => a.seq - b.seq)
    .flatMap((row) => {
      const tickets = ticketsOf.get(row.id)?.sort((a, b) => a.position - b.position);
      return tickets === undefined ? [] : [{ row, tickets }];
    });
}

/** The last ones, oldest first. What became a booking is known from the booking alone. */
function endedHoldsOf(holds: readonly HoldRow[], bookings: readonly WholeBooking[]): EndedHold[] {
  const ended: { seq: number; hold: EndedHold }[] = [];
  for (const { id, userId, status, seq } of holds) {
    if (status !== "released" && status !== "expired") continue;
    ended.push({ seq, hold: { holdId: id, userId, end: status, bookingId: null } });
  }
  for (const { row } of bookings) {
    const { id, holdId, userId, seq } = row;
    ended.push({ seq, hold: { holdId, userId, end: "booked", bookingId: id } });
  }
  return ended
    .sort((a, b) => a.seq - b.seq)
    .slice(-ENDED_HOLDS_PER_EVENT_MAX)
    .map(({ hold }) => hold);
}

function knownBooking(row: BookingRow, tickets: readonly TicketRow[]): KnownBooking {
  const { id, holdId, userId, email, code, bookedMs, cancelled } = row;
  const record: BookingRecord = {
    bookingId: id,
    holdId,
    userId,
    email,
    code,
    items: tickets.map(({ place, category, priceMinor }) => ({ place, category, priceMinor })),
    ticketCodes: tickets.map((ticket) => ticket.code),
    bookedAtMs: bookedMs,
  };
  if (cancelled === null) return { record, cancelled: null };
  const { seq, atMs, by: cancelledBy, reason } = cancelled;
  return {
    record,
    cancelled: { kind: "cancelled", seq, atMs, key: null, booking: record, cancelledBy, reason },
  };
}
