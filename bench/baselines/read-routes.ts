import type { Pool } from "pg";
import {
  type BookingId,
  type EventId,
  eventTagOf,
  parseBookingId,
  parseEventId,
} from "../../engine/ids.ts";
import { bookingView } from "../../gateway/booking/views.ts";
import type { EventDirectory, EventEntry } from "../../gateway/catalogue/event-directory.ts";
import type { HttpRequest, HttpResponse, Route } from "../../gateway/http/exchange.ts";
import { decodeCursor, encodeCursor, pageOf } from "../../gateway/http/page.ts";
import { ProblemError } from "../../gateway/http/problem.ts";
import { asyncRoute, json } from "../../gateway/http/routes.ts";
import { type Identity, requireIdentity, type Tokens } from "../../gateway/identity/tokens.ts";
import { isSameSecret } from "../../gateway/ops/same-secret.ts";
import type { BaselineRouter } from "./baseline-router.ts";
import { auditBooks, availabilityView, readBooks, totalsOf } from "./sale-books.ts";
import type { SaleStore } from "./sale-store.ts";

export interface ReadPorts {
  readonly pool: Pool;
  readonly store: SaleStore;
  readonly router: BaselineRouter;
  readonly directory: EventDirectory;
  readonly tokens: Tokens;
  readonly isOrganizer: (identity: Identity, organizationId: string) => Promise<boolean>;
  readonly opsToken: string | null;
}

type Handle = (ports: ReadPorts, request: HttpRequest) => Promise<HttpResponse>;

/** What the oracle asks for after a run, in the product's own words. */
export function readRoutes(ports: ReadPorts): Route[] {
  const get = (path: string, handle: Handle): Route => ({
    method: "GET",
    path,
    handler: asyncRoute((request) => handle(ports, request)),
  });
  return [
    get("/api/v1/events/:id/availability", availability),
    get("/api/v1/events/:id/bookings", bookingsOfEvent),
    get("/api/v1/bookings/:id", booking),
    get("/ops/events/:id/audit", audit),
    get("/ops/shards", shards),
  ];
}

const availability: Handle = async ({ pool, router, store }, { params, query }) => {
  const definition = definitionOf(router, params[0]);
  const nowMs = Date.now();
  await store.reclaim(definition.eventId, nowMs);
  const books = await readBooks(pool, definition.eventId, nowMs);
  return json(200, availabilityView(definition, books, query === "seats=true"));
};

const bookingsOfEvent: Handle = async (ports, request) => {
  const identity = requireIdentity(ports.tokens, request);
  const event = await eventOf(ports, parseEventId(request.params[0]));
  if (!(await ports.isOrganizer(identity, event.organizationId))) {
    throw new ProblemError("forbidden");
  }
  const { limit, cursor } = pageOf(request.query);
  const before = cursor === null ? null : parseBookingId(decodeCursor(cursor)[0]);
  const found = await ports.store.bookingsOfEvent(event.eventId, limit + 1, before);
  const page = found.slice(0, limit);
  const last = page.at(-1);
  const hasMore = found.length > limit && last !== undefined;
  const reader = { userId: identity.userId, asOrganizer: true };
  const nextCursor = hasMore ? encodeCursor([last.record.bookingId]) : null;
  return json(200, { data: page.map((known) => bookingView(event, known, reader)), nextCursor });
};

const booking: Handle = async (ports, request) => {
  const identity = requireIdentity(ports.tokens, request);
  const bookingId = parseBookingId(request.params[0]);
  const known = bookingId === null ? null : await find(ports, bookingId);
  if (known === null) throw new ProblemError("booking_not_found");
  const { userId } = identity;
  const asOrganizer = await ports.isOrganizer(identity, known.event.organizationId);
  if (known.booking.record.userId !== userId && !asOrganizer) {
    throw new ProblemError("booking_not_found");
  }
  return json(200, bookingView(known.event, known.booking, { userId, asOrganizer }));
};

async function find({ directory, store }: ReadPorts, bookingId: BookingId) {
  const event = await directory.getByTag(eventTagOf(bookingId));
  const found = event === null ? null : await store.findBooking(event.eventId, bookingId);
  return event === null || found === null ? null : { event, booking: found };
}

/** As the product's: what is counted while selling, against what was sold. */
const audit: Handle = async (ports, request) => {
  const { pool, router, store } = ports;
  authorize(ports, request);
  const { eventId } = definitionOf(router, request.params[0]);
  const nowMs = Date.now();
  await store.reclaim(eventId, nowMs);
  const [books, drift] = await Promise.all([
    readBooks(pool, eventId, nowMs),
    auditBooks(pool, eventId, nowMs),
  ]);
  const side = { seq: books.seq, ...totalsOf(books) };
  return json(200, { ok: drift.length === 0, seq: books.seq, memory: side, database: side, drift });
};

/** Nothing is projected: what was answered is committed. */
const shards: Handle = async (ports, request) => {
  authorize(ports, request);
  return json(200, { shards: [{ shard: 0, projectionLagFacts: 0 }] });
};

function authorize({ opsToken, tokens }: ReadPorts, { authorization }: HttpRequest): void {
  if (opsToken !== null && isSameSecret(authorization, `Bearer ${opsToken}`)) return;
  if (tokens.verify(authorization)?.role !== "admin") throw new ProblemError("forbidden");
}

function definitionOf(router: BaselineRouter, param: string | undefined) {
  const eventId = parseEventId(param);
  const definition = eventId === null ? null : router.definitionOf(eventId);
  if (definition === null) throw new ProblemError("event_not_found");
  return definition;
}

async function eventOf({ directory }: ReadPorts, eventId: EventId | null): Promise<EventEntry> {
  const event = eventId === null ? null : await directory.get(eventId);
  if (event === null) throw new ProblemError("event_not_found");
  return event;
}
