/** Events to sell in tests, and the people who do it. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import type { ApiClient, Reply } from "./client.ts";
import { ADMIN, OPS_TOKEN } from "./server.ts";
import type { AuditShape, AvailabilityShape, EventShape, SeatShape, SignedIn } from "./shapes.ts";

const THEATRE = new URL("../../gateway/demo/plans/theatre.json", import.meta.url);
export const THEATRE_SEATS = 1_100;

/** Ten seats in one row, in two categories. */
export const SMALL_PLAN = {
  name: "Studio",
  categories: [
    { name: "Stalls", color: "#7f4a91" },
    { name: "Balcony", color: "#4a7f91" },
  ],
  zones: [
    {
      name: "Hall",
      rows: [
        {
          row_number: "A",
          seats: Array.from({ length: 10 }, (_, index) => ({
            seat_guid: `A-${index + 1}`,
            seat_number: String(index + 1),
            category: index < 8 ? "Stalls" : "Balcony",
            position: { x: index, y: 0 },
          })),
        },
      ],
    },
  ],
};

export function ok<Body>(reply: Reply<Body>, status = 200): Body {
  assert.equal(reply.status, status, reply.text);
  return reply.body;
}

export async function adminToken(api: ApiClient): Promise<string> {
  return ok(await api.post<SignedIn>("/api/v1/auth/login", { body: ADMIN })).accessToken;
}

export async function guestToken(api: ApiClient): Promise<string> {
  return ok(await api.post<SignedIn>("/api/v1/auth/guest"), 201).accessToken;
}

/** An organisation that takes invoices; returns its id. */
export async function openOrganization(
  api: ApiClient,
  token: string,
  changes: object = {},
): Promise<string> {
  const body = { name: "Test Stage", allowInvoices: true, ...changes };
  return ok(await api.post<{ id: string }>("/api/v1/organizations", { token, body }), 201).id;
}

/** A published event with ten seats and a floor of five. */
export async function openStudio(api: ApiClient, changes: object = {}): Promise<EventShape> {
  const token = await adminToken(api);
  const body = {
    organizationId: await openOrganization(api, token),
    title: "A small evening",
    startsAt: "2040-05-04T19:30:00Z",
    priceCategories: [
      { key: "stalls", name: "Stalls", price: 4500 },
      { key: "balcony", name: "Balcony", price: 2500 },
      { key: "standing", name: "Standing", price: 3000 },
    ],
    seatingPlan: SMALL_PLAN,
    areas: [{ key: "floor", name: "Floor", capacity: 5, priceCategory: "standing" }],
    publish: true,
    ...changes,
  };
  return ok(await api.post<EventShape>("/api/v1/events", { token, body }), 201);
}

/** The theatre with its 1,100 seats. */
export async function openTheatre(api: ApiClient, changes: object = {}): Promise<EventShape> {
  const keys = ["premium", "stalls", "circle", "box", "wheelchair", "companion"];
  const theatre = {
    title: "A night at the theatre",
    priceCategories: keys.map((key, index) => ({
      key,
      name: `${key[0]?.toUpperCase()}${key.slice(1)}`,
      price: 1_000 * (keys.length - index),
    })),
    seatingPlan: JSON.parse(readFileSync(THEATRE, "utf8")) as unknown,
    areas: [],
  };
  const event = await openStudio(api, { ...theatre, ...changes });
  assert.equal(event.seatCount, THEATRE_SEATS);
  return event;
}

export async function seatIds(api: ApiClient, eventId: string): Promise<string[]> {
  const path = `/api/v1/events/${eventId}/seats`;
  return ok(await api.get<{ seats: SeatShape[] }>(path)).seats.map(({ id }) => id);
}

/** Availability, of which the sum is checked. */
export async function availabilityOf(api: ApiClient, eventId: string): Promise<AvailabilityShape> {
  const path = `/api/v1/events/${eventId}/availability?seats=true`;
  const availability = ok(await api.get<AvailabilityShape>(path));
  const { free, held, sold, blocked, capacity } = availability;
  assert.equal(free + held + sold + blocked, capacity, JSON.stringify(availability));
  return availability;
}

/** Memory and database of the event, which must agree. */
export async function auditOf(api: ApiClient, eventId: string): Promise<AuditShape> {
  const path = `/ops/events/${eventId}/audit`;
  const audit = ok(await api.get<AuditShape>(path, { token: OPS_TOKEN }));
  assert.deepEqual(audit.drift, []);
  assert.equal(audit.ok, true);
  assert.deepEqual(audit.memory, audit.database);
  return audit;
}
