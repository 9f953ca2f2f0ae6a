import { PageQuery } from "../http/page.ts";
import { EXAMPLE } from "../openapi/example-values.ts";
import type { AnswerBody, Operations } from "../openapi/operation.ts";
import { VenueBody } from "./event-fields.ts";
import { seatingPlan } from "./event-operations.ts";
import { PlanBody, PlanChangesBody, VenueChangesBody } from "./shelf-routes.ts";
import { KeptPlan, KeptVenue, KeptVenuePage, PlanEntry, PlanEntryPage } from "./shelf-schemas.ts";

const tag = "Organizations";
const hall = {
  name: "City Theatre",
  address: "1 Theatre Square",
  city: "Berlin",
  country: "DE",
  location: { lat: 52.5, lng: 13.4 },
};
const times = { createdAt: EXAMPLE.past, updatedAt: EXAMPLE.past };
const venue = { id: EXAMPLE.venue, ...hall, ...times };
const plan = {
  id: EXAMPLE.plan,
  name: "Hall",
  seatCount: 2,
  categories: ["Stalls"],
  ...times,
};

const oneVenue = (description: string): AnswerBody => ({
  description,
  schema: KeptVenue,
  example: venue,
});
const onePlan = (description: string): AnswerBody => ({
  description,
  schema: PlanEntry,
  example: plan,
});
const strangers = ["organization_not_found", "forbidden"] as const;

const venues: Operations = {
  "POST /api/v1/organizations/:id/venues": {
    id: "addVenue",
    tag,
    summary: "Keep a venue",
    description: "For organisers: their events may name it by its id, and have a copy of it.",
    access: "user",
    body: { name: "NewVenue", schema: VenueBody, examples: { plain: hall } },
    answers: { 201: { ...oneVenue("The venue."), headers: ["Location"] } },
    codes: [...strangers, "too_many"],
  },
  "GET /api/v1/organizations/:id/venues": {
    id: "listVenues",
    tag,
    summary: "The venues of an organisation",
    description: "For organisers; oldest first.",
    access: "user",
    query: PageQuery,
    answers: {
      200: {
        description: "A page of them.",
        schema: KeptVenuePage,
        example: { data: [venue], nextCursor: null },
      },
    },
    codes: strangers,
  },
  "GET /api/v1/organizations/:id/venues/:venueId": {
    id: "getVenue",
    tag,
    summary: "One venue",
    description: "For organisers.",
    access: "user",
    answers: { 200: oneVenue("The venue.") },
    codes: [...strangers, "venue_not_found"],
  },
  "PATCH /api/v1/organizations/:id/venues/:venueId": {
    id: "changeVenue",
    tag,
    summary: "Change a venue",
    description: "For organisers. What is absent stays, null goes. Events keep what they have.",
    access: "user",
    body: {
      name: "VenueChanges",
      schema: VenueChangesBody,
      examples: { plain: { name: "City Theatre, Great Hall", address: null } },
    },
    answers: { 200: oneVenue("As it is now.") },
    codes: [...strangers, "venue_not_found"],
  },
  "DELETE /api/v1/organizations/:id/venues/:venueId": {
    id: "removeVenue",
    tag,
    summary: "Remove a venue",
    description: "For organisers. Events keep their copies. Repeated: the same answer.",
    access: "user",
    answers: { 204: { description: "It is not kept any more." } },
    codes: [...strangers, "venue_not_found"],
  },
};

const plans: Operations = {
  "POST /api/v1/organizations/:id/seating-plans": {
    id: "addSeatingPlan",
    tag,
    summary: "Keep a seating plan",
    description: "For organisers, in the pretix format: their events may name it by its id.",
    access: "user",
    body: {
      name: "NewSeatingPlan",
      schema: PlanBody,
      examples: { plain: { name: "Hall", plan: seatingPlan } },
    },
    answers: { 201: { ...onePlan("The plan, without its seats."), headers: ["Location"] } },
    codes: [...strangers, "too_many"],
  },
  "GET /api/v1/organizations/:id/seating-plans": {
    id: "listSeatingPlans",
    tag,
    summary: "The seating plans of an organisation",
    description: "For organisers; oldest first, without the seats.",
    access: "user",
    query: PageQuery,
    answers: {
      200: {
        description: "A page of them.",
        schema: PlanEntryPage,
        example: { data: [plan], nextCursor: null },
      },
    },
    codes: strangers,
  },
  "GET /api/v1/organizations/:id/seating-plans/:planId": {
    id: "getSeatingPlan",
    tag,
    summary: "One seating plan",
    description: "For organisers.",
    access: "user",
    answers: {
      200: {
        description: "The plan, as it was given.",
        schema: KeptPlan,
        example: { ...plan, plan: seatingPlan },
      },
    },
    codes: [...strangers, "seating_plan_not_found"],
  },
  "PATCH /api/v1/organizations/:id/seating-plans/:planId": {
    id: "changeSeatingPlan",
    tag,
    summary: "Change a seating plan",
    description: "For organisers. What is absent stays. Events keep what they have.",
    access: "user",
    body: {
      name: "SeatingPlanChanges",
      schema: PlanChangesBody,
      examples: { name: { name: "Great Hall" }, plan: { plan: seatingPlan } },
    },
    answers: { 200: onePlan("As it is now, without its seats.") },
    codes: [...strangers, "seating_plan_not_found"],
  },
  "DELETE /api/v1/organizations/:id/seating-plans/:planId": {
    id: "removeSeatingPlan",
    tag,
    summary: "Remove a seating plan",
    description: "For organisers. Events keep their seats. Repeated: the same answer.",
    access: "user",
    answers: { 204: { description: "It is not kept any more." } },
    codes: [...strangers, "seating_plan_not_found"],
  },
};

export const shelfOperations: Operations = { ...venues, ...plans };
