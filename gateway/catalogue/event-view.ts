import { chargesView } from "./charge-rules.ts";
import { churnView } from "./event-fields.ts";
import { promoView } from "./event-promos.ts";
import type { StoredEvent } from "./event-store.ts";

const iso = (ms: number | null): string | null => (ms === null ? null : new Date(ms).toISOString());

/** An event as the contract shows it to everyone. */
export function eventView(event: StoredEvent): object {
  const standing = event.areas.reduce((sum, area) => sum + area.capacity, 0);
  return {
    id: event.eventId,
    organizationId: event.organizationId,
    title: event.title,
    description: event.description,
    category: event.category,
    tags: event.tags,
    venue: event.venue,
    startsAt: iso(event.startsMs),
    endsAt: iso(event.endsMs),
    timezone: event.timezone,
    currency: event.currency,
    salesOpenAt: iso(event.salesOpenMs),
    salesCloseAt: iso(event.salesCloseMs),
    cancellableUntil: iso(event.cancelUntilMs),
    holdTtlSeconds: event.holdTtlMs / 1000,
    paymentWindowSeconds: event.paymentWindowMs / 1000,
    holdChurn: churnView(event.churn),
    limits: { perOrder: event.perOrderMax, perUser: event.perUserMax },
    priceCategories: event.priceCategories,
    ...chargesView(event.charges),
    areas: event.areas,
    seatCount: event.seatCount,
    capacity: event.seatCount + standing,
    status: event.status,
    createdAt: iso(event.createdMs),
    updatedAt: iso(event.updatedMs),
  };
}

/** The event for who sells it: with its promo codes, if it has any. */
export function organizerView(event: StoredEvent): object {
  if (event.promoCodes.length === 0) return eventView(event);
  return { ...eventView(event), promoCodes: event.promoCodes.map(promoView) };
}
