import Type from "typebox";
import { type BookingId, parseBookingId, parseEventId } from "../../engine/ids.ts";
import type { EventDirectory } from "../catalogue/event-directory.ts";
import { isPrivate } from "../catalogue/event-store.ts";
import type { HttpRequest, HttpResponse, Respond, Route } from "../http/exchange.ts";
import {
  decodeCursor,
  encodeCursor,
  type Page,
  PageQuery,
  pageFrom,
  pageOf,
} from "../http/page.ts";
import { ProblemError, problem } from "../http/problem.ts";
import { compileQuery, textParameter } from "../http/query.ts";
import { asyncRoute, json } from "../http/routes.ts";
import { validationFailed } from "../http/validation.ts";
import { type Identity, requireIdentity } from "../identity/tokens.ts";
import type { AvailabilityHub, ViewResult } from "../live/availability-hub.ts";
import { LiveView } from "../live/live-view.ts";
import type { BookingAccess } from "./booking-access.ts";
import type { BookingsReader, StoredBooking } from "./bookings-reader.ts";
import { parseBookingCode } from "./codes.ts";
import { type DeskRoutesPorts, deskRoutes } from "./desk-routes.ts";
import type { HistoryReader, HistoryRow, SeqPage } from "./history-reader.ts";
import { bookingHistoryView, logEntryView } from "./history-view.ts";
import { bookingView, type Reader } from "./views.ts";

export interface BookingRoutesPorts extends DeskRoutesPorts {
  readonly hub: AvailabilityHub;
  readonly directory: EventDirectory;
  readonly reader: BookingsReader;
  readonly history: HistoryReader;
  readonly access: BookingAccess;
  readonly isOrganizer: (identity: Identity, organizationId: string) => Promise<boolean>;
  readonly isStaff: (identity: Identity, organizationId: string) => Promise<boolean>;
}

export function bookingRoutes(ports: BookingRoutesPorts): Route[] {
  const get = (
    path: string,
    handle: (ports: BookingRoutesPorts, request: HttpRequest) => Promise<HttpResponse>,
  ): Route => ({ method: "GET", path, handler: asyncRoute((request) => handle(ports, request)) });
  return [
    ...deskRoutes(ports),
    get("/api/v1/bookings", list),
    get("/api/v1/bookings/:id", find),
    get("/api/v1/bookings/:id/history", history),
    get("/api/v1/events/:id/bookings", listOfEvent),
    get("/api/v1/events/:id/log", log),
    {
      method: "GET",
      path: "/api/v1/events/:id/availability",
      handler: (request, respond) => availability(ports, request, respond),
    },
  ];
}

/** Asked most of all: for a view that is at hand no function is made, named or not. */
function availability(ports: BookingRoutesPorts, request: HttpRequest, respond: Respond): void {
  const eventId = parseEventId(request.params[0]);
  if (eventId === null) return respond(problem("event_not_found", request.requestId));
  const withSeats = readsSeats(request.query);
  const view = ports.hub.peek(eventId);
  if (view !== null) respond(shownTo(request, view, withSeats));
  else ports.hub.read(eventId, (result) => respond(shownTo(request, result, withSeats)));
}

function shownTo(request: HttpRequest, result: ViewResult, withSeats: boolean): HttpResponse {
  if (result instanceof LiveView) {
    return result.availabilityEntity(withSeats).answerTo(request.ifNoneMatch);
  }
  const isUnknown = result.kind === "refused" && result.refusal.code === "event_not_found";
  return problem(isUnknown ? "event_not_found" : "busy", request.requestId);
}

/** The query of GET /events/{id}/availability. */
export const AvailabilityQuery = Type.Object({
  seats: Type.Optional(
    Type.Boolean({ default: false, description: "With the status of every seat." }),
  ),
});
const readAvailabilityQuery = compileQuery(AvailabilityQuery);

/** Nearly all who ask say one of two things. */
function readsSeats(query: string): boolean {
  if (query === "") return false;
  return query === "seats=true" || readAvailabilityQuery(query).seats === true;
}

/** The caller's own. */
async function list(ports: BookingRoutesPorts, request: HttpRequest): Promise<HttpResponse> {
  const identity = requireIdentity(ports.tokens, request);
  const page = pageOf(request.query);
  const before = beforeOf(page);
  await ports.access.settled(identity);
  const found = await ports.reader.listOf(identity.userId, page.limit + 1, before);
  return listed(ports, { page, found, reader: { userId: identity.userId, asOrganizer: false } });
}

/** All of an event, for who organises it; with `?code=` those whose code was typed. */
async function listOfEvent(ports: BookingRoutesPorts, request: HttpRequest): Promise<HttpResponse> {
  const { event, identity } = await organised(ports, request);
  const { page, code } = readLookUp(request.query);
  const before = beforeOf(page);
  await ports.access.settled(identity);
  const found = await ports.reader.listOfEvent(identity, event.eventId, {
    limit: page.limit + 1,
    before,
    code,
  });
  return listed(ports, { page, found, reader: { userId: identity.userId, asOrganizer: true } });
}

/** The query of GET /events/{id}/bookings. */
export const LookUpQuery = Type.Object({
  ...PageQuery.properties,
  code: textParameter(64, "A booking's code as it was typed or read out; finds that booking."),
});
const readLookUpQuery = compileQuery(LookUpQuery);

function readLookUp(query: string): { page: Page; code: string | null } {
  const { code: typed, ...rest } = readLookUpQuery(query);
  const code = typed === undefined ? null : parseBookingCode(typed);
  if (typed !== undefined && code === null) {
    const message = "is no booking code: a character is missing or mistyped";
    throw validationFailed([{ path: "code", message }]);
  }
  return { page: pageFrom(rest), code };
}

/** The booking after which a page begins; null: at the newest. */
function beforeOf({ cursor }: Page): BookingId | null {
  const before = cursor === null ? null : parseBookingId(decodeCursor(cursor)[0]);
  if (cursor === null || before !== null) return before;
  throw validationFailed([{ path: "cursor", message: "must be a nextCursor of this list" }]);
}

interface Listing {
  readonly page: Page;
  /** One more than fit the page, if there are more. */
  readonly found: readonly StoredBooking[];
  readonly reader: Reader;
}

async function listed(
  ports: BookingRoutesPorts,
  { page: { limit }, found, reader }: Listing,
): Promise<HttpResponse> {
  const page = found.slice(0, limit);
  const last = page.at(-1);
  const hasMore = found.length > limit && last !== undefined;
  const data = await Promise.all(page.map((booking) => shown(ports, booking, reader)));
  const nextCursor = hasMore ? encodeCursor([last.record.bookingId]) : null;
  return json(200, { data, nextCursor });
}

async function find(ports: BookingRoutesPorts, request: HttpRequest): Promise<HttpResponse> {
  const { booking, reader } = await ports.access.ofBooking(request);
  return json(200, await shown(ports, booking, reader));
}

async function history(ports: BookingRoutesPorts, request: HttpRequest): Promise<HttpResponse> {
  const { identity, booking, event, reader } = await ports.access.ofBooking(request);
  const page = seqPageOf(request.query);
  const named = { eventId: event.eventId, bookingId: booking.record.bookingId };
  const found = await ports.history.ofBooking(identity, named, oneMore(page));
  const { rows, nextCursor } = pageOfRows(found, page);
  const users = rows.map(({ by }) => by);
  const given = await ports.history.ownersAmong(identity, named, users);
  return json(200, {
    data: bookingHistoryView(event, booking, { rows, given }, reader),
    nextCursor,
  });
}

/** Of a list in the order of `seq`: a cursor is the last one that was read. */
function seqPageOf(query: string): SeqPage {
  const { limit, cursor } = pageOf(query);
  const [text = ""] = cursor === null ? ["0"] : decodeCursor(cursor);
  if (/^\d{1,15}$/.test(text)) return { limit, afterSeq: Number(text) };
  throw validationFailed([{ path: "cursor", message: "must be a nextCursor of this list" }]);
}

/** One row beyond the page tells whether there is another page. */
const oneMore = ({ limit, afterSeq }: SeqPage): SeqPage => ({ limit: limit + 1, afterSeq });

function pageOfRows(found: readonly HistoryRow[], { limit }: SeqPage) {
  const rows = found.slice(0, limit);
  const last = rows.at(-1);
  const isMore = found.length > limit && last !== undefined;
  return { rows, nextCursor: isMore ? encodeCursor([String(last.seq)]) : null };
}

/** The event of the path, for who organises it. */
async function organised(ports: BookingRoutesPorts, request: HttpRequest) {
  const identity = requireIdentity(ports.tokens, request);
  const eventId = parseEventId(request.params[0]);
  const event = eventId === null ? null : await ports.directory.get(eventId);
  if (event === null) throw new ProblemError("event_not_found");
  const { organizationId } = event;
  if (await ports.isOrganizer(identity, organizationId)) return { event, identity };
  const isKnown = !isPrivate(event) || (await ports.isStaff(identity, organizationId));
  throw new ProblemError(isKnown ? "forbidden" : "event_not_found");
}

/** What happened to an event, in order. */
async function log(ports: BookingRoutesPorts, request: HttpRequest): Promise<HttpResponse> {
  const { event, identity } = await organised(ports, request);
  const page = seqPageOf(request.query);
  await ports.access.settled(identity);
  const found = await ports.history.ofEvent(identity, event.eventId, oneMore(page));
  const { rows, nextCursor } = pageOfRows(found, page);
  return json(200, { data: rows.map((row) => logEntryView(event, row)), nextCursor });
}

async function shown(
  ports: BookingRoutesPorts,
  booking: StoredBooking,
  reader: Reader,
): Promise<object> {
  const event = await ports.directory.get(booking.eventId);
  if (event === null) throw new Error(`booking ${booking.record.bookingId} has no event`);
  return bookingView(event, booking, reader);
}
