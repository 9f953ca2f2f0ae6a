/** What the bodies of POST /events and PATCH /events/{id} have in common. */
import Type, { type Static } from "typebox";
import { CHURN_RULE_DEFAULT, type ChurnRule } from "../../engine/churn.ts";
import * as limits from "../../engine/limits.ts";
import { placeOf } from "../http/place.ts";
import { type FieldError, optional } from "../http/validation.ts";

export const HOLD_TTL_MS_DEFAULT = 600_000;

const seconds = (msMin: number, msMax: number) =>
  Type.Integer({ minimum: msMin / 1000, maximum: msMax / 1000 });

export const Moment = Type.String({ format: "moment" });
export const Name = Type.String({ format: "line", maxLength: limits.NAME_CHARS_MAX });
export const Key = Type.String({ format: "key" });
export const Title = Type.String({ format: "line", maxLength: limits.TITLE_CHARS_MAX });
export const Description = Type.String({
  format: "text",
  maxLength: limits.DESCRIPTION_CHARS_MAX,
});
export const Tags = Type.Array(Name, { maxItems: limits.TAGS_PER_EVENT_MAX });
export const HoldTtlSeconds = seconds(limits.HOLD_TTL_MS_MIN, limits.HOLD_TTL_MS_MAX);
export const PaymentWindowSeconds = seconds(
  limits.PAYMENT_WINDOW_MS_MIN,
  limits.PAYMENT_WINDOW_MS_MAX,
);
export const Limits = Type.Object({
  perOrder: optional(Type.Integer({ minimum: 1, maximum: limits.PLACES_PER_HOLD_MAX })),
  perUser: optional(Type.Integer({ minimum: 1, maximum: limits.PLACES_PER_USER_MAX })),
});
export const Price = Type.Integer({ minimum: 0, maximum: limits.PRICE_MINOR_MAX });

const WaitSeconds = seconds(limits.CHURN_WAIT_MS_MIN, limits.CHURN_WAIT_MS_MAX);
export const HoldChurn = Type.Object({
  freeDrops: optional(Type.Integer({ minimum: 0, maximum: limits.CHURN_FREE_DROPS_MAX })),
  windowSeconds: optional(seconds(limits.CHURN_WINDOW_MS_MIN, limits.CHURN_WINDOW_MS_MAX)),
  firstWaitSeconds: optional(WaitSeconds),
  maxWaitSeconds: optional(WaitSeconds),
});

/** Members that are absent have the rule's defaults; without a body there is no rule. */
export function churnOf(
  body: Static<typeof HoldChurn> | null | undefined,
  errors: FieldError[],
): ChurnRule | null {
  if (body === null || body === undefined) return null;
  const msOf = (given: number | null | undefined, defaultMs: number): number =>
    given === null || given === undefined ? defaultMs : given * 1000;
  const usual = CHURN_RULE_DEFAULT;
  const rule = {
    freeDrops: body.freeDrops ?? usual.freeDrops,
    windowMs: msOf(body.windowSeconds, usual.windowMs),
    firstWaitMs: msOf(body.firstWaitSeconds, usual.firstWaitMs),
    waitMsMax: msOf(body.maxWaitSeconds, usual.waitMsMax),
  };
  if (rule.waitMsMax < rule.firstWaitMs) {
    const message = `must be at least firstWaitSeconds, ${rule.firstWaitMs / 1000}`;
    errors.push({ path: "holdChurn.maxWaitSeconds", message });
  }
  return rule;
}

export function churnView(rule: ChurnRule | null): object | null {
  return rule === null
    ? null
    : {
        freeDrops: rule.freeDrops,
        windowSeconds: rule.windowMs / 1000,
        firstWaitSeconds: rule.firstWaitMs / 1000,
        maxWaitSeconds: rule.waitMsMax / 1000,
      };
}

export const VenueBody = Type.Object({
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

export interface Venue {
  readonly name: string;
  readonly address?: string;
  readonly city?: string;
  readonly country?: string;
  readonly location?: { readonly lat: number; readonly lng: number };
}

export function venueOf({
  name,
  address,
  city,
  country,
  location,
}: Static<typeof VenueBody>): Venue {
  return {
    name: name.trim(),
    ...(address ? { address: address.trim() } : {}),
    ...(city ? { city: city.trim() } : {}),
    ...(country ? { country } : {}),
    ...(location ? { location: placeOf(location) } : {}),
  };
}

export interface EventTimes {
  readonly startsMs: number;
  readonly endsMs: number | null;
  readonly salesOpenMs: number | null;
  readonly salesCloseMs: number | null;
}

export function checkTimes(times: EventTimes, errors: FieldError[]): void {
  const { startsMs, endsMs, salesOpenMs, salesCloseMs } = times;
  if (endsMs !== null && endsMs <= startsMs) {
    errors.push({ path: "endsAt", message: "must be after startsAt" });
  }
  if (salesOpenMs !== null && salesCloseMs !== null && salesCloseMs <= salesOpenMs) {
    errors.push({ path: "salesCloseAt", message: "must be after salesOpenAt" });
  }
}

/** Tags as they are kept: trimmed, each once. */
export const tagsOf = (tags: readonly string[] | null | undefined): string[] => [
  ...new Set((tags ?? []).map((tag) => tag.trim())),
];
