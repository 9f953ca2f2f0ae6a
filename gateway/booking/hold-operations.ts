import { EXAMPLE, eur } from "../openapi/example-values.ts";
import type { AnswerBody, Operations } from "../openapi/operation.ts";
import { Hold } from "./booking-schemas.ts";
import { ChangeHoldBody, HoldBody } from "./hold-request.ts";

const tag = "Holds";
export const HOLD_EXAMPLE = {
  id: EXAMPLE.hold,
  eventId: EXAMPLE.event,
  items: [
    { id: EXAMPLE.item, seat: "ST-A-12", category: "stalls", price: 4500 },
    { id: EXAMPLE.secondItem, area: "floor", category: "standing", price: 3000 },
  ],
  total: eur(7500),
  expiresAt: EXAMPLE.soon,
  status: "active",
  seq: 4711,
};
const one = (description: string): AnswerBody => ({
  description,
  schema: Hold,
  example: HOLD_EXAMPLE,
});
const GONE = ["hold_not_found", "hold_expired", "hold_booked", "event_cancelled"] as const;
const OVER = [...GONE, "hold_released"] as const;

export const holdOperations: Operations = {
  "POST /api/v1/events/:id/holds": {
    id: "holdPlaces",
    tag,
    summary: "Hold places",
    description:
      "All or nothing: named seats, places of standing areas, and the best seats that are free, " +
      "together. The hold ends by itself at `expiresAt`. `seq` says in which order requests won.",
    access: "user",
    key: "kept",
    body: {
      name: "NewHold",
      schema: HoldBody,
      examples: {
        seatsAndArea: { items: [{ seat: "ST-A-12" }, { area: "floor", quantity: 1 }] },
        best: {
          items: [{ bestAvailable: { quantity: 4, category: "stalls", adjacent: true } }],
          promoCode: "EARLY",
        },
      },
    },
    answers: { 201: one("The hold.") },
    codes: [
      "event_not_found",
      "unknown_seat",
      "unknown_area",
      "unknown_category",
      "seat_unavailable",
      "insufficient_capacity",
      "no_adjacent_seats",
      "limit_exceeded",
      "sales_not_open",
      "sales_closed",
      "event_cancelled",
      "promo_not_valid",
      "hold_churn",
      "timeout",
    ],
  },
  "GET /api/v1/holds/:id": {
    id: "getHold",
    tag,
    summary: "One hold",
    description: "Somebody else's hold is not there.",
    access: "user",
    answers: { 200: one("The hold, while it lives.") },
    codes: [...OVER, "timeout"],
  },
  "PATCH /api/v1/holds/:id": {
    id: "changeHold",
    tag,
    summary: "Add and drop items",
    description:
      "In one step or not at all. What stays keeps its id and price; the hold's end stays, too.",
    access: "user",
    key: "kept",
    body: {
      name: "HoldChanges",
      schema: ChangeHoldBody,
      examples: { swap: { add: [{ seat: "ST-A-13" }], remove: [EXAMPLE.item] } },
    },
    answers: { 200: one("As it is now.") },
    codes: [
      ...OVER,
      "unknown_seat",
      "unknown_area",
      "item_not_found",
      "seat_unavailable",
      "insufficient_capacity",
      "limit_exceeded",
      "sales_not_open",
      "sales_closed",
      "hold_paying",
      "hold_would_be_empty",
      "hold_changed_too_often",
      "timeout",
    ],
  },
  "DELETE /api/v1/holds/:id": {
    id: "releaseHold",
    tag,
    summary: "Give a hold back",
    description: "Its places are for sale, or offered to the line, in the same step. Repeatable.",
    access: "user",
    answers: { 204: { description: "It is released, now or before." } },
    codes: [...GONE, "timeout"],
  },
  "POST /api/v1/holds/:id/extend": {
    id: "extendHold",
    tag,
    summary: "Keep a hold longer",
    description: "Once, by the event's TTL, never past twice the TTL from its creation.",
    access: "user",
    key: "kept",
    answers: { 200: one("With its new end.") },
    codes: [...OVER, "hold_not_extendable", "timeout"],
  },
};
