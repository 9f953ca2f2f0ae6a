import type { CommandKey } from "../../engine/facts.ts";
import type { BookingId, EventId, HoldId, UserId } from "../../engine/ids.ts";
import type { PlaceItem } from "../../engine/place.ts";
import type { Refusal } from "../../engine/replies.ts";

/** So many places of one area. */
export interface AreaWanted {
  readonly area: number;
  readonly quantity: number;
}

/** A hold to be made: all of it or nothing. Seats and areas are in ascending order. */
export interface HoldOrder {
  readonly eventId: EventId;
  readonly holdId: HoldId;
  readonly userId: UserId;
  readonly items: readonly PlaceItem[];
  readonly seats: readonly number[];
  readonly areas: readonly AreaWanted[];
  readonly totalMinor: number;
  readonly nowMs: number;
  readonly expiresAtMs: number;
  readonly key: CommandKey | null;
}

/** A booking to be made of a hold. */
export interface BookOrder {
  readonly eventId: EventId;
  readonly holdId: HoldId;
  readonly userId: UserId;
  readonly bookingId: BookingId;
  readonly code: string;
  /** At least as many as the hold has places. */
  readonly ticketCodes: readonly string[];
  readonly email: string | null;
  readonly invoiceAllowed: boolean;
  readonly nowMs: number;
  readonly key: CommandKey | null;
}

/** What was sold, frozen when it was held. */
export interface Sold {
  readonly seq: number;
  readonly items: readonly PlaceItem[];
}

/**
 * What a statement found against it. `unknown`: it is not told which of several reasons; whoever
 * asked looks.
 */
export type Against = Refusal | { readonly code: "unknown" };

export type HoldResult =
  | { readonly ok: true; readonly seq: number }
  | { readonly ok: false; readonly against: Against };
export type BookResult =
  | { readonly ok: true; readonly sold: Sold }
  | { readonly ok: false; readonly against: Against };

export const AGAINST = { ok: false, against: { code: "unknown" } } as const;

/**
 * How a design takes places and sells them. What it answers is committed. A key that was used
 * before is a unique violation of `keys`, which it may throw: it has changed nothing then.
 */
export interface SaleDesign {
  hold(order: HoldOrder): Promise<HoldResult>;
  book(order: BookOrder): Promise<BookResult>;
}
