/** What concerns an event's places as a whole: what is free, who waits, who comes in. */
import { PageQuery } from "../http/page.ts";
import { Availability } from "../live/availability-schemas.ts";
import { EXAMPLE } from "../openapi/example-values.ts";
import type { AnswerBody, Operations } from "../openapi/operation.ts";
import { TICKET_EXAMPLE } from "./booking-operations.ts";
import { AvailabilityQuery } from "./booking-routes.ts";
import { CheckIn } from "./booking-schemas.ts";
import { LogPage } from "./history-schemas.ts";
import { InventoryBody } from "./inventory-request.ts";
import { CheckInBody } from "./ticket-desk.ts";
import { JoinBody } from "./waitlist-desk.ts";
import { WaitlistEntry, WaitlistPage } from "./waitlist-schemas.ts";

const availability: AnswerBody = {
  description: "What is free now.",
  schema: Availability,
  example: {
    eventId: EXAMPLE.event,
    epoch: 3,
    seq: 4715,
    status: "published",
    capacity: 502,
    free: 500,
    held: 1,
    sold: 1,
    blocked: 0,
    categories: [{ key: "stalls", free: 1, price: 4500 }],
    areas: [{ key: "floor", capacity: 500, free: 499, held: 0, sold: 1 }],
    statuses: "hf",
  },
};
const waitingExample = {
  id: EXAMPLE.waiting,
  eventId: EXAMPLE.event,
  position: 3,
  quantity: 2,
  categories: ["stalls"],
  priority: 0,
  status: "waiting",
  joinedAt: EXAMPLE.now,
  seq: 4720,
};
const waiting = (description: string): AnswerBody => ({
  description,
  schema: WaitlistEntry,
  example: waitingExample,
});

const places: Operations = {
  "GET /api/v1/events/:id/availability": {
    id: "getAvailability",
    tag: "Events",
    summary: "What is free",
    description:
      "Durable counts. Watch them change over the WebSocket instead of asking again and again.",
    access: "public",
    query: AvailabilityQuery,
    answers: {
      200: { ...availability, headers: ["ETag", "Cache-Control"] },
      304: { description: "As `If-None-Match` has it.", headers: ["ETag", "Cache-Control"] },
    },
    codes: ["event_not_found"],
  },
  "PATCH /api/v1/events/:id/inventory": {
    id: "changeInventory",
    tag: "Front of house",
    summary: "Block places, reserve allotments, change capacities",
    description:
      "For organisers, while it sells; all of it or nothing. `allotments` are for the holds that " +
      "name their key as `channel`. The answer is what is free now, with the `seq` of the change.",
    access: "user",
    key: "kept",
    body: {
      name: "InventoryChanges",
      schema: InventoryBody,
      examples: {
        block: { block: ["ST-A-1"], unblock: ["ST-A-2"] },
        grow: { areas: [{ key: "floor", capacity: 600 }] },
        allotment: {
          allotments: [
            { key: "press", seats: ["ST-A-3"], areas: [{ key: "floor", quantity: 10 }] },
          ],
        },
      },
    },
    answers: { 200: availability },
    codes: [
      "event_not_found",
      "forbidden",
      "unknown_seat",
      "unknown_area",
      "seat_unavailable",
      "insufficient_capacity",
      "capacity_in_use",
      "event_cancelled",
      "timeout",
    ],
  },
  "GET /api/v1/events/:id/log": {
    id: "getEventLog",
    tag: "Front of house",
    summary: "What happened to an event",
    description: "For organisers: all changes in the order of `seq`.",
    access: "user",
    query: PageQuery,
    answers: {
      200: {
        description: "A page of entries.",
        schema: LogPage,
        example: {
          data: [
            {
              seq: 4715,
              at: EXAMPLE.now,
              change: "booked",
              bookingId: EXAMPLE.booking,
              userId: EXAMPLE.user,
              reason: null,
            },
          ],
          nextCursor: null,
        },
      },
    },
    codes: ["event_not_found", "forbidden"],
  },
  "POST /api/v1/events/:id/check-ins": {
    id: "checkIn",
    tag: "Front of house",
    summary: "Let somebody in",
    description: "For staff. A ticket admits exactly once; `undo` takes it back.",
    access: "user",
    key: "kept",
    body: {
      name: "NewCheckIn",
      schema: CheckInBody,
      examples: { plain: { ticketCode: EXAMPLE.ticketCode } },
    },
    answers: {
      200: {
        description: "They may enter.",
        schema: CheckIn,
        example: {
          ticket: { ...TICKET_EXAMPLE, checkedInAt: EXAMPLE.show },
          checkedInAt: EXAMPLE.show,
          booking: { id: EXAMPLE.booking, code: EXAMPLE.bookingCode },
          seq: 4801,
        },
      },
    },
    codes: [
      "event_not_found",
      "forbidden",
      "ticket_not_found",
      "booking_pending",
      "booking_cancelled",
      "ticket_cancelled",
      "already_checked_in",
      "not_checked_in",
      "timeout",
    ],
  },
};

const line: Operations = {
  "POST /api/v1/events/:id/waitlist": {
    id: "joinWaitlist",
    tag: "Waitlist",
    summary: "Wait for places",
    description:
      "When places come free, the first entry that fits is offered a hold of its own. Order: " +
      "priority, then arrival. What is free at once is offered at once.",
    access: "user",
    key: "kept",
    body: {
      name: "NewWaitlistEntry",
      schema: JoinBody,
      examples: { plain: { quantity: 2, categories: ["stalls"] } },
    },
    answers: {
      200: waiting("You are in line already, with the same wish."),
      201: waiting("You are in line."),
    },
    codes: [
      "event_not_found",
      "unknown_category",
      "already_waiting",
      "limit_exceeded",
      "hold_churn",
      "sales_closed",
      "event_cancelled",
      "timeout",
    ],
  },
  "GET /api/v1/events/:id/waitlist": {
    id: "listWaitlist",
    tag: "Waitlist",
    summary: "The line, and why each waits",
    description: "For organisers.",
    access: "user",
    query: PageQuery,
    answers: {
      200: {
        description: "A page of the line, the first to be served first.",
        schema: WaitlistPage,
        example: {
          data: [{ ...waitingExample, userId: EXAMPLE.user, skips: 0, reason: "too_few_places" }],
          nextCursor: null,
          count: 1,
          seq: 4720,
        },
      },
    },
    codes: ["event_not_found", "forbidden", "timeout"],
  },
  "GET /api/v1/events/:id/waitlist/me": {
    id: "getMyPlaceInLine",
    tag: "Waitlist",
    summary: "Your place in line",
    description: "Or the hold that you were offered.",
    access: "user",
    answers: { 200: waiting("Where you stand.") },
    codes: ["event_not_found", "not_waiting", "timeout"],
  },
  "DELETE /api/v1/events/:id/waitlist/me": {
    id: "leaveWaitlist",
    tag: "Waitlist",
    summary: "Leave the line",
    description: "Gives back an offer, too. Repeatable.",
    access: "user",
    answers: { 204: { description: "You are not in line." } },
    codes: ["event_not_found", "timeout"],
  },
};

export const saleOperations: Operations = { ...places, ...line };
