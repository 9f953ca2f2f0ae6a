import { EXAMPLE } from "../openapi/example-values.ts";
import type { AnswerBody, Operation, Operations } from "../openapi/operation.ts";
import { EventChangesBody } from "./event-changes.ts";
import { EventBody } from "./event-definition.ts";
import { Event, EventPage, SeatList } from "./event-schemas.ts";
import { OwnEventsQuery } from "./own-events-query.ts";
import { EventQuery, NamesQuery } from "./search/search-query.ts";
import { NameCountPage } from "./shelf-schemas.ts";

const tag = "Events";
const event = {
  id: EXAMPLE.event,
  organizationId: EXAMPLE.organization,
  title: "An evening of jazz",
  description: "Three sets and an encore.",
  category: "music",
  tags: ["jazz"],
  venue: { name: "City Theatre", city: "Berlin", country: "DE" },
  startsAt: EXAMPLE.show,
  endsAt: null,
  timezone: "Europe/Berlin",
  currency: "EUR",
  salesOpenAt: null,
  salesCloseAt: null,
  cancellableUntil: null,
  holdTtlSeconds: 600,
  paymentWindowSeconds: 900,
  holdChurn: null,
  limits: { perOrder: 10, perUser: 20 },
  priceCategories: [
    { key: "stalls", name: "Stalls", price: 4500 },
    { key: "standing", name: "Standing", price: 3000 },
  ],
  fees: [],
  tax: null,
  areas: [{ key: "floor", name: "Standing", capacity: 500, priceCategory: "standing" }],
  seatCount: 2,
  capacity: 502,
  status: "published",
  createdAt: EXAMPLE.past,
  updatedAt: EXAMPLE.past,
};
export const seatingPlan = {
  name: "Hall",
  categories: [{ name: "Stalls" }],
  zones: [
    {
      name: "Stalls",
      rows: [
        {
          row_number: "A",
          seats: [
            { seat_guid: "ST-A-1", seat_number: "1", category: "Stalls", position: { x: 0, y: 0 } },
            { seat_guid: "ST-A-2", seat_number: "2", category: "Stalls", position: { x: 1, y: 0 } },
          ],
        },
      ],
    },
  ],
};
const one = (description: string): AnswerBody => ({ description, schema: Event, example: event });

/** What there is to find events by. */
const names = (what: "categories" | "tags", name: string): Operation => ({
  id: what === "tags" ? "listTags" : "listCategories",
  tag,
  summary: `The ${what} of published events`,
  description: "Those of most events first.",
  access: "public",
  query: NamesQuery,
  answers: {
    200: {
      description: "A page of them.",
      schema: NameCountPage,
      example: { data: [{ name, events: 12 }], nextCursor: null },
      headers: ["ETag", "Cache-Control"],
    },
    304: { description: "As `If-None-Match` has it.", headers: ["ETag", "Cache-Control"] },
  },
});

const reading: Operations = {
  "GET /api/v1/events": {
    id: "listEvents",
    tag,
    summary: "Find events",
    description:
      "Published events that fit everything which is asked for; letter case and accents do not " +
      "matter. A cursor belongs to the same question.",
    access: "public",
    query: EventQuery,
    answers: {
      200: {
        description: "A page of them.",
        schema: EventPage,
        example: { data: [event], nextCursor: EXAMPLE.cursor },
        headers: ["ETag", "Cache-Control"],
      },
      304: { description: "As `If-None-Match` has it.", headers: ["ETag", "Cache-Control"] },
    },
  },
  "GET /api/v1/categories": names("categories", "music"),
  "GET /api/v1/tags": names("tags", "jazz"),
  "GET /api/v1/events/:id": {
    id: "getEvent",
    tag,
    summary: "One event",
    description: "Drafts are shown to members of their organisation, promo codes to organisers.",
    access: "optional",
    answers: {
      200: { ...one("The event."), headers: ["ETag", "Cache-Control"] },
      304: { description: "As `If-None-Match` has it.", headers: ["ETag", "Cache-Control"] },
    },
    codes: ["event_not_found", "unauthenticated"],
  },
  "GET /api/v1/events/:id/seats": {
    id: "listSeats",
    tag,
    summary: "The seats of an event",
    description: "Never changes, so it may be cached for good.",
    access: "optional",
    answers: {
      200: {
        description: "All seats, in index order.",
        schema: SeatList,
        example: {
          seats: [
            {
              id: "ST-A-1",
              zone: "Stalls",
              row: "A",
              number: "1",
              category: "stalls",
              x: 0,
              y: 0,
              accessible: false,
            },
          ],
        },
        headers: ["ETag", "Cache-Control"],
      },
      304: { description: "As `If-None-Match` has it.", headers: ["ETag", "Cache-Control"] },
    },
    codes: ["event_not_found", "unauthenticated"],
  },
};

const organizing: Operations = {
  "POST /api/v1/events": {
    id: "createEvent",
    tag,
    summary: "Create an event",
    description:
      "For organisers of `organizationId`. An event has a seating plan, areas, or both; with " +
      "`publish` it is on sale at once. Local times are those of `timezone`.",
    access: "user",
    body: {
      name: "NewEvent",
      schema: EventBody,
      examples: {
        area: {
          organizationId: EXAMPLE.organization,
          title: "Club night",
          startsAt: "2030-05-04T22:00",
          timezone: "Europe/Berlin",
          priceCategories: [{ key: "standing", name: "Standing", price: 3000 }],
          areas: [{ key: "floor", name: "Floor", capacity: 500, priceCategory: "standing" }],
          publish: true,
        },
        seats: {
          organizationId: EXAMPLE.organization,
          title: "An evening of jazz",
          category: "music",
          tags: ["jazz"],
          venue: {
            name: "City Theatre",
            city: "Berlin",
            country: "DE",
            location: { lat: 52.5, lng: 13.4 },
          },
          startsAt: "2030-05-04T17:30:00Z",
          limits: { perOrder: 10, perUser: 20 },
          priceCategories: [{ key: "stalls", name: "Stalls", price: 4500 }],
          seatingPlan,
          seatCategories: { Stalls: "stalls" },
        },
      },
    },
    answers: { 201: { ...one("The event."), headers: ["Location"] } },
    codes: ["organization_not_found", "forbidden", "event_cancelled", "event_not_found", "timeout"],
  },
  "PATCH /api/v1/events/:id": {
    id: "changeEvent",
    tag,
    summary: "Change an event",
    description:
      "For organisers, also while it sells. What is absent stays as it is. The event may be sent " +
      "back as it was read; but what can't be changed here (places, currency, time zone, status, " +
      "fees and tax), with another value than it has, is `400 validation_failed`.",
    access: "user",
    body: {
      name: "EventChanges",
      schema: EventChangesBody,
      examples: {
        price: { priceCategories: [{ key: "stalls", price: 3900 }] },
        promo: { promoCodes: [{ code: "EARLY", percent: "10", uses: 100 }] },
        times: { startsAt: "2030-05-04T20:00", salesCloseAt: null },
      },
    },
    answers: { 200: one("As it is now.") },
    codes: ["event_not_found", "forbidden", "event_cancelled", "timeout"],
  },
  "DELETE /api/v1/events/:id": {
    id: "removeEvent",
    tag,
    summary: "Remove a draft",
    description: "For organisers. What has been published is cancelled instead.",
    access: "user",
    answers: { 204: { description: "It is gone." } },
    codes: ["event_not_found", "forbidden", "event_not_draft"],
  },
  "GET /api/v1/organizations/:id/events": {
    id: "listOwnEvents",
    tag,
    summary: "The events of an organisation",
    description: "For its members: drafts and cancelled ones, too, by their start.",
    access: "user",
    query: OwnEventsQuery,
    answers: {
      200: {
        description: "A page of them.",
        schema: EventPage,
        example: { data: [event], nextCursor: EXAMPLE.cursor },
      },
    },
    codes: ["organization_not_found"],
  },
  "POST /api/v1/events/:id/publish": {
    id: "publishEvent",
    tag,
    summary: "Put an event on sale",
    description: "For organisers. Repeated: the same answer.",
    access: "user",
    key: "kept unread",
    answers: { 200: one("The published event.") },
    codes: ["event_not_found", "forbidden", "event_cancelled", "timeout"],
  },
  "POST /api/v1/events/:id/cancel": {
    id: "cancelEvent",
    tag,
    summary: "Cancel an event",
    description:
      "For organisers. Ends the sale, cancels all bookings and gives the money back. A draft " +
      "that is cancelled stays unseen by others. Repeated: the same answer.",
    access: "user",
    key: "kept unread",
    answers: { 200: { ...one("The event."), example: { ...event, status: "cancelled" } } },
    codes: ["event_not_found", "forbidden", "timeout"],
  },
};

export const eventOperations: Operations = { ...reading, ...organizing };
