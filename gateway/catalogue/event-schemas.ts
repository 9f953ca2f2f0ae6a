/** Events and their seats as event-view.ts and event-store.ts show them. */
import Type from "typebox";
import { Count, Id, Instant, listSchema, nullable } from "../http/answer-schemas.ts";
import { Charges } from "./organization-schemas.ts";

export const venueMembers = {
  name: Type.String(),
  address: Type.Optional(Type.String()),
  city: Type.Optional(Type.String()),
  country: Type.Optional(Type.String({ format: "country" })),
  location: Type.Optional(Type.Object({ lat: Type.Number(), lng: Type.Number() })),
};
const Venue = Type.Object(venueMembers, { $id: "Venue" });

const PromoCode = Type.Object(
  {
    code: Type.String(),
    percent: Type.Optional(Type.String({ format: "percent" })),
    amount: Type.Optional(Type.Integer({ minimum: 0, description: "Minor units." })),
    categories: nullable(Type.Array(Type.String(), { description: "null: all." })),
    from: nullable(Instant),
    until: nullable(Instant),
    uses: nullable(Count),
    usesPerUser: nullable(Count),
  },
  { $id: "PromoCode" },
);

const Seconds = Type.Number({ minimum: 0, description: "Seconds." });

export const Event = Type.Object(
  {
    id: Id,
    organizationId: Id,
    title: Type.String(),
    description: Type.String(),
    category: nullable(Type.String()),
    tags: Type.Array(Type.String()),
    venue: nullable(Venue),
    startsAt: Instant,
    endsAt: nullable(Instant),
    timezone: Type.String({ format: "timezone" }),
    currency: Type.String({ format: "currency" }),
    salesOpenAt: nullable(Instant),
    salesCloseAt: nullable(Instant),
    cancellableUntil: nullable(Instant),
    holdTtlSeconds: Seconds,
    paymentWindowSeconds: Seconds,
    holdChurn: nullable(
      Type.Object({
        freeDrops: Count,
        windowSeconds: Seconds,
        firstWaitSeconds: Seconds,
        maxWaitSeconds: Seconds,
      }),
    ),
    limits: Type.Object({ perOrder: Count, perUser: Count }),
    priceCategories: Type.Array(
      Type.Object({
        key: Type.String(),
        name: Type.String(),
        price: Type.Integer({ minimum: 0, description: "Minor units." }),
      }),
    ),
    ...Charges,
    areas: Type.Array(
      Type.Object({
        key: Type.String(),
        name: Type.String(),
        capacity: Count,
        priceCategory: Type.String(),
      }),
    ),
    seatCount: Count,
    capacity: Count,
    status: Type.Enum(["draft", "published", "cancelled"]),
    createdAt: Instant,
    updatedAt: Instant,
    promoCodes: Type.Optional(
      Type.Array(PromoCode, { description: "Only for organisers, and only if there are any." }),
    ),
  },
  { $id: "Event" },
);
export const EventPage = listSchema("EventPage", Event);

export const SeatList = Type.Object(
  {
    seats: Type.Array(
      Type.Object(
        {
          id: Type.String({ description: "The plan's `seat_guid`." }),
          zone: Type.String(),
          row: nullable(Type.String()),
          number: nullable(Type.String()),
          category: Type.String({ description: "Key of the price category." }),
          x: nullable(Type.Number()),
          y: nullable(Type.Number()),
          accessible: Type.Boolean(),
        },
        { $id: "Seat" },
      ),
    ),
  },
  { $id: "SeatList", description: "A seat's position in the list is its **index**." },
);
