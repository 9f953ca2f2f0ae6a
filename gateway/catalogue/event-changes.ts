import Type, { type Static } from "typebox";
import * as limits from "../../engine/limits.ts";
import { type Checked, compileSchema, type FieldError, optional } from "../http/validation.ts";
import type { ChangeableEvent, PriceCategory } from "./event-definition.ts";
import {
  checkTimes,
  churnOf,
  Description,
  HOLD_TTL_MS_DEFAULT,
  HoldChurn,
  HoldTtlSeconds,
  Limits,
  Moment,
  Name,
  PaymentWindowSeconds,
  Price,
  Tags,
  Title,
  tagsOf,
  VenueBody,
  venueOf,
} from "./event-fields.ts";
import { PromosBody, promosOf } from "./event-promos.ts";
import type { StoredEvent } from "./event-store.ts";
import { fixedMemberErrors } from "./fixed-members.ts";
import { MomentReader } from "./local-time.ts";

/**
 * Body of PATCH /events/{id}. What is absent stays as it is; null is what an event has that never
 * had the member. Places, currency and time zone are not here: they are fixed (fixed-members.ts).
 */
export const EventChangesBody = Type.Object({
  title: Type.Optional(Title),
  description: optional(Description),
  category: optional(Name),
  tags: optional(Tags),
  venue: optional(VenueBody),
  venueId: optional(Type.String({ format: "id" })),
  startsAt: Type.Optional(Moment),
  endsAt: optional(Moment),
  salesOpenAt: optional(Moment),
  salesCloseAt: optional(Moment),
  cancellableUntil: optional(Moment),
  holdTtlSeconds: optional(HoldTtlSeconds),
  paymentWindowSeconds: optional(PaymentWindowSeconds),
  holdChurn: optional(HoldChurn),
  /** Each limit by itself. */
  limits: Type.Optional(Limits),
  /** Those that are named; holds that are there keep what they cost. */
  priceCategories: Type.Optional(
    Type.Array(
      Type.Object({ key: Type.String(), name: Type.Optional(Name), price: Type.Optional(Price) }),
      { maxItems: limits.CATEGORIES_PER_EVENT_MAX },
    ),
  ),
  /** All of them. */
  promoCodes: optional(PromosBody),
  /** The event takes over the fees and the tax that its organisation has now. */
  takeOrganizationCharges: Type.Optional(Type.Boolean()),
});
export type EventChangesBody = Static<typeof EventChangesBody>;
export const checkEventChanges = compileSchema(EventChangesBody);

/** The event as it is after the change. */
export function changedEvent(event: StoredEvent, body: EventChangesBody): Checked<ChangeableEvent> {
  const errors: FieldError[] = fixedMemberErrors(event, body);
  const moments = new MomentReader(event.timezone, errors);
  const keys = new Set(event.priceCategories.map(({ key }) => key));
  const times = changedTimes(event, body, moments);
  if (errors.length === 0) checkTimes(times, errors);
  const { promoCodes, holdChurn } = body;
  const changed: ChangeableEvent = {
    ...times,
    title: body.title?.trim() ?? event.title,
    description: given(body.description, "", event.description),
    category: given(body.category?.trim() ?? body.category, null, event.category),
    venue: body.venue ? venueOf(body.venue) : given(body.venue, null, event.venue),
    tags: body.tags === undefined ? event.tags : tagsOf(body.tags),
    holdTtlMs: ms(body.holdTtlSeconds, HOLD_TTL_MS_DEFAULT, event.holdTtlMs),
    paymentWindowMs: ms(
      body.paymentWindowSeconds,
      limits.PAYMENT_WINDOW_MS_DEFAULT,
      event.paymentWindowMs,
    ),
    perOrderMax: body.limits?.perOrder ?? event.perOrderMax,
    perUserMax: body.limits?.perUser ?? event.perUserMax,
    churn: holdChurn === undefined ? event.churn : churnOf(holdChurn, errors),
    priceCategories: changedPrices(event.priceCategories, body, errors),
    promoCodes:
      promoCodes === undefined
        ? event.promoCodes
        : promosOf(promoCodes ?? [], { keys, moments, errors }),
  };
  if (errors.length === 0) return { ok: true, value: changed };
  return { ok: false, errors: errors.slice(0, limits.VALIDATION_ERRORS_MAX) };
}

/** A member that is absent stays, one that is null begins anew. */
function given<T>(member: T | null | undefined, anew: T, now: T): T {
  if (member === undefined) return now;
  return member === null ? anew : member;
}

function ms(seconds: number | null | undefined, anewMs: number, nowMs: number): number {
  return given(typeof seconds === "number" ? seconds * 1000 : seconds, anewMs, nowMs);
}

function changedTimes(event: StoredEvent, body: EventChangesBody, moments: MomentReader) {
  const later = (path: "endsAt" | "salesCloseAt" | "cancellableUntil", now: number | null) =>
    body[path] === undefined ? now : moments.read(path, body[path], "later");
  const { startsAt, salesOpenAt } = body;
  return {
    startsMs: moments.read("startsAt", startsAt, "earlier") ?? event.startsMs,
    endsMs: later("endsAt", event.endsMs),
    salesOpenMs:
      salesOpenAt === undefined
        ? event.salesOpenMs
        : moments.read("salesOpenAt", salesOpenAt, "earlier"),
    salesCloseMs: later("salesCloseAt", event.salesCloseMs),
    cancelUntilMs: later("cancellableUntil", event.cancelUntilMs),
  };
}

function changedPrices(
  now: readonly PriceCategory[],
  { priceCategories = [] }: EventChangesBody,
  errors: FieldError[],
): readonly PriceCategory[] {
  const changed = new Map(now.map((category) => [category.key, category]));
  const named = new Set<string>();
  for (const [index, { key, name, price }] of priceCategories.entries()) {
    const category = changed.get(key);
    const path = `priceCategories[${index}].key`;
    if (category === undefined) {
      errors.push({ path, message: `is "${key}", which no price category has as its key` });
    } else if (named.has(key)) {
      errors.push({ path, message: `is "${key}", as an earlier one is` });
    } else {
      const { name: nameNow, price: priceNow } = category;
      changed.set(key, { key, name: name?.trim() ?? nameNow, price: price ?? priceNow });
    }
    named.add(key);
  }
  return [...changed.values()];
}
