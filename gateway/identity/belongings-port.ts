import type { UserId } from "../../engine/ids.ts";

/** What became of somebody's bookings that were to be another's. */
export interface HandedOver {
  readonly bookings: number;
  /** Cancelled ones, used ones, those that wait for money: they stay whose they are. */
  readonly left: number;
}

/** What people have in the events: the actors' business, and the projected rows'. */
export interface Belongings {
  /** Everything that is known of a user there. */
  exportOf(userId: UserId): Promise<object>;
  /** Hands over what can be handed over; may be repeated. Throws `busy`. */
  handOver(
    fromId: UserId,
    to: { readonly id: UserId; readonly email: string },
  ): Promise<HandedOver>;
  /**
   * Takes the user's address out of all their bookings, and them out of every line. May be
   * repeated. Throws `booking_pending` while money is on its way, and `busy`.
   */
  forget(userId: UserId): Promise<void>;
}
