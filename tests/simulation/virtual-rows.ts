/** The rows of one event as sql/ declares them, and the snapshot that a loader builds from them. */
import type { BookingLater, BookingStatus, KnownBooking } from "../../engine/booking.ts";
import { type StoredDefinition, withDefaults } from "../../engine/definition.ts";
import type { EndedHold } from "../../engine/hold-book.ts";
import type {
  BookingId,
  EventId,
  HoldId,
  ItemId,
  RefundId,
  UserId,
  WaitlistEntryId,
} from "../../engine/ids.ts";
import type { KeptKey } from "../../engine/key-rows.ts";
import { ENDED_HOLDS_PER_EVENT_MAX, KEY_TTL_MS } from "../../engine/limits.ts";
import type { Place, PlaceItem } from "../../engine/place.ts";
import type { Snapshot } from "../../engine/snapshot.ts";
import type { HoldTerms } from "../../engine/terms.ts";
import { isBefore, type Waiting, type WaitlistEntry } from "../../engine/waitlist.ts";
import type { OutboxRow } from "../../workers/projector/outbox-rows.ts";
import { readKeys } from "../../workers/store/key-blocks.ts";

export interface InventoryRow {
  readonly seq: number;
  readonly status: "published" | "cancelled";
  readonly currency: string;
  /** JSON, without eventId, seatCategories and seatMap. */
  readonly definition: string;
  readonly seatCategories: Uint8Array;
  readonly seatMap: Uint8Array;
}

export interface AreaRow {
  readonly capacity: number;
  readonly held: number;
  readonly sold: number;
  readonly blocked: number;
}

export interface BlockRow {
  readonly place: Place;
  readonly channel: string;
  readonly quantity: number;
}

export interface KeyRow {
  readonly lastSeq: number;
  readonly lastMs: number;
  readonly facts: Buffer;
}

export interface HoldRow {
  readonly id: HoldId;
  readonly userId: UserId;
  readonly status: "active" | "released" | "expired" | "cancelled" | "booked";
  readonly items: readonly PlaceItem[];
  readonly ordinals: readonly number[] | null;
  readonly terms: HoldTerms | null;
  readonly paying: BookingId | null;
  readonly createdMs: number;
  readonly expiresMs: number;
  readonly extended: boolean;
  readonly seq: number;
  readonly endedMs: number | null;
  readonly bookingId: BookingId | null;
}

export interface BookingRow {
  readonly id: BookingId;
  readonly holdId: HoldId;
  readonly userId: UserId;
  readonly buyerId: UserId | null;
  readonly email: string | null;
  readonly code: string;
  readonly status: BookingStatus;
  readonly totalMinor: number;
  readonly bookedMs: number;
  readonly seq: number;
  readonly ordinals: readonly number[] | null;
  readonly terms: HoldTerms | null;
  readonly later: BookingLater | null;
  readonly changedSeq: number | null;
}

export interface TicketRow extends PlaceItem {
  readonly id: ItemId;
  readonly bookingId: BookingId;
  readonly position: number;
  readonly code: string;
  readonly status: "pending" | "valid" | "cancelled";
  readonly checkedInMs: number | null;
  readonly cancelledMs: number | null;
}

export interface EntryRow {
  readonly entry: WaitlistEntry;
  readonly status: "waiting" | "offered" | "left" | "closed";
  readonly endedSeq: number | null;
  readonly endedMs: number | null;
  readonly holdId: HoldId | null;
}

export interface RefundRow {
  readonly id: RefundId;
  readonly bookingId: BookingId;
  readonly intentId: string;
  readonly provider: string;
  readonly amountMinor: number;
  readonly currency: string;
  readonly reason: string;
  readonly createdMs: number;
}

export interface HistoryRow {
  readonly seq: number;
  readonly atMs: number;
  readonly kind: string;
  readonly change: string | null;
  readonly bookingId: string | null;
  readonly byUser: string | null;
  readonly reason: string | null;
  readonly detail: unknown;
}

/**
 * Invariants: `ticketByCode` and `ticketBySeat` are the unique indexes tickets_code and
 * tickets_one_per_seat, and show exactly the tickets that those cover.
 */
export interface EventRows {
  readonly areas: Map<number, AreaRow>;
  /** By place and channel. */
  readonly blocks: Map<string, BlockRow>;
  readonly holds: Map<HoldId, HoldRow>;
  readonly bookings: Map<BookingId, BookingRow>;
  /** By booking and position. */
  readonly tickets: Map<string, TicketRow>;
  readonly entries: Map<WaitlistEntryId, EntryRow>;
  readonly refunds: Map<RefundId, RefundRow>;
  readonly history: Map<number, HistoryRow>;
  /** By seq. */
  readonly outbox: Map<number, OutboxRow>;
  /** By their last seq. */
  readonly keys: Map<number, KeyRow>;
  readonly ticketByCode: Map<string, string>;
  readonly ticketBySeat: Map<Place, string>;
}

export function noRows(): EventRows {
  return {
    areas: new Map(),
    blocks: new Map(),
    holds: new Map(),
    bookings: new Map(),
    tickets: new Map(),
    entries: new Map(),
    refunds: new Map(),
    history: new Map(),
    outbox: new Map(),
    keys: new Map(),
    ticketByCode: new Map(),
    ticketBySeat: new Map(),
  };
}

/** As a text comes back from PostgreSQL, which keeps neither U+0000 nor half a surrogate pair. */
export function storedText(text: string): string {
  return Buffer.from(text.replaceAll("\0", "\uFFFD")).toString();
}

/** As a value comes back from a column of JSON. */
export function storedJson<Value>(value: Value): Value {
  if (value === null) return value;
  const text = (_: string, member: unknown): unknown =>
    typeof member === "string" ? storedText(member) : member;
  return JSON.parse(JSON.stringify(value, text)) as Value;
}

export function snapshotOfRows(
  eventId: EventId,
  inventory: InventoryRow,
  rows: EventRows,
): Snapshot {
  const holds = [...rows.holds.values()];
  const bookings = bookingsOf(rows);
  const definition = JSON.parse(inventory.definition) as Omit<
    StoredDefinition,
    "eventId" | "seatCategories" | "seatMap"
  >;
  return {
    seq: inventory.seq,
    definition: withDefaults({
      ...definition,
      eventId,
      areas: definition.areas.map((area, index) => {
        return { ...area, capacity: rows.areas.get(index)?.capacity ?? -1 };
      }),
      seatCategories: Uint8Array.from(inventory.seatCategories),
      seatMap: inventory.seatMap,
    }),
    holds: holds
      .filter(({ status }) => status === "active")
      .sort((a, b) => (a.id < b.id ? -1 : 1))
      .map((row) => {
        const { id: holdId, createdMs: createdAtMs, expiresMs: expiresAtMs } = row;
        const { userId, items, ordinals, terms, paying, extended, seq } = row;
        const contents = { holdId, userId, items, ordinals, terms, paying };
        return { ...contents, createdAtMs, expiresAtMs, extended, seq };
      }),
    endedHolds: endedHoldsOf(holds, bookings),
    bookings: bookings.map(({ row, tickets }) => knownBooking(row, tickets)),
    keys: keysOf(rows),
    blocks: [...rows.blocks.values()],
    waitlist: lineOf([...rows.entries.values()]),
  };
}

/** Those that an actor knows, whose last one it kept. */
function keysOf(rows: EventRows): KeptKey[] {
  const keys: KeptKey[] = [];
  for (const { facts } of inOrder(rows.keys)) readKeys(facts, keys);
  const lastMs = keys.at(-1)?.atMs ?? 0;
  return keys.filter(({ atMs }) => atMs >= lastMs - KEY_TTL_MS);
}

export function inOrder(blocks: ReadonlyMap<number, KeyRow>): KeyRow[] {
  return [...blocks.values()].sort((a, b) => a.lastSeq - b.lastSeq);
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

const isOffer = (terms: HoldTerms | null) => ({ isOffer: terms?.source === "waitlist" });

/** The last ones, oldest first. What was booked at once is known from the booking alone. */
function endedHoldsOf(holds: readonly HoldRow[], bookings: readonly WholeBooking[]): EndedHold[] {
  const ended: { seq: number; hold: EndedHold }[] = [];
  for (const { id: holdId, userId, status, seq, endedMs, bookingId, paying, terms } of holds) {
    if (status === "active" || (status === "booked" && paying === null)) continue;
    const hold = { holdId, userId, end: status, bookingId, atMs: endedMs ?? 0, ...isOffer(terms) };
    ended.push({ seq, hold });
  }
  for (const { row } of bookings) {
    const { id: bookingId, holdId, seq, bookedMs: atMs, terms, later } = row;
    if (later !== null && later.payment !== null) continue;
    const userId = row.buyerId ?? row.userId;
    ended.push({
      seq,
      hold: { holdId, userId, end: "booked", bookingId, atMs, ...isOffer(terms) },
    });
  }
  return ended
    .sort((a, b) => a.seq - b.seq)
    .slice(-ENDED_HOLDS_PER_EVENT_MAX)
    .map(({ hold }) => hold);
}

function knownBooking(row: BookingRow, tickets: readonly TicketRow[]): KnownBooking {
  const { id: bookingId, bookedMs: bookedAtMs, holdId, userId, email, code } = row;
  const { ordinals, terms, later, seq } = row;
  const items = tickets.map(({ place, category, priceMinor, charge }) => {
    return { place, category, priceMinor, charge };
  });
  const ticketCodes = tickets.map((ticket) => ticket.code);
  const contents = { items, ordinals, ticketCodes, bookedAtMs, terms, later };
  return { record: { bookingId, holdId, userId, email, code, ...contents }, seq };
}

function lineOf(rows: readonly EntryRow[]): Waiting[] {
  return rows
    .filter(({ status }) => status === "waiting")
    .map(({ entry }) => {
      const skips = rows.filter(
        ({ status, endedSeq, entry: other }) =>
          status === "offered" && (endedSeq ?? 0) > entry.seq && isBefore(entry, other),
      ).length;
      return { entry, skips };
    })
    .sort((a, b) => (isBefore(a.entry, b.entry) ? -1 : 1));
}
