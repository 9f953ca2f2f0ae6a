import type { BookingRecord } from "./booking.ts";
import type { InventoryDefinition } from "./definition.ts";
import type { EndedHold } from "./hold-book.ts";
import type { HoldId, UserId, WaitlistEntryId } from "./ids.ts";
import { BLOCKED, FREE, HELD, type SeatStatus, SOLD } from "./inventory.ts";
import type { Place, PlaceItem } from "./place.ts";
import type { HoldTerms } from "./terms.ts";
import { unreachable } from "./unreachable.ts";
import type { WaitlistEntry } from "./waitlist.ts";

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

export interface Configured extends FactBase {
  readonly kind: "configured";
  readonly definition: InventoryDefinition;
  /** null: the platform itself, or it is not known. */
  readonly by: UserId | null;
}

/** What a hold is made of, as it is after the fact; of one that ended, as it was. */
interface HoldFact extends FactBase {
  readonly holdId: HoldId;
  readonly userId: UserId;
  readonly items: readonly PlaceItem[];
  /** Which of the hold's ids each item has; null: 0, 1, 2 … */
  readonly ordinals: readonly number[] | null;
  /** null: plain ones. */
  readonly terms: HoldTerms | null;
}

export interface Held extends HoldFact {
  readonly kind: "held";
  readonly expiresAtMs: number;
}
export interface Extended extends HoldFact {
  readonly kind: "extended";
  readonly expiresAtMs: number;
}
/** Items were dropped from a hold, or added to it. */
export interface HoldChanged extends HoldFact {
  readonly kind: "holdChanged";
  readonly expiresAtMs: number;
  readonly extended: boolean;
  readonly moves: readonly Move[];
}
/** A hold ended without a booking. */
export interface HoldEnded extends HoldFact {
  readonly kind: "holdEnded";
  /** `cancelled`: the event was. */
  readonly reason: "released" | "expired" | "cancelled";
}

/** A hold began to wait for the money for a booking, which is pending until then. */
export interface PaymentStarted extends FactBase {
  readonly kind: "paymentStarted";
  readonly booking: BookingRecord;
  /** The hold lives on until then. */
  readonly expiresAtMs: number;
}

/** A hold became a confirmed booking. */
export interface Booked extends FactBase {
  readonly kind: "booked";
  readonly booking: BookingRecord;
}

export type BookingChange =
  /** Tickets, or all that stood. */
  | "cancelled"
  /** The hold of a pending booking ended before the money came. */
  | "payment_expired"
  /** The provider said no; the hold goes on without it. */
  | "payment_failed"
  /** The money came after the end, and the same places were still free. */
  | "paid_late"
  /** The money came after the end, and goes back. */
  | "paid_in_vain"
  /** Money went back, or could not. */
  | "refund_settled"
  | "ticket_moved"
  | "transferred"
  | "checked_in"
  | "check_in_undone"
  /** Its owner is gone, and left no address. */
  | "buyer_forgotten";

/** Anything that happens to a booking after it was made. */
export interface BookingChanged extends FactBase {
  readonly kind: "bookingChanged";
  readonly change: BookingChange;
  /** As it is now. */
  readonly booking: BookingRecord;
  /** Positions of the tickets that it is about. */
  readonly tickets: readonly number[];
  /** null: nobody asked for it. */
  readonly by: UserId | null;
  readonly reason: string | null;
  readonly moves: readonly Move[];
  /** How the booking's hold ended with it; null: it has ended before, or goes on. */
  readonly holdEnd: EndedHold["end"] | null;
  /** `ticket_moved`: what the ticket costs more than before, minor units. Otherwise absent. */
  readonly differenceMinor?: number;
}

/** A seat, or so many places of an area, that are kept for a channel, or for nobody (""). */
export interface Block {
  readonly place: Place;
  readonly channel: string;
  /** 0: no more. */
  readonly quantity: number;
}

/** The organiser changed what is for sale. */
export interface PlacesChanged extends FactBase {
  readonly kind: "placesChanged";
  readonly by: UserId;
  readonly blocks: readonly Block[];
  readonly capacities: readonly { readonly area: number; readonly capacity: number }[];
  readonly moves: readonly Move[];
}

/** Somebody waits for places. */
export interface Queued extends FactBase {
  readonly kind: "queued";
  readonly entry: WaitlistEntry;
}
/** Somebody waits no longer, without having been offered anything. */
export interface Unqueued extends FactBase {
  readonly kind: "unqueued";
  readonly entryId: WaitlistEntryId;
  readonly userId: UserId;
  readonly reason: "left" | "closed";
}

/**
 * What a command changed. Facts are the only thing journaled, and each is complete in itself: the
 * projector writes its rows, the gateway its answer and the availability its move from the fact
 * alone.
 */
export type Fact =
  | Configured
  | Held
  | Extended
  | HoldChanged
  | HoldEnded
  | PaymentStarted
  | Booked
  | BookingChanged
  | PlacesChanged
  | Queued
  | Unqueued;

/** What all facts have. */
export type FactHead = Pick<Fact, "seq" | "atMs" | "key">;

export interface Move {
  /** A place of an area once for each unit, or for each `times` of them. */
  readonly places: readonly Place[];
  readonly from: SeatStatus;
  readonly to: SeatStatus;
  /** Of areas alone: an allotment may be a million places. Absent: 1. */
  readonly times?: number;
}

const NO_MOVES: readonly Move[] = [];

/** The moves of places that a fact means, in the order in which they are made. */
export function movesOf(fact: Fact): readonly Move[] {
  switch (fact.kind) {
    case "configured":
    case "extended":
    case "paymentStarted":
    case "queued":
    case "unqueued":
      return NO_MOVES;
    case "held":
      return movesTaking(fact.items, fact.terms, HELD);
    case "holdEnded":
      return movesFreeing(fact.items, fact.terms, HELD);
    case "booked":
      return [{ places: placesOf(fact.booking.items), from: HELD, to: SOLD }];
    case "holdChanged":
    case "bookingChanged":
    case "placesChanged":
      return fact.moves;
    default:
      return unreachable(fact);
  }
}

/** An allotment's places come from `blocked`, where others are free … */
export function movesTaking(
  items: readonly PlaceItem[],
  terms: HoldTerms | null,
  to: typeof HELD | typeof SOLD,
): readonly Move[] {
  if (terms === null || terms.kept.length === 0) return move(placesOf(items), FREE, to);
  const [kept, others] = splitKept(items, terms.kept);
  return [...move(others, FREE, to), ...move(kept, BLOCKED, to)];
}

/** … and return to it. */
export function movesFreeing(
  items: readonly PlaceItem[],
  terms: HoldTerms | null,
  from: typeof HELD | typeof SOLD,
): readonly Move[] {
  if (terms === null || terms.kept.length === 0) return move(placesOf(items), from, FREE);
  const [kept, others] = splitKept(items, terms.kept);
  return [...move(others, from, FREE), ...move(kept, from, BLOCKED)];
}

const placesOf = (items: readonly PlaceItem[]): Place[] => items.map((item) => item.place);

function move(places: readonly Place[], from: SeatStatus, to: SeatStatus): readonly Move[] {
  return places.length === 0 ? NO_MOVES : [{ places, from, to }];
}

function splitKept(
  items: readonly PlaceItem[],
  kept: readonly Place[],
): readonly [kept: Place[], others: Place[]] {
  const places = placesOf(items);
  return [
    places.filter((place) => kept.includes(place)),
    places.filter((place) => !kept.includes(place)),
  ];
}
