import Type, { type Static } from "typebox";
import type { ChargeRules } from "../../engine/charges.ts";
import type { ChurnRule } from "../../engine/churn.ts";
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
import {
  checkTimes,
  churnOf,
  Description,
  HOLD_TTL_MS_DEFAULT,
  HoldChurn,
  HoldTtlSeconds,
  Key,
  Limits,
  Moment,
  Name,
  PaymentWindowSeconds,
  Price,
  Tags,
  Title,
  tagsOf,
  type Venue,
  VenueBody,
  venueOf,
} from "./event-fields.ts";
import { type EventPromo, PromosBody, promosOf } from "./event-promos.ts";
import { MomentReader } from "./local-time.ts";
import { seatMapOf } from "./plan-geometry.ts";
import { parseSeatingPlan, type SeatingPlan } from "./seating-plan.ts";

const PER_ORDER_DEFAULT = 10;
const PER_USER_DEFAULT = 20;

/** Body of POST /events. */
export const EventBody = Type.Object({
  organizationId: Type.String({ format: "id" }),
  title: Title,
  description: optional(Description),
  category: optional(Name),
  tags: optional(Tags),
  venue: optional(VenueBody),
  /** Instead of `venue` and `seatingPlan`: of those that the organisation keeps. */
  venueId: optional(Type.String({ format: "id" })),
  seatingPlanId: optional(Type.String({ format: "id" })),
  startsAt: Moment,
  endsAt: optional(Moment),
  timezone: optional(Type.String({ format: "timezone" })),
  currency: optional(Type.String({ format: "currency" })),
  salesOpenAt: optional(Moment),
  salesCloseAt: optional(Moment),
  cancellableUntil: optional(Moment),
  holdTtlSeconds: optional(HoldTtlSeconds),
  paymentWindowSeconds: optional(PaymentWindowSeconds),
  holdChurn: optional(HoldChurn),
  limits: optional(Limits),
  priceCategories: Type.Array(
    Type.Object({
      key: Key,
      name: optional(Name),
      price: Price,
    }),
    { minItems: 1, maxItems: limits.CATEGORIES_PER_EVENT_MAX },
  ),
  seatingPlan: Type.Optional(Type.Unknown()),
  seatCategories: optional(
    Type.Record(Type.String(), Type.String(), { maxProperties: limits.PLAN_CATEGORIES_MAX }),
  ),
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
  promoCodes: optional(PromosBody),
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
  readonly promoCodes: readonly EventPromo[];
  readonly churn: ChurnRule | null;
  readonly cancelUntilMs: number | null;
  readonly paymentWindowMs: number;
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
  /** Where they stand, for the actor; empty without a plan. */
  readonly seatMap: Uint8Array;
}

/** What may be changed of an event once it is stored. */
export type ChangeableEvent = Pick<
  EventDraft,
  | "title"
  | "description"
  | "category"
  | "venue"
  | "tags"
  | "startsMs"
  | "endsMs"
  | "salesOpenMs"
  | "salesCloseMs"
  | "cancelUntilMs"
  | "holdTtlMs"
  | "paymentWindowMs"
  | "perOrderMax"
  | "perUserMax"
  | "churn"
  | "priceCategories"
  | "promoCodes"
>;

/** Checks what a schema can't: that the parts of an event fit each other. */
export function parseEventDraft(
  body: EventBody,
  defaults: { readonly currency: string },
): Checked<EventDraft> {
  const errors: FieldError[] = [];
  const keys = uniqueKeys(body.priceCategories, "priceCategories", errors);
  const { seats, seatMap } = seatsOf(body, keys, errors);
  const areas = areasOf(body, keys, errors);
  const timezone = body.timezone ?? "UTC";
  const moments = new MomentReader(timezone, errors);
  const times = timesOf(body, moments, errors);
  const promoCodes = promosOf(body.promoCodes ?? [], { keys, moments, errors });
  const churn = churnOf(body.holdChurn, errors);
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
      tags: tagsOf(body.tags),
      venue: body.venue ? venueOf(body.venue) : null,
      timezone,
      currency: body.currency ?? defaults.currency,
      holdTtlMs: msOf(body.holdTtlSeconds, HOLD_TTL_MS_DEFAULT),
      paymentWindowMs: msOf(body.paymentWindowSeconds, limits.PAYMENT_WINDOW_MS_DEFAULT),
      perOrderMax: body.limits?.perOrder ?? PER_ORDER_DEFAULT,
      perUserMax: body.limits?.perUser ?? PER_USER_DEFAULT,
      priceCategories: body.priceCategories.map(({ key, name, price }) => {
        return { key, name: name?.trim() ?? key, price };
      }),
      areas,
      promoCodes,
      churn,
      seats,
      seatMap,
    },
  };
}

const msOf = (seconds: number | null | undefined, defaultMs: number): number =>
  seconds === null || seconds === undefined ? defaultMs : seconds * 1000;

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

const NO_SEATS = { seats: [], seatMap: new Uint8Array() };

function seatsOf(
  body: EventBody,
  keys: ReadonlySet<string>,
  errors: FieldError[],
): Pick<EventDraft, "seats" | "seatMap"> {
  const { seatingPlan, seatCategories } = body;
  if (seatingPlan === undefined || seatingPlan === null) {
    if (Object.keys(seatCategories ?? {}).length > 0) {
      errors.push({ path: "seatCategories", message: "is of no use without a seatingPlan" });
    }
    return NO_SEATS;
  }
  const plan = parseSeatingPlan(seatingPlan, "seatingPlan");
  if (!plan.ok) {
    errors.push(...plan.errors);
    return NO_SEATS;
  }
  const priceKeys = priceKeysOf(plan.value, body, keys, errors);
  const seats = plan.value.seats.map(({ category, companion, ...seat }) => {
    return { ...seat, category: priceKeys[category] ?? "" };
  });
  return { seats, seatMap: seatMapOf(plan.value) };
}

/** The price category of each of the plan's categories; "" for one that no seat has. */
function priceKeysOf(
  plan: SeatingPlan,
  body: EventBody,
  keys: ReadonlySet<string>,
  errors: FieldError[],
): string[] {
  const fault = (path: string, message: string): void => {
    if (errors.length < limits.VALIDATION_ERRORS_MAX) errors.push({ path, message });
  };
  const explicit = new Map(Object.entries(body.seatCategories ?? {}));
  const known = new Set(plan.categories);
  for (const name of explicit.keys()) {
    if (known.has(name)) continue;
    fault(memberPath("seatCategories", name), "is no category of the seating plan");
  }
  const used = new Set(plan.seats.map((seat) => seat.category));
  return plan.categories.map((name, index) => {
    const wanted = explicit.get(name);
    if (wanted !== undefined) {
      if (keys.has(wanted)) return wanted;
      const message = `is "${wanted}", which no price category has as its key`;
      fault(memberPath("seatCategories", name), message);
      return "";
    }
    const equal = body.priceCategories.find((price) => price.key === name || price.name === name);
    if (equal !== undefined) return equal.key;
    if (used.has(index)) {
      const message = `is "${name}", which neither seatCategories nor a price category names`;
      fault(`seatingPlan.categories[${index}].name`, message);
    }
    return "";
  });
}

function timesOf(body: EventBody, moments: MomentReader, errors: FieldError[]) {
  const startsMs = moments.read("startsAt", body.startsAt, "earlier");
  const times = {
    startsMs: startsMs ?? 0,
    endsMs: moments.read("endsAt", body.endsAt, "later"),
    salesOpenMs: moments.read("salesOpenAt", body.salesOpenAt, "earlier"),
    salesCloseMs: moments.read("salesCloseAt", body.salesCloseAt, "later"),
    cancelUntilMs: moments.read("cancellableUntil", body.cancellableUntil, "later"),
  };
  if (startsMs !== null) checkTimes(times, errors);
  return times;
}

/** What the event's actor must know of it. */
export function inventoryDefinitionOf(
  event: SaleTerms & {
    readonly eventId: EventId;
    readonly seats: readonly Seat[];
    readonly seatMap: Uint8Array;
    readonly charges: ChargeRules;
  },
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
    charges: event.charges,
    promoCodes: event.promoCodes.map(({ categories, ...promo }) => {
      return { ...promo, categories: categories?.map(indexOf) ?? null };
    }),
    churn: event.churn,
    cancelUntilMs: event.cancelUntilMs,
    paymentWindowMs: event.paymentWindowMs,
    seatMap: event.seatMap,
  };
}
