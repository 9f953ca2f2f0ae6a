import assert from "node:assert/strict";
import { test } from "node:test";
import type { BookingId, ItemId } from "../../engine/ids.ts";
import type { Refusal } from "../../engine/replies.ts";
import { NOON } from "../../engine/testing/fixtures.ts";
import { problem as httpProblem, problemDocument } from "../http/problem.ts";
import { PROBLEMS, type ProblemCode } from "../http/problem-codes.ts";
import { problemOfRefusal } from "./refusals.ts";
import { eventEntry } from "./testing/event-entry.ts";

const EVENT = eventEntry();
const BOOKING = "0197f3c9-7b10-7005-8aaa-aa07a4b1c2d3" as BookingId;
const ITEM = "0197f3c9-7b10-7006-8aaa-aa07a4b1c2d3" as ItemId;
const AT = new Date(NOON).toISOString();

type Told = readonly [status: number, members: object, code?: ProblemCode];
type Cases = {
  readonly [Code in Refusal["code"]]: readonly [Extract<Refusal, { code: Code }>, ...Told][];
};

/** Every refusal of the engine: what it is, and what the requester reads. */
const CASES: Cases = {
  event_not_found: [[{ code: "event_not_found" }, 404, {}]],
  event_cancelled: [[{ code: "event_cancelled" }, 409, {}]],
  sales_not_open: [[{ code: "sales_not_open", opensAtMs: NOON }, 409, { opensAt: AT }]],
  sales_closed: [[{ code: "sales_closed" }, 409, {}]],
  unknown_place: [[{ code: "unknown_place", places: [99] }, 400, {}, "unknown_seat"]],
  seat_unavailable: [
    [{ code: "seat_unavailable", seats: [2, 9] }, 409, { seats: ["A-3", "A-10"] }],
  ],
  insufficient_capacity: [
    [
      { code: "insufficient_capacity", area: 0, available: 1 },
      409,
      { area: "floor", available: 1 },
    ],
  ],
  too_few_places: [
    [
      { code: "too_few_places", category: 1, available: 3 },
      409,
      { category: "standing", available: 3 },
      "insufficient_capacity",
    ],
    [
      { code: "too_few_places", category: null, available: 3 },
      409,
      { available: 3 },
      "insufficient_capacity",
    ],
  ],
  no_adjacent_seats: [
    [
      {
        code: "no_adjacent_seats",
        alternatives: [
          [[0, 1], [8]],
          [[4], [6], [9]],
        ],
      },
      409,
      {
        alternatives: [
          [
            { seat: "A-1", group: 0 },
            { seat: "A-2", group: 0 },
            { seat: "A-9", group: 1 },
          ],
          [
            { seat: "A-5", group: 0 },
            { seat: "A-7", group: 1 },
            { seat: "A-10", group: 2 },
          ],
        ],
      },
    ],
  ],
  limit_exceeded: [
    [
      { code: "limit_exceeded", scope: "perUser", limit: 6, current: 5 },
      409,
      { scope: "perUser", limit: 6, current: 5 },
    ],
  ],
  hold_churn: [[{ code: "hold_churn", retryAtMs: NOON }, 429, { retryAt: AT }]],
  promo_not_valid: [
    [{ code: "promo_not_valid", reason: "used_up" }, 409, { reason: "used_up" }],
    [{ code: "promo_not_valid", reason: "unknown" }, 409, { reason: "unknown" }],
  ],
  hold_not_found: [[{ code: "hold_not_found" }, 404, {}]],
  hold_expired: [[{ code: "hold_expired" }, 410, {}]],
  hold_released: [[{ code: "hold_released" }, 410, {}]],
  hold_booked: [[{ code: "hold_booked", bookingId: BOOKING }, 409, { bookingId: BOOKING }]],
  hold_paying: [[{ code: "hold_paying", bookingId: BOOKING }, 409, { bookingId: BOOKING }]],
  hold_not_extendable: [[{ code: "hold_not_extendable" }, 409, {}]],
  hold_would_be_empty: [[{ code: "hold_would_be_empty" }, 409, {}]],
  hold_changed_too_often: [[{ code: "hold_changed_too_often" }, 409, {}]],
  item_not_found: [[{ code: "item_not_found", items: [ITEM] }, 404, { items: [ITEM] }]],
  payment_required: [[{ code: "payment_required" }, 409, {}]],
  intent_not_found: [[{ code: "intent_not_found" }, 404, {}]],
  booking_not_found: [[{ code: "booking_not_found" }, 404, {}]],
  booking_pending: [[{ code: "booking_pending" }, 409, {}]],
  booking_cancelled: [[{ code: "booking_cancelled" }, 409, {}]],
  cancellation_closed: [[{ code: "cancellation_closed", closedAtMs: NOON }, 409, { closedAt: AT }]],
  ticket_not_found: [[{ code: "ticket_not_found" }, 404, {}]],
  ticket_cancelled: [[{ code: "ticket_cancelled" }, 409, {}]],
  ticket_not_movable: [[{ code: "ticket_not_movable" }, 409, {}]],
  price_differs: [
    [
      { code: "price_differs", differenceMinor: 500 },
      409,
      { priceDifference: { amount: 500, currency: "EUR" } },
    ],
  ],
  already_checked_in: [[{ code: "already_checked_in", atMs: NOON }, 409, { checkedInAt: AT }]],
  not_checked_in: [[{ code: "not_checked_in" }, 409, {}]],
  capacity_in_use: [
    [{ code: "capacity_in_use", area: 0, inUse: 4 }, 409, { area: "floor", inUse: 4 }],
  ],
  already_waiting: [[{ code: "already_waiting" }, 409, {}]],
  not_waiting: [[{ code: "not_waiting" }, 404, {}]],
  inventory_fixed: [[{ code: "inventory_fixed" }, 409, {}]],
  idempotency_key_reused: [[{ code: "idempotency_key_reused" }, 422, {}]],
  busy: [[{ code: "busy" }, 503, {}]],
};

/** What is more to say than the title; a pattern where its words depend on the case. */
const DETAILS: Readonly<Record<string, string | RegExp>> = {
  sales_not_open: `Sales open at ${AT}`,
  seat_unavailable: "Not free: A-3, A-10",
  insufficient_capacity: "Only 1 left in area floor",
  too_few_places: /^Only 3 to be had( of category standing)?$/,
  limit_exceeded: "One buyer may have 6 places at most; you have 5",
  hold_churn: `Too many holds were taken and dropped; the next one may come at ${AT}`,
  promo_not_valid: /^(The promo code has been used up|This event has no such promo code)$/,
};

for (const [name, cases] of Object.entries(CASES)) {
  test(`${name} is told in the contract's words`, () => {
    for (const [refusal, status, members, code = name] of cases) {
      const told = problemOfRefusal(refusal, EVENT);
      const [, title] = PROBLEMS[told.code];
      const detail = DETAILS[name] ?? title;
      const { document, ...rest } = problemDocument(told.code, told.members);
      assert.deepEqual(rest, { status });
      const { detail: said = "", ...others } = document as { readonly detail?: string };
      assert.deepEqual(others, { ...members, type: `/problems/${code}`, title, status, code });
      if (typeof detail === "string") assert.equal(said, detail);
      else assert.match(said, detail);
    }
  });
}

test("who drops holds too often hears when to come back", () => {
  const retryAt = new Date(Date.now() + 4_500).toISOString();
  const { status, headers } = httpProblem("hold_churn", "r", { retryAt });
  assert.deepEqual([status, headers], [429, { "Retry-After": "5" }]);
});
