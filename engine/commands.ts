import type { InventoryDefinition } from "./definition.ts";
import type { CommandKey } from "./facts.ts";
import type { BookingId, HoldId, UserId } from "./ids.ts";
import type { Place } from "./place.ts";

/** Creates the event's inventory, or changes its sale rules. The places themselves are fixed. */
export interface Configure {
  readonly kind: "configure";
  readonly definition: InventoryDefinition;
}

/** Holds all the places, or none. A place of an area appears once for each unit wanted. */
export interface Hold {
  readonly kind: "hold";
  /** Fresh; the ids after it are reserved for the items. */
  readonly holdId: HoldId;
  readonly userId: UserId;
  readonly places: readonly Place[];
  readonly key: CommandKey | null;
}

export interface Extend {
  readonly kind: "extend";
  readonly holdId: HoldId;
  readonly userId: UserId;
  readonly key: CommandKey | null;
}

export interface Release {
  readonly kind: "release";
  readonly holdId: HoldId;
  readonly userId: UserId;
}

/** Turns a hold into a confirmed booking that owes nothing now (payment provider `none`). */
export interface Book {
  readonly kind: "book";
  readonly holdId: HoldId;
  readonly userId: UserId;
  /** Fresh. */
  readonly bookingId: BookingId;
  /** Fresh. */
  readonly code: string;
  /** Fresh: at least as many as the hold may have places. */
  readonly ticketCodes: readonly string[];
  readonly email: string | null;
  /** Whether the organisation lets a buyer owe: otherwise only a total of 0 is booked unpaid. */
  readonly invoiceAllowed: boolean;
  readonly key: CommandKey | null;
}

/** Cancels a whole booking; its places return to sale. */
export interface Cancel {
  readonly kind: "cancel";
  readonly bookingId: BookingId;
  readonly userId: UserId;
  /** True when the requester may act for the event's organisation. */
  readonly asOrganizer: boolean;
  readonly reason: string | null;
  readonly key: CommandKey | null;
}

/** A request to change one event. Time is the caller's; ids in a command are fresh. */
export type Command = Configure | Hold | Extend | Release | Book | Cancel;
