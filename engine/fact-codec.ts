/**
 * Facts as positional arrays, which msgpack then writes without a single field name:
 *
 *   [1, seq, atMs, key, definition…]                        configured
 *   [2, seq, atMs, key, holdId, userId, items, expiresAt]   held
 *   [3, seq, atMs, key, holdId, userId, items, expiresAt]   extended
 *   [4, seq, atMs, key, reason, holdId, userId, items]      holdEnded
 *   [5, seq, atMs, key, booking]                            booked
 *   [6, seq, atMs, key, booking, cancelledBy, reason]       cancelled
 *
 *   key      null | [digest, fingerprint]
 *   items    [place, category, priceMinor, place, category, priceMinor, …]
 *   booking  [bookingId, holdId, userId, email, code, items, ticketCodes, bookedAtMs]
 *
 * A journal outlives the program that wrote it: numbers are never reused, fields are only added at
 * the end. Bytes read here have passed the journal's checksum, so a wrong shape is a bug and
 * asserts.
 */
import { assert } from "./assert.ts";
import type { InventoryDefinition } from "./definition.ts";
import type { BookingRecord, CommandKey, Fact } from "./facts.ts";
import type { BookingId, EventId, HoldId, UserId } from "./ids.ts";
import type { PlaceItem } from "./place.ts";
import { unreachable } from "./unreachable.ts";

const CONFIGURED = 1;
const HELD = 2;
const EXTENDED = 3;
const HOLD_ENDED = 4;
const BOOKED = 5;
const CANCELLED = 6;

export function encodeFact(fact: Fact): unknown[] {
  const key = fact.key === null ? null : [fact.key.digest, fact.key.fingerprint];
  const { seq, atMs } = fact;
  switch (fact.kind) {
    case "configured":
      return [CONFIGURED, seq, atMs, key, fact.definition];
    case "held":
    case "extended": {
      const kind = fact.kind === "held" ? HELD : EXTENDED;
      const items = encodeItems(fact.items);
      return [kind, seq, atMs, key, fact.holdId, fact.userId, items, fact.expiresAtMs];
    }
    case "holdEnded": {
      const reason = fact.reason === "expired" ? 1 : 0;
      return [
        HOLD_ENDED,
        seq,
        atMs,
        key,
        reason,
        fact.holdId,
        fact.userId,
        encodeItems(fact.items),
      ];
    }
    case "booked":
      return [BOOKED, seq, atMs, key, encodeBooking(fact.booking)];
    case "cancelled": {
      const booking = encodeBooking(fact.booking);
      return [CANCELLED, seq, atMs, key, booking, fact.cancelledBy, fact.reason];
    }
    default:
      return unreachable(fact);
  }
}

export function decodeFact(encoded: unknown): Fact {
  const row = array(encoded);
  const base = { seq: number(row[1]), atMs: number(row[2]), key: decodeKey(row[3]) };
  switch (row[0]) {
    case CONFIGURED:
      return { kind: "configured", ...base, definition: decodeDefinition(row[4]) };
    case HELD:
    case EXTENDED:
      return {
        kind: row[0] === HELD ? "held" : "extended",
        ...base,
        holdId: string(row[4]) as HoldId,
        userId: string(row[5]) as UserId,
        items: decodeItems(row[6]),
        expiresAtMs: number(row[7]),
      };
    case HOLD_ENDED:
      return {
        kind: "holdEnded",
        ...base,
        reason: row[4] === 1 ? "expired" : "released",
        holdId: string(row[5]) as HoldId,
        userId: string(row[6]) as UserId,
        items: decodeItems(row[7]),
      };
    case BOOKED:
      return { kind: "booked", ...base, booking: decodeBooking(row[4]) };
    case CANCELLED:
      return {
        kind: "cancelled",
        ...base,
        booking: decodeBooking(row[4]),
        cancelledBy: string(row[5]) as UserId,
        reason: row[6] === null ? null : string(row[6]),
      };
    default:
      throw new Error(`unknown fact kind ${String(row[0])}: written by a newer version?`);
  }
}

function encodeItems(items: readonly PlaceItem[]): number[] {
  const flat: number[] = [];
  for (const item of items) flat.push(item.place, item.category, item.priceMinor);
  return flat;
}

function decodeItems(encoded: unknown): PlaceItem[] {
  const flat = array(encoded);
  const items: PlaceItem[] = [];
  for (let i = 0; i < flat.length; i += 3) {
    items.push({
      place: number(flat[i]),
      category: number(flat[i + 1]),
      priceMinor: number(flat[i + 2]),
    });
  }
  return items;
}

function encodeBooking(booking: BookingRecord): unknown[] {
  return [
    booking.bookingId,
    booking.holdId,
    booking.userId,
    booking.email,
    booking.code,
    encodeItems(booking.items),
    booking.ticketCodes,
    booking.bookedAtMs,
  ];
}

function decodeBooking(encoded: unknown): BookingRecord {
  const row = array(encoded);
  return {
    bookingId: string(row[0]) as BookingId,
    holdId: string(row[1]) as HoldId,
    userId: string(row[2]) as UserId,
    email: row[3] === null ? null : string(row[3]),
    code: string(row[4]),
    items: decodeItems(row[5]),
    ticketCodes: array(row[6]).map(string),
    bookedAtMs: number(row[7]),
  };
}

function decodeKey(encoded: unknown): CommandKey | null {
  if (encoded === null) return null;
  const row = array(encoded);
  return { digest: string(row[0]), fingerprint: string(row[1]) };
}

function decodeDefinition(encoded: unknown): InventoryDefinition {
  assert(typeof encoded === "object" && encoded !== null, "a definition is a map");
  const definition = encoded as InventoryDefinition;
  assert(definition.seatCategories instanceof Uint8Array, "seat categories are bytes");
  // A copy: decoded bytes are a window into a whole frame, which would stay alive with them.
  const seatCategories = Uint8Array.from(definition.seatCategories);
  return { ...definition, seatCategories, eventId: string(definition.eventId) as EventId };
}

function array(value: unknown): readonly unknown[] {
  assert(Array.isArray(value), "an encoded fact is made of arrays");
  return value;
}
function number(value: unknown): number {
  assert(typeof value === "number", "a number where the format has one");
  return value;
}
function string(value: unknown): string {
  assert(typeof value === "string", "a text where the format has one");
  return value;
}
