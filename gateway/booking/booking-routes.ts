import { eventTagOf, parseBookingId, parseEventId } from "../../engine/ids.ts";
import type { EventDirectory } from "../catalogue/event-directory.ts";
import type { HttpRequest, HttpResponse, Respond, Route } from "../http/exchange.ts";
import { type JsonBody, parseJsonBody } from "../http/json-body.ts";
import { decodeCursor, encodeCursor, pageOf } from "../http/page.ts";
import { ProblemError, problem } from "../http/problem.ts";
import { asyncRoute } from "../http/routes.ts";
import { validationFailed } from "../http/validation.ts";
import { type Identity, requireIdentity, type Tokens } from "../identity/tokens.ts";
import type { AvailabilityHub } from "../live/availability-hub.ts";
import { LiveView } from "../live/live-view.ts";
import type { ShardRouter } from "../shard-router.ts";
import type { BookingDesk, DeskRequest } from "./booking-desk.ts";
import type { BookingsReader, StoredBooking } from "./bookings-reader.ts";
import type { DeskResult, Settle } from "./desk-result.ts";
import type { RecentWrites } from "./recent-writes.ts";
import { bookingView } from "./views.ts";

interface DeskRoutesPorts {
  readonly desk: BookingDesk;
  readonly tokens: Tokens;
}

export interface BookingRoutesPorts extends DeskRoutesPorts {
  readonly hub: AvailabilityHub;
  readonly directory: EventDirectory;
  readonly reader: BookingsReader;
  readonly recentWrites: RecentWrites;
  readonly router: ShardRouter;
  readonly isOrganizer: (identity: Identity, organizationId: string) => Promise<boolean>;
}

export function bookingRoutes(ports: BookingRoutesPorts): Route[] {
  return [
    ...deskRoutes(ports),
    { method: "GET", path: "/api/v1/bookings", handler: asyncRoute((r) => list(ports, r)) },
    { method: "GET", path: "/api/v1/bookings/:id", handler: asyncRoute((r) => find(ports, r)) },
    {
      method: "GET",
      path: "/api/v1/events/:id/availability",
      handler: (request, respond) => availability(ports, request, respond),
    },
  ];
}

/** Everything that an actor answers. */
export function deskRoutes({ desk, tokens }: DeskRoutesPorts): Route[] {
  const withIdentity = authenticated(tokens);
  const withBody = bodied(tokens);
  return [
    {
      method: "POST",
      path: "/api/v1/events/:id/holds",
      isBusy: ([id]) => desk.refusesHolds(parseEventId(id)),
      handler: withBody((asked, [id], settle) => desk.hold(parseEventId(id), asked, settle)),
    },
    {
      method: "GET",
      path: "/api/v1/holds/:id",
      handler: withIdentity((identity, [id], settle) => desk.getHold(id ?? "", identity, settle)),
    },
    {
      method: "DELETE",
      path: "/api/v1/holds/:id",
      handler: withIdentity((identity, [id], settle) => desk.release(id ?? "", identity, settle)),
    },
    {
      method: "POST",
      path: "/api/v1/holds/:id/extend",
      handler: withBody((asked, [id], settle) => desk.extend(id ?? "", asked, settle)),
    },
    {
      method: "POST",
      path: "/api/v1/events/:id/bookings",
      handler: withBody((asked, [id], settle) => desk.book(parseEventId(id), asked, settle)),
    },
    {
      method: "POST",
      path: "/api/v1/bookings/:id/cancel",
      handler: withBody((asked, [id], settle) => desk.cancel(id ?? "", asked, settle)),
    },
  ];
}

/** Dresses the desk's result for HTTP. */
function responder(request: HttpRequest, respond: Respond): Settle {
  return (result: DeskResult) => {
    if (result.kind === "problem") {
      respond(problem(result.code, request.requestId, result.members));
      return;
    }
    respond({
      status: result.body === null ? 204 : result.status,
      body: result.body === null ? null : JSON.stringify(result.body),
      ...(result.replayed ? { headers: { "Idempotent-Replayed": "true" } } : {}),
    });
  };
}

type IdentityHandler = (identity: Identity, params: readonly string[], settle: Settle) => void;

function authenticated(tokens: Tokens) {
  return (handler: IdentityHandler) =>
    (request: HttpRequest, respond: Respond): void => {
      const identity = tokens.verify(request.authorization);
      if (identity === null) respond(problem("unauthenticated", request.requestId));
      else handler(identity, request.params, responder(request, respond));
    };
}

type BodyHandler = (asked: DeskRequest, params: readonly string[], settle: Settle) => void;

/** Bodies are optional here: the routes' own validation says what is missing. */
function bodied(tokens: Tokens) {
  const withIdentity = authenticated(tokens);
  return (handler: BodyHandler) =>
    (request: HttpRequest, respond: Respond): void => {
      const parsed: JsonBody =
        request.body.length === 0 ? { ok: true, value: undefined } : parseJsonBody(request);
      if (!parsed.ok) {
        respond(problem(parsed.code, request.requestId, { detail: parsed.detail }));
        return;
      }
      const { idempotencyKey } = request;
      const body = parsed.value;
      withIdentity((identity, params, settle) => {
        handler({ identity, body, idempotencyKey }, params, settle);
      })(request, respond);
    };
}

function availability(ports: BookingRoutesPorts, request: HttpRequest, respond: Respond): void {
  const eventId = parseEventId(request.params[0]);
  const notFound = (): void => respond(problem("event_not_found", request.requestId));
  if (eventId === null) return notFound();
  const withSeats = /(?:^|&)seats=true(?:&|$)/.test(request.query);
  ports.hub.read(eventId, (result) => {
    if (result instanceof LiveView) {
      const body = result.availabilityJson(withSeats);
      respond({ status: 200, body, headers: { "Cache-Control": "no-store" } });
    } else if (result.kind === "refused" && result.refusal.code === "event_not_found") {
      notFound();
    } else {
      respond(problem("busy", request.requestId));
    }
  });
}

async function list(ports: BookingRoutesPorts, request: HttpRequest): Promise<HttpResponse> {
  const identity = requireIdentity(ports.tokens, request);
  const { limit, cursor } = pageOf(request.query);
  const before = cursor === null ? null : parseBookingId(decodeCursor(cursor)[0]);
  if (cursor !== null && before === null) {
    throw validationFailed([{ path: "cursor", message: "must be a nextCursor of this list" }]);
  }
  await settled(ports, identity);
  const found = await ports.reader.listOf(identity.userId, limit + 1, before);
  const page = found.slice(0, limit);
  const last = page.at(-1);
  const hasMore = found.length > limit && last !== undefined;
  const data = await Promise.all(page.map((booking) => shown(ports, booking)));
  const nextCursor = hasMore ? encodeCursor([last.record.bookingId]) : null;
  return { status: 200, body: JSON.stringify({ data, nextCursor }) };
}

async function find(ports: BookingRoutesPorts, request: HttpRequest): Promise<HttpResponse> {
  const identity = requireIdentity(ports.tokens, request);
  const bookingId = parseBookingId(request.params[0]);
  const event = bookingId === null ? null : await ports.directory.getByTag(eventTagOf(bookingId));
  if (bookingId === null || event === null) throw new ProblemError("booking_not_found");
  await settled(ports, identity);
  const booking = await ports.reader.find(event.eventId, bookingId);
  if (booking === null) throw new ProblemError("booking_not_found");
  const mayRead =
    booking.record.userId === identity.userId ||
    (await ports.isOrganizer(identity, event.organizationId));
  if (!mayRead) throw new ProblemError("booking_not_found");
  return { status: 200, body: JSON.stringify(await shown(ports, booking)) };
}

async function shown(ports: BookingRoutesPorts, booking: StoredBooking): Promise<object> {
  const event = await ports.directory.get(booking.eventId);
  if (event === null) throw new Error(`booking ${booking.record.bookingId} has no event`);
  return bookingView(event, booking.record, booking.seq, booking.cancelled);
}

/** Waits until the database has what this buyer was told. */
async function settled(ports: BookingRoutesPorts, identity: Identity): Promise<void> {
  const waits = ports.recentWrites.pendingOf(identity.userId);
  for (const [shard, lsn] of waits) {
    if (!(await ports.router.whenProjected(shard, lsn))) throw new ProblemError("busy");
  }
}
