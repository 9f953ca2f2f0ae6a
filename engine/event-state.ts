import type { InventoryDefinition } from "./definition.ts";
import type { BookingRecord, Cancelled } from "./facts.ts";
import { HoldBook } from "./hold-book.ts";
import { IdempotencyKeys } from "./idempotency-keys.ts";
import type { BookingId, UserId } from "./ids.ts";
import type { Inventory } from "./inventory.ts";

export interface KnownBooking {
  readonly record: BookingRecord;
  /** The fact that cancelled it; null: it stands. */
  readonly cancelled: Cancelled | null;
}

/**
 * All that one actor knows. Only `apply` changes it.
 *
 * Invariants:
 * - `seq` is the seq of the last fact applied; 0 before the first.
 * - `definition` and `inventory` are both null (nobody has configured the event) or both set.
 * - A seat is held iff one active hold has it, and sold iff one standing booking has it.
 * - `placesByUser` counts the places that a buyer holds or owns.
 */
export class EventState {
  seq = 0;
  definition: InventoryDefinition | null = null;
  inventory: Inventory | null = null;
  readonly holds = new HoldBook();
  readonly bookings = new Map<BookingId, KnownBooking>();
  readonly placesByUser = new Map<UserId, number>();
  readonly keys = new IdempotencyKeys();
}
