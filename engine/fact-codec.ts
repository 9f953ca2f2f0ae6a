/**
 * Facts as positional arrays, which msgpack then writes without a single field name:
 *
 *   [1, seq, atMs, key, definition, by?]                              configured
 *   [2, seq, atMs, key, holdId, userId, items, expiresAt, more]       held
 *   [3, seq, atMs, key, holdId, userId, items, expiresAt, more]       extended
 *   [4, seq, atMs, key, reason, holdId, userId, items, more]          holdEnded
 *   [5, seq, atMs, key, booking]                                      booked
 *   [6, seq, atMs, key, booking, cancelledBy, reason]                 see `decodeCancelled`
 *   [7, seq, atMs, key, holdId, userId, items, expiresAt, more, extended, moves]  holdChanged
 *   [8, seq, atMs, key, booking, expiresAt]                           paymentStarted
 *   [9, seq, atMs, key, change, booking, tickets, by, reason, moves, holdEnd, difference?]
 *                                                                     bookingChanged
 *   [10 or 13, …]                         placesChanged, see places-changed-codec.ts
 *   [11, seq, atMs, key, entry]                                       queued
 *   [12, seq, atMs, key, entryId, userId, reason]                     unqueued
 *
 *   key      null | [digest, fingerprint]
 *   items    [place, category, priceMinor, place, category, priceMinor, …]
 *   more     absent where all of it is null | [charges, ordinals, terms]
 *   charges  null | [null | [discount, fee, tax, due], …], one for each item
 *   booking  [bookingId, holdId, userId, email, code, items, ticketCodes, bookedAtMs, more, later]
 *   moves    [[places, from, to, times?], …]
 *
 * What is rare (terms, what became of a booking, entries of the waitlist) is a map.
 *
 * A journal outlives the program that wrote it: numbers are never reused, fields are only added at
 * the end. Bytes read here have passed the journal's checksum, so a wrong shape is a bug and
 * asserts.
 */
import { assert } from "./assert.ts";
import type { BookingLater, BookingRecord } from "./booking.ts";
import type { Charge } from "./charges.ts";
import { type InventoryDefinition, withDefaults } from "./definition.ts";
import { array, map, number, string } from "./encoded-values.ts";
import type { BookingChange, BookingChanged, CommandKey, Fact, Held } from "./facts.ts";
import { type FactHead, movesFreeing } from "./facts.ts";
import type { BookingId, EventId, HoldId, UserId, WaitlistEntryId } from "./ids.ts";
import { SOLD } from "./inventory.ts";
import { decodeMoves, encodeMoves } from "./moves-codec.ts";
import type { PlaceItem } from "./place.ts";
import {
  decodePlacesChanged,
  encodePlacesChanged,
  isPlacesChanged,
} from "./places-changed-codec.ts";
import type { HoldTerms } from "./terms.ts";
import { unreachable } from "./unreachable.ts";
import type { WaitlistEntry } from "./waitlist.ts";

const CONFIGURED = 1;
const HELD = 2;
/** A held fact without `more`: its number, and how many members it has. */
export const PLAIN_HELD = { kind: HELD, members: 8 } as const;
const EXTENDED = 3;
const HOLD_ENDED = 4;
const BOOKED = 5;
const CANCELLED = 6;
const HOLD_CHANGED = 7;
const PAYMENT_STARTED = 8;
const BOOKING_CHANGED = 9;
const QUEUED = 11;
const UNQUEUED = 12;

/** By their number in a fact. */
const END_REASONS = ["released", "expired", "cancelled"] as const;

export function encodeFact(fact: Fact): unknown[] {
  const key = fact.key === null ? null : [fact.key.digest, fact.key.fingerprint];
  const { seq, atMs } = fact;
  switch (fact.kind) {
    case "configured":
      return [CONFIGURED, seq, atMs, key, fact.definition, ...(fact.by === null ? [] : [fact.by])];
    case "held":
    case "extended": {
      const { holdId, userId, expiresAtMs } = fact;
      const kind = fact.kind === "held" ? HELD : EXTENDED;
      const row = [kind, seq, atMs, key, holdId, userId, encodeItems(fact.items), expiresAtMs];
      return withMore(row, fact);
    }
    case "holdChanged": {
      const { holdId, userId, expiresAtMs, extended } = fact;
      const row = [HOLD_CHANGED, seq, atMs, key, holdId, userId, encodeItems(fact.items)];
      return [...row, expiresAtMs, moreOf(fact), extended, encodeMoves(fact.moves)];
    }
    case "holdEnded": {
      const { holdId, userId } = fact;
      const reason = END_REASONS.indexOf(fact.reason);
      const row = [HOLD_ENDED, seq, atMs, key, reason, holdId, userId, encodeItems(fact.items)];
      return withMore(row, fact);
    }
    case "paymentStarted":
      return [PAYMENT_STARTED, seq, atMs, key, encodeBooking(fact.booking), fact.expiresAtMs];
    case "booked":
      return [BOOKED, seq, atMs, key, encodeBooking(fact.booking)];
    case "bookingChanged": {
      const { change, tickets, by, reason, holdEnd, differenceMinor } = fact;
      const row = [BOOKING_CHANGED, seq, atMs, key, change, encodeBooking(fact.booking), tickets];
      const more = differenceMinor === undefined ? [] : [differenceMinor];
      return [...row, by, reason, encodeMoves(fact.moves), holdEnd, ...more];
    }
    case "placesChanged":
      return encodePlacesChanged(fact, key);
    case "queued":
      return [QUEUED, seq, atMs, key, fact.entry];
    case "unqueued":
      return [UNQUEUED, seq, atMs, key, fact.entryId, fact.userId, fact.reason];
    default:
      return unreachable(fact);
  }
}

export function decodeFact(encoded: unknown): Fact {
  const row = array(encoded);
  if (row[0] === HELD) return decodeHeld(row);
  const base = decodeHead(row);
  if (isPlacesChanged(row[0])) return decodePlacesChanged(base, row);
  const { seq, atMs, key } = base;
  switch (row[0]) {
    case CONFIGURED:
      return {
        kind: "configured",
        ...base,
        definition: decodeDefinition(row[4]),
        by: row[5] === undefined ? null : (string(row[5]) as UserId),
      };
    case EXTENDED:
      return {
        kind: "extended",
        ...base,
        holdId: string(row[4]) as HoldId,
        userId: string(row[5]) as UserId,
        ...decodeContents(row[6], row[8]),
        expiresAtMs: number(row[7]),
      };
    case HOLD_CHANGED:
      return {
        kind: "holdChanged",
        ...base,
        holdId: string(row[4]) as HoldId,
        userId: string(row[5]) as UserId,
        ...decodeContents(row[6], row[8]),
        expiresAtMs: number(row[7]),
        extended: row[9] === true,
        moves: decodeMoves(row[10]),
      };
    case HOLD_ENDED:
      return {
        kind: "holdEnded",
        ...base,
        reason: END_REASONS[number(row[4])] ?? "released",
        holdId: string(row[5]) as HoldId,
        userId: string(row[6]) as UserId,
        ...decodeContents(row[7], row[8]),
      };
    case PAYMENT_STARTED: {
      const expiresAtMs = number(row[5]);
      return { kind: "paymentStarted", ...base, booking: decodeBooking(row[4]), expiresAtMs };
    }
    case BOOKED:
      return { kind: "booked", seq, atMs, key, booking: decodeBooking(row[4]) };
    case CANCELLED:
      return decodeCancelled(base, row);
    case BOOKING_CHANGED:
      return {
        kind: "bookingChanged",
        ...base,
        change: string(row[4]) as BookingChange,
        booking: decodeBooking(row[5]),
        tickets: array(row[6]).map(number),
        by: row[7] === null ? null : (string(row[7]) as UserId),
        reason: row[8] === null ? null : string(row[8]),
        moves: decodeMoves(row[9]),
        holdEnd: row[10] === null ? null : (string(row[10]) as BookingChanged["holdEnd"]),
        ...(row[11] === undefined ? {} : { differenceMinor: number(row[11]) }),
      };
    case QUEUED:
      return { kind: "queued", ...base, entry: map<WaitlistEntry>(row[4]) };
    case UNQUEUED:
      return {
        kind: "unqueued",
        ...base,
        entryId: string(row[4]) as WaitlistEntryId,
        userId: string(row[5]) as UserId,
        reason: string(row[6]) === "left" ? "left" : "closed",
      };
    default:
      throw new Error(`unknown fact kind ${String(row[0])}: written by a newer version?`);
  }
}

/** What all facts have, of an encoded one. */
export function decodeHead(encoded: unknown): FactHead {
  const [, seq, atMs, key] = array(encoded);
  return { seq: number(seq), atMs: number(atMs), key: decodeKey(key) };
}

/** Member by member: the hottest fact of all, and spreading costs as much as all the rest of it. */
function decodeHeld(row: readonly unknown[]): Held {
  const { items, ordinals, terms } = decodeContents(row[6], row[8]);
  return {
    kind: "held",
    seq: number(row[1]),
    atMs: number(row[2]),
    key: decodeKey(row[3]),
    holdId: string(row[4]) as HoldId,
    userId: string(row[5]) as UserId,
    items,
    ordinals,
    terms,
    expiresAtMs: number(row[7]),
  };
}

/** Whole cancellations had a kind of their own before bookings could change in other ways. */
function decodeCancelled(base: FactHead, row: readonly unknown[]): BookingChanged {
  const before = decodeBooking(row[4]);
  const { seq, atMs } = base;
  const by = string(row[5]) as UserId;
  const reason = row[6] === null ? null : string(row[6]);
  const later: BookingLater = {
    status: "cancelled",
    seq,
    atMs,
    tickets: before.items.map(() => ({ cancelledAtMs: atMs, checkedInAtMs: null })),
    payment: null,
    cancelled: { atMs, by, reason },
  };
  return {
    kind: "bookingChanged",
    ...base,
    change: "cancelled",
    booking: { ...before, later },
    tickets: before.items.map((_, index) => index),
    by,
    reason,
    moves: movesFreeing(before.items, before.terms, SOLD),
    holdEnd: null,
  };
}

interface Contents {
  readonly items: readonly PlaceItem[];
  readonly ordinals: readonly number[] | null;
  readonly terms: HoldTerms | null;
}

function encodeItems(items: readonly PlaceItem[]): number[] {
  const flat: number[] = [];
  for (const item of items) flat.push(item.place, item.category, item.priceMinor);
  return flat;
}

/** null: all of it is null, as it is of most holds. */
function moreOf({ items, ordinals, terms }: Contents): unknown[] | null {
  const isCharged = items.some((item) => item.charge !== null);
  if (!isCharged && ordinals === null && terms === null) return null;
  const charges = items.map(({ charge }) =>
    charge === null
      ? null
      : [charge.discountMinor, charge.feeMinor, charge.taxMinor, charge.dueMinor],
  );
  return [isCharged ? charges : null, ordinals, terms];
}

function withMore(row: unknown[], contents: Contents): unknown[] {
  const more = moreOf(contents);
  if (more !== null) row.push(more);
  return row;
}

function decodeContents(encodedItems: unknown, encodedMore: unknown): Contents {
  const flat = array(encodedItems);
  const [charges, ordinals, terms] = encodedMore == null ? [] : array(encodedMore);
  const items: PlaceItem[] = [];
  for (let i = 0; i < flat.length; i += 3) {
    items.push({
      place: number(flat[i]),
      category: number(flat[i + 1]),
      priceMinor: number(flat[i + 2]),
      charge: charges == null ? null : decodeCharge(array(charges)[i / 3]),
    });
  }
  return {
    items,
    ordinals: ordinals == null ? null : array(ordinals).map(number),
    terms: terms == null ? null : map<HoldTerms>(terms),
  };
}

function decodeCharge(encoded: unknown): Charge | null {
  if (encoded === null) return null;
  const [discountMinor = 0, feeMinor = 0, taxMinor = 0, dueMinor = 0] = array(encoded).map(number);
  return { discountMinor, feeMinor, taxMinor, dueMinor };
}

function encodeBooking(booking: BookingRecord): unknown[] {
  const { bookingId, holdId, userId, email, code, items, ticketCodes, bookedAtMs } = booking;
  const row: unknown[] = [bookingId, holdId, userId, email, code];
  row.push(encodeItems(items), ticketCodes, bookedAtMs);
  const more = moreOf(booking);
  if (more !== null || booking.later !== null) row.push(more, booking.later);
  return row;
}

function decodeBooking(encoded: unknown): BookingRecord {
  const row = array(encoded);
  const { items, ordinals, terms } = decodeContents(row[5], row[8]);
  return {
    bookingId: string(row[0]) as BookingId,
    holdId: string(row[1]) as HoldId,
    userId: string(row[2]) as UserId,
    email: row[3] === null ? null : string(row[3]),
    code: string(row[4]),
    items,
    ordinals,
    terms,
    ticketCodes: array(row[6]).map(string),
    bookedAtMs: number(row[7]),
    later: row[9] == null ? null : map<BookingLater>(row[9]),
  };
}

function decodeKey(encoded: unknown): CommandKey | null {
  if (encoded === null) return null;
  const row = array(encoded);
  return { digest: string(row[0]), fingerprint: string(row[1]) };
}

function decodeDefinition(encoded: unknown): InventoryDefinition {
  const definition = withDefaults(map<InventoryDefinition>(encoded));
  assert(definition.seatCategories instanceof Uint8Array, "seat categories are bytes");
  // Copies: decoded bytes are a window into a whole frame, which would stay alive with them.
  return {
    ...definition,
    seatCategories: Uint8Array.from(definition.seatCategories),
    seatMap: Uint8Array.from(definition.seatMap),
    eventId: string(definition.eventId) as EventId,
  };
}
