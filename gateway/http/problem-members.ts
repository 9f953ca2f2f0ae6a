/** What the problems of a code carry beyond type, title, status, code, detail and requestId. */
import Type, { type TProperties } from "typebox";
import { Count, Id, Instant, Money } from "./answer-schemas.ts";
import type { ProblemCode } from "./problem-codes.ts";

const Names = Type.Array(Type.String(), { examples: [["ST-A-12"]] });
const Time = Type.String({ format: "date-time", examples: ["2030-05-04T10:00:00.000Z"] });

export const PROBLEM_MEMBERS: Readonly<Partial<Record<ProblemCode, TProperties>>> = {
  validation_failed: {
    errors: Type.Array(
      Type.Object({
        path: Type.String({
          description: 'Where: `items[0].seat`; "" is the body itself.',
          examples: ["items[0].seat"],
        }),
        message: Type.String({
          description: "Continues the path as a sentence.",
          examples: ["must be a string"],
        }),
      }),
      { minItems: 1 },
    ),
  },
  unknown_seat: { seats: Type.Optional(Names) },
  unknown_area: { areas: Type.Array(Type.String(), { examples: [["roof"]] }) },
  unknown_category: { categories: Type.Array(Type.String(), { examples: [["royal box"]] }) },
  item_not_found: { items: Type.Array(Type.String()) },
  last_owner: {
    organizationIds: Type.Optional(
      Type.Array(Id, { description: "When an account is deleted: where another owner is needed." }),
    ),
  },
  seat_unavailable: { seats: Names },
  insufficient_capacity: {
    area: Type.Optional(Type.String({ examples: ["floor"] })),
    category: Type.Optional(Type.String()),
    available: Count,
  },
  no_adjacent_seats: {
    alternatives: Type.Array(
      Type.Array(
        Type.Object({
          seat: Type.String({ examples: ["ST-B-3"] }),
          group: Type.Integer({ minimum: 0, description: "Those of one group sit together." }),
        }),
      ),
      { description: "Lists of items that can be held as they are, best first." },
    ),
  },
  too_many: { limit: Type.Integer({ minimum: 1, examples: [200] }) },
  limit_exceeded: {
    scope: Type.Optional(Type.Enum(["perOrder", "perUser"])),
    limit: Type.Integer({ minimum: 0, examples: [10] }),
    current: Type.Integer({ minimum: 0, examples: [12] }),
  },
  sales_not_open: { opensAt: Time },
  hold_booked: { bookingId: Id },
  hold_paying: { bookingId: Id },
  promo_not_valid: {
    reason: Type.Enum([
      "unknown",
      "not_yet",
      "over",
      "used_up",
      "used_by_you",
      "no_place_it_applies_to",
    ]),
  },
  booking_pending: { bookingId: Type.Optional(Id) },
  cancellation_closed: { closedAt: Time },
  price_differs: { priceDifference: Money },
  already_checked_in: { checkedInAt: Instant },
  capacity_in_use: { area: Type.String({ examples: ["floor"] }), inUse: Count },
  hold_churn: { retryAt: Time },
  rate_limited: {
    scope: Type.Enum(["user", "address", "account"], {
      description: "Whose bound it is: of the token's user, of the address, of one account there.",
    }),
    limit: Count,
    windowSeconds: Type.Integer({ minimum: 1, examples: [60] }),
    retryAt: Time,
  },
};
