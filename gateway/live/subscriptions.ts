import type { EventId } from "../../engine/ids.ts";
import {
  SOCKET_REQUESTS_IN_FLIGHT_MAX,
  SUBSCRIPTIONS_PER_SOCKET_MAX,
} from "../../engine/limits.ts";
import type { SubscriberGroup } from "./fan-out.ts";

/** Of one socket to one event. Who unsubscribes and subscribes again has another one. */
export interface Subscription {
  readonly eventId: EventId;
  /** Messages that asked for it and have no answer yet. */
  asks: number;
  /** Whom it hears with; null: it has not joined yet. */
  group: SubscriberGroup | null;
}

/**
 * What one socket watches, or asked to.
 *
 * Invariants:
 * - A subscription is here from the message that asks for it until the one that ends it, or until
 *   nobody waits for it and it did not come about. An answer to an ended one has no effect.
 * - There are at most SUBSCRIPTIONS_PER_SOCKET_MAX, and SOCKET_REQUESTS_IN_FLIGHT_MAX asks.
 */
export class Subscriptions {
  readonly #byEvent = new Map<EventId, Subscription>();
  #asks = 0;

  /** What is asked for, or the code of why it can't be. */
  ask(eventId: EventId): Subscription | "too_many_subscriptions" | "busy" {
    const known = this.#byEvent.get(eventId);
    if (known === undefined && this.#byEvent.size >= SUBSCRIPTIONS_PER_SOCKET_MAX) {
      return "too_many_subscriptions";
    }
    if (this.#asks >= SOCKET_REQUESTS_IN_FLIGHT_MAX) return "busy";
    const subscription = known ?? { eventId, asks: 0, group: null };
    this.#byEvent.set(eventId, subscription);
    subscription.asks += 1;
    this.#asks += 1;
    return subscription;
  }

  /** The answer to an ask is there; `isGood`: it joins. False: it was ended meanwhile. */
  answered(subscription: Subscription, isGood: boolean): boolean {
    const { eventId } = subscription;
    subscription.asks -= 1;
    this.#asks -= 1;
    if (this.#byEvent.get(eventId) !== subscription) return false;
    const isOver = !isGood && subscription.group === null && subscription.asks === 0;
    if (isOver) this.#byEvent.delete(eventId);
    return true;
  }

  /** Ends it; the group that it had joined. */
  end(eventId: EventId): SubscriberGroup | null {
    const group = this.#byEvent.get(eventId)?.group ?? null;
    this.#byEvent.delete(eventId);
    return group;
  }

  /** Ends all. */
  *endAll(): Iterable<readonly [EventId, SubscriberGroup]> {
    const all = [...this.#byEvent.values()];
    this.#byEvent.clear();
    for (const { eventId, group } of all) if (group !== null) yield [eventId, group];
  }
}
