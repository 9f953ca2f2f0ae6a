import type { KnownBooking } from "./booking.ts";
import type { Fact } from "./facts.ts";
import type { ActiveHold } from "./hold-book.ts";
import type { BookingId, ItemId } from "./ids.ts";
import type { Place } from "./place.ts";
import type { PromoRefusal } from "./promo-codes.ts";
import type { WaitlistEntry } from "./waitlist.ts";

/** Business refusals: expected answers, with what the requester needs to go on. */
export type Refusal =
  | { readonly code: "event_not_found" }
  | { readonly code: "event_cancelled" }
  | { readonly code: "sales_not_open"; readonly opensAtMs: number }
  | { readonly code: "sales_closed" }
  | { readonly code: "unknown_place"; readonly places: readonly Place[] }
  | { readonly code: "seat_unavailable"; readonly seats: readonly number[] }
  | { readonly code: "insufficient_capacity"; readonly area: number; readonly available: number }
  /** The engine was to choose: so many places of the category (null: of any) would do. */
  | {
      readonly code: "too_few_places";
      readonly category: number | null;
      readonly available: number;
    }
  /** Each alternative is groups of neighbouring seats, and has as many as were wanted. */
  | {
      readonly code: "no_adjacent_seats";
      readonly alternatives: readonly (readonly (readonly number[])[])[];
    }
  | {
      readonly code: "limit_exceeded";
      readonly scope: "perOrder" | "perUser";
      readonly limit: number;
      readonly current: number;
    }
  | { readonly code: "hold_churn"; readonly retryAtMs: number }
  | PromoRefusal
  | { readonly code: "hold_not_found" }
  | { readonly code: "hold_expired" }
  | { readonly code: "hold_released" }
  | { readonly code: "hold_booked"; readonly bookingId: BookingId }
  /** Its money is on the way. */
  | { readonly code: "hold_paying"; readonly bookingId: BookingId }
  | { readonly code: "hold_not_extendable" }
  | { readonly code: "hold_would_be_empty" }
  | { readonly code: "hold_changed_too_often" }
  | { readonly code: "item_not_found"; readonly items: readonly ItemId[] }
  | { readonly code: "payment_required" }
  | { readonly code: "intent_not_found" }
  | { readonly code: "booking_not_found" }
  | { readonly code: "booking_pending" }
  | { readonly code: "booking_cancelled" }
  | { readonly code: "cancellation_closed"; readonly closedAtMs: number }
  | { readonly code: "ticket_not_found" }
  | { readonly code: "ticket_cancelled" }
  /** It admits to an area. */
  | { readonly code: "ticket_not_movable" }
  /** A dearer seat for a ticket that was paid for; minor units. */
  | { readonly code: "price_differs"; readonly differenceMinor: number }
  | { readonly code: "already_checked_in"; readonly atMs: number }
  | { readonly code: "not_checked_in" }
  | { readonly code: "capacity_in_use"; readonly area: number; readonly inUse: number }
  | { readonly code: "already_waiting" }
  | { readonly code: "not_waiting" }
  | { readonly code: "inventory_fixed" }
  | { readonly code: "idempotency_key_reused" }
  | { readonly code: "busy" };

/** What the requester of a command is told. */
export type Reply =
  /** The fact that the command caused; its answer is made from the fact. */
  | { readonly kind: "done"; readonly fact: Fact; readonly replayed: boolean }
  /** The request asks for what is so already; nothing changed. */
  | { readonly kind: "unchanged" }
  /** The booking as it is, which is as it was to become. */
  | { readonly kind: "booking"; readonly booking: KnownBooking }
  /** The buyer waits already. `position`: from 1. */
  | { readonly kind: "waiting"; readonly entry: WaitlistEntry; readonly position: number }
  /** The buyer was offered this already, and may book it. */
  | { readonly kind: "hold"; readonly hold: ActiveHold }
  | { readonly kind: "refused"; readonly refusal: Refusal };

/** What `decide` finds: facts to journal and a reply, or an outcome to fetch from the store. */
export interface Decision {
  readonly facts: readonly Fact[];
  readonly reply: Reply | { readonly kind: "replay"; readonly seq: number };
}
