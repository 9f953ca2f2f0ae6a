import Type, { type Static } from "typebox";
import type { InventoryDefinition } from "../../engine/definition.ts";
import type { EventId } from "../../engine/ids.ts";
import * as limits from "../../engine/limits.ts";
import {
  type Checked,
  compileSchema,
  type FieldError,
  memberPath,
  optional,
} from "../http/validation.ts";
import { parseSeatingPlan, type SeatingPlan } from "./seating-plan.ts";

const HOLD_TTL_SECONDS_DEFAULT = 600;
const PER_ORDER_DEFAULT = 10;
const PER_USER_DEFAULT = 20;

const Instant = Type.String({ format: "instant" });
const Name = Type.String({ format: "line", maxLength: limits.NAME_CHARS_MAX });
const Key = Type.String({ format: "key" });

const VenueBody = Type.Object({
  name: Name,
  address: optional(Type.String({ format: "line", maxLength: limits.TITLE_CHARS_MAX })),
  city: optional(Name),
  country: optional(Type.String({ format: "country" })),
  location: optional(
    Type.Object({
      lat: Type.Number({ minimum: -90, maximum: 90 }),
      lng: Type.Number({ minimum: -180, maximum: 180 }),
    }),
  ),
});

/** Body of POST /events. */
export const EventBody = Type.Object({
  organizationId: Type.String({ format: "id" }),
  title: Type.String({ format: "line", maxLength: limits.TITLE_CHARS_MAX }),
  description: optional(Type.String({ format: "text", maxLength: limits.DESCRIPTION_CHARS_MAX })),
  category: optional(Name),
  tags: optional(Type.Array(Name, { maxItems: limits.TAGS_PER_EVENT_MAX })),
  venue: optional(VenueBody),
  startsAt: Instant,
  endsAt: optional(Instant),
  timezone: optional(Type.String({ format: "timezone" })),
  currency: optional(Type.String({ format: "currency" })),
  salesOpenAt: optional(Instant),
  salesCloseAt: optional(Instant),
  holdTtlSeconds: optional(
    Type.Integer({
      minimum: limits.HOLD_TTL_MS_MIN / 1000,
      maximum: limits.HOLD_TTL_MS_MAX / 1000,
    }),
  ),
  limits: optional(
    Type.Object({
      perOrder: optional(Type.Integer({ minimum: 1, maximum: limits.PLACES_PER_HOLD_MAX })),
      perUser: optional(Type.Integer({ minimum: 1, maximum: limits.PLACES_PER_USER_MAX })),
    }),
  ),
  priceCategories: Type.Array(
    Type.Object({
      key: Key,
      name: optional(Name),
      price: Type.Integer({ minimum: 0, maximum: limits.PRICE_MINOR_MAX }),
    }),
    { minItems: 1, maxItems: limits.CATEGORIES_PER_EVENT_MAX },
  ),
  seatingPlan: Type.Optional(Type.Unknown()),
  seatCategories: optional(Type.Record(Type.String(), Type.String())),
  areas: optional(
    Type.Array(
      Type.Object({
        key: Key,
        name: optional(Name),
        capacity: Type.Integer({ minimum: 1, maximum: limits.AREA_CAPACITY_MAX }),
        priceCategory: Type.String(),
      }),
      { maxItems: limits.AREAS_PER_EVENT_MAX },
    ),
  ),
  publish: optional(Type.Boolean()),
});
export type EventBody = Static<typeof EventBody>;
export const checkEventBody = compileSchema(EventBody);

export interface PriceCategory {
  readonly key: string;
  readonly name: string;
  /** Minor units. */
  readonly price: number;
}

export interface Area {
  readonly key: string;
  readonly name: string;
  readonly capacity: number;
  /** Key of a price category. */
  readonly priceCategory: string;
}

/** A seat as the contract shows it; its position in the list is its index. */
export interface Seat {
  readonly id: string;
  readonly zone: string;
  readonly row: string | null;
  readonly number: string | null;
  /** Key of a price category. */
  readonly category: string;
  readonly x: number | null;
  readonly y: number | null;
  readonly accessible: boolean;
}

export interface Venue {
  readonly name: string;
  readonly address?: string;
  readonly city?: string;
  readonly country?: string;
  readonly location?: { readonly lat: number; readonly lng: number };
}

/** How an event is sold: what becomes the actor's once it is published. Times are Unix ms. */
export interface SaleTerms {
  readonly currency: string;
  readonly salesOpenMs: number | null;
  readonly salesCloseMs: number | null;
  readonly holdTtlMs: number;
  readonly perOrderMax: number;
  readonly perUserMax: number;
  readonly priceCategories: readonly PriceCategory[];
  readonly areas: readonly Area[];
}

/** An event as an organiser wrote it, checked and with defaults filled in. */
export interface EventDraft extends SaleTerms {
  readonly title: string;
  readonly description: string;
  readonly category: string | null;
  readonly tags: readonly string[];
  readonly venue: Venue | null;
  readonly startsMs: number;
  readonly endsMs: number | null;
  readonly timezone: string;
  readonly seats: readonly Seat[];
}

/** Checks what a schema can't: that the parts of an event fit each other. */
export function parseEventDraft(
  body: EventBody,
  defaults: { readonly currency: string },
): Checked<EventDraft> {
  const errors: FieldError[] = [];
  const keys = uniqueKeys(body.priceCategories, "priceCategories", errors);
  const seats = seatsOf(body, keys, errors);
  const areas = areasOf(body, keys, errors);
  const times = timesOf(body, errors);
  if (seats.length === 0 && areas.length === 0 && errors.length === 0) {
    errors.push({
      path: "seatingPlan",
      message: "is missing: an event has a plan, areas, or both",
    });
  }
  if (errors.length > 0) {
    return { ok: false, errors: errors.slice(0, limits.VALIDATION_ERRORS_MAX) };
  }
  return {
    ok: true,
    value: {
      ...times,
      title: body.title.trim(),
      description: body.description ?? "",
      category: body.category?.trim() ?? null,
      tags: [...new Set((body.tags ?? []).map((tag) => tag.trim()))],
      venue: venueOf(body),
      timezone: body.timezone ?? "UTC",
      currency: body.currency ?? defaults.currency,
      holdTtlMs: (body.holdTtlSeconds ?? HOLD_TTL_SECONDS_DEFAULT) * 1000,
      perOrderMax: body.limits?.perOrder ?? PER_ORDER_DEFAULT,
      perUserMax: body.limits?.perUser ?? PER_USER_DEFAULT,
      priceCategories: body.priceCategories.map(({ key, name, price }) => {
        return { key, name: name?.trim() ?? key, price };
      }),
      areas,
      seats,
    },
  };
}

/** The keys of a list in its order; a repeated one is an error. */
function uniqueKeys(
  list: readonly { readonly key: string }[],
  path: string,
  errors: FieldError[],
): ReadonlySet<string> {
  const keys = new Set<string>();
  for (const [index, { key }] of list.entries()) {
    if (keys.has(key)) {
      errors.push({ path: `${path}[${index}].key`, message: `is "${key}", as an earlier one is` });
    }
    keys.add(key);
  }
  return keys;
}

function areasOf(body: EventBody, keys: ReadonlySet<string>, errors: FieldError[]): Area[] {
  const areas = body.areas ?? [];
  uniqueKeys(areas, "areas", errors);
  return areas.map(({ key, name, capacity, priceCategory }, index) => {
    if (!keys.has(priceCategory)) {
      const message = `is "${priceCategory}", which no price category has as its key`;
      errors.push({ path: `areas[${index}].priceCategory`, message });
    }
    return { key, name: name?.trim() ?? key, capacity, priceCategory };
  });
}

function seatsOf(body: EventBody, keys: ReadonlySet<string>, errors: FieldError[]): Seat[] {
  const { seatingPlan, seatCategories } = body;
  if (seatingPlan === undefined || seatingPlan === null) {
    if (Object.keys(seatCategories ?? {}).length > 0) {
      errors.push({ path: "seatCategories", message: "is of no use without a seatingPlan" });
    }
    return [];
  }
  const plan = parseSeatingPlan(seatingPlan, "seatingPlan");
  if (!plan.ok) {
    errors.push(...plan.errors);
    return [];
  }
  const priceKeys = priceKeysOf(plan.value, body, keys, errors);
  return plan.value.seats.map(({ category, ...seat }) => {
    return { ...seat, category: priceKeys[category] ?? "" };
  });
}

/** The price category of each of the plan's categories; "" for one that no seat has. */
function priceKeysOf(
  plan: SeatingPlan,
  body: EventBody,
  keys: ReadonlySet<string>,
  errors: FieldError[],
): string[] {
  const explicit = new Map(Object.entries(body.seatCategories ?? {}));
  for (const name of explicit.keys()) {
    if (plan.categories.includes(name)) continue;
    const path = memberPath("seatCategories", name);
    errors.push({ path, message: "is no category of the seating plan" });
  }
  const used = new Set(plan.seats.map((seat) => seat.category));
  return plan.categories.map((name, index) => {
    const wanted = explicit.get(name);
    if (wanted !== undefined) {
      if (keys.has(wanted)) return wanted;
      const message = `is "${wanted}", which no price category has as its key`;
      errors.push({ path: memberPath("seatCategories", name), message });
      return "";
    }
    const equal = body.priceCategories.find((price) => price.key === name || price.name === name);
    if (equal !== undefined) return equal.key;
    if (used.has(index)) {
      const message = `is "${name}", which neither seatCategories nor a price category names`;
      errors.push({ path: `seatingPlan.categories[${index}].name`, message });
    }
    return "";
  });
}

function timesOf(body: EventBody, errors: FieldError[]) {
  const ms = (text: string | null | undefined) => (text ? Date.parse(text) : null);
  const startsMs = Date.parse(body.startsAt);
  const endsMs = ms(body.endsAt);
  const salesOpenMs = ms(body.salesOpenAt);
  const salesCloseMs = ms(body.salesCloseAt);
  if (endsMs !== null && endsMs <= startsMs) {
    errors.push({ path: "endsAt", message: "must be after startsAt" });
  }
  if (salesOpenMs !== null && salesCloseMs !== null && salesCloseMs <= salesOpenMs) {
    errors.push({ path: "salesCloseAt", message: "must be after salesOpenAt" });
  }
  return { startsMs, endsMs, salesOpenMs, salesCloseMs };
}

function venueOf({ venue }: EventBody): Venue | null {
  if (venue === undefined || venue === null) return null;
  const { name, address, city, country, location } = venue;
  return {
    name: name.trim(),
    ...(address ? { address: address.trim() } : {}),
    ...(city ? { city: city.trim() } : {}),
    ...(country ? { country } : {}),
    ...(location ? { location: { lat: location.lat, lng: location.lng } } : {}),
  };
}

/** What the event's actor must know of it. */
export function inventoryDefinitionOf(
  event: SaleTerms & { readonly eventId: EventId; readonly seats: readonly Seat[] },
  status: InventoryDefinition["status"],
): InventoryDefinition {
  const indexes = new Map(event.priceCategories.map(({ key }, index) => [key, index]));
  const indexOf = (key: string): number => {
    const index = indexes.get(key);
    if (index === undefined) throw new Error(`${event.eventId} lacks the price category ${key}`);
    return index;
  };
  return {
    eventId: event.eventId,
    status,
    currency: event.currency,
    salesOpenMs: event.salesOpenMs,
    salesCloseMs: event.salesCloseMs,
    holdTtlMs: event.holdTtlMs,
    perOrderMax: event.perOrderMax,
    perUserMax: event.perUserMax,
    categories: event.priceCategories.map(({ key, price }) => ({ key, priceMinor: price })),
    seatCategories: Uint8Array.from(event.seats, (seat) => indexOf(seat.category)),
    areas: event.areas.map(({ key, priceCategory, capacity }) => {
      return { key, category: indexOf(priceCategory), capacity };
    }),
  };
}
