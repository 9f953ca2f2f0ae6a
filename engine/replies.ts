import type { Fact } from "./facts.ts";
import type { BookingId } from "./ids.ts";
import type { Place } from "./place.ts";

/** Business refusals: expected answers, with what the requester needs to go on. */
export type Refusal =
  | { readonly code: "event_not_found" }
  | { readonly code: "event_cancelled" }
  | { readonly code: "sales_not_open"; readonly opensAtMs: number }
  | { readonly code: "sales_closed" }
  | { readonly code: "unknown_place"; readonly places: readonly Place[] }
  | { readonly code: "seat_unavailable"; readonly seats: readonly number[] }
  | { readonly code: "insufficient_capacity"; readonly area: number; readonly available: number }
  | {
      readonly code: "limit_exceeded";
      readonly scope: "perOrder" | "perUser";
      readonly limit: number;
      readonly current: number;
    }
  | { readonly code: "hold_not_found" }
  | { readonly code: "hold_expired" }
  | { readonly code: "hold_released" }
  | { readonly code: "hold_booked"; readonly bookingId: BookingId }
  | { readonly code: "hold_not_extendable" }
  | { readonly code: "payment_required" }
  | { readonly code: "booking_not_found" }
  | { readonly code: "inventory_fixed" }
  | { readonly code: "idempotency_key_reused" }
  | { readonly code: "busy" };

/** What the requester of a command is told. */
export type Reply =
  /** The fact that the command caused; its answer is made from the fact. */
  | { readonly kind: "done"; readonly fact: Fact; readonly replayed: boolean }
  /** The request asks for what is so already; nothing changed. */
  | { readonly kind: "unchanged" }
  | { readonly kind: "refused"; readonly refusal: Refusal };

/** What `decide` finds: facts to journal and a reply, or an outcome to fetch from the store. */
export interface Decision {
  readonly facts: readonly Fact[];
  readonly reply:
    | Reply
    | { readonly kind: "replay"; readonly seq: number; readonly digest: string };
}
