import type { InventoryDefinition } from "./definition.ts";
import type { BookingId, HoldId, UserId } from "./ids.ts";
import { FREE, HELD, type SeatStatus, SOLD } from "./inventory.ts";
import type { PlaceItem } from "./place.ts";
import { unreachable } from "./unreachable.ts";

/** The idempotency key that a command came with, reduced to digests by the gateway. */
export interface CommandKey {
  /** Digest of user and key: 22 characters of base64url (128 bits). */
  readonly digest: string;
  /** Digest of what was asked: 11 characters of base64url (66 bits). */
  readonly fingerprint: string;
}

interface FactBase {
  /** Position in the event's own sequence, from 1 without gaps. Shown to buyers as `seq`. */
  readonly seq: number;
  /** The shard's logical time, Unix ms. */
  readonly atMs: number;
  /** The key under which this fact is the outcome of a request; null: none was given. */
  readonly key: CommandKey | null;
}

/**
 * A confirmed booking, whole: enough to answer with it, and to write its rows, from the fact alone.
 */
export interface BookingRecord {
  readonly bookingId: BookingId;
  readonly holdId: HoldId;
  readonly userId: UserId;
  readonly email: string | null;
  /** Human-readable booking code. */
  readonly code: string;
  readonly items: readonly PlaceItem[];
  /** One code per item, in the items' order. */
  readonly ticketCodes: readonly string[];
  readonly bookedAtMs: number;
}

export interface Configured extends FactBase {
  readonly kind: "configured";
  readonly definition: InventoryDefinition;
}
export interface Held extends FactBase {
  readonly kind: "held";
  readonly holdId: HoldId;
  readonly userId: UserId;
  readonly items: readonly PlaceItem[];
  readonly expiresAtMs: number;
}
export interface Extended extends FactBase {
  readonly kind: "extended";
  readonly holdId: HoldId;
  readonly userId: UserId;
  readonly items: readonly PlaceItem[];
  readonly expiresAtMs: number;
}
/** A hold ended without a booking. */
export interface HoldEnded extends FactBase {
  readonly kind: "holdEnded";
  readonly reason: "released" | "expired";
  readonly holdId: HoldId;
  readonly userId: UserId;
  readonly items: readonly PlaceItem[];
}
/** A hold became a booking. */
export interface Booked extends FactBase {
  readonly kind: "booked";
  readonly booking: BookingRecord;
}
/** A whole booking was cancelled. */
export interface Cancelled extends FactBase {
  readonly kind: "cancelled";
  readonly booking: BookingRecord;
  readonly cancelledBy: UserId;
  readonly reason: string | null;
}

/**
 * What a command changed. Facts are the only thing journaled, and each is complete in itself: the
 * projector writes its rows, the gateway its answer and the availability its move from the fact
 * alone.
 */
export type Fact = Configured | Held | Extended | HoldEnded | Booked | Cancelled;

export interface Move {
  readonly items: readonly PlaceItem[];
  readonly from: SeatStatus;
  readonly to: SeatStatus;
}

/** The move of places that a fact means; null: none. */
export function moveOf(fact: Fact): Move | null {
  switch (fact.kind) {
    case "configured":
    case "extended":
      return null;
    case "held":
      return { items: fact.items, from: FREE, to: HELD };
    case "holdEnded":
      return { items: fact.items, from: HELD, to: FREE };
    case "booked":
      return { items: fact.booking.items, from: HELD, to: SOLD };
    case "cancelled":
      return { items: fact.booking.items, from: SOLD, to: FREE };
    default:
      return unreachable(fact);
  }
}
