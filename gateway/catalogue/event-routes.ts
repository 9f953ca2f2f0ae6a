import { parseEventId, parseOrganizationId } from "../../engine/ids.ts";
import { EVENT_CHANGES_BODY_BYTES_MAX, PLAN_BODY_BYTES_MAX } from "../../engine/limits.ts";
import { entityResponse, etagOf } from "../http/etag.ts";
import type { HttpRequest, HttpResponse, Route } from "../http/exchange.ts";
import { encodeCursor, pageFrom } from "../http/page.ts";
import { ProblemError } from "../http/problem.ts";
import { asyncRoute, json } from "../http/routes.ts";
import { readBody } from "../http/validation.ts";
import { type Identity, identityIfAny, requireIdentity, type Tokens } from "../identity/tokens.ts";
import { checkEventChanges } from "./event-changes.ts";
import { checkEventBody } from "./event-definition.ts";
import type { EventDirectory, EventEntry } from "./event-directory.ts";
import { type EventStore, isPrivate } from "./event-store.ts";
import { eventView, organizerView } from "./event-view.ts";
import type { Events } from "./events.ts";
import type { KnownStrangers } from "./known-strangers.ts";
import type { Organizations } from "./organizations.ts";
import { positionOf, readOwnEventsQuery } from "./own-events-query.ts";
import type { SeatLists } from "./seat-lists.ts";

export interface EventPorts {
  readonly events: Events;
  readonly store: EventStore;
  readonly directory: EventDirectory;
  readonly seatLists: SeatLists;
  readonly organizations: Organizations;
  readonly tokens: Tokens;
  readonly strangers: KnownStrangers;
}
const PRIVATE = "private, no-store";
type EventHandler = (ports: EventPorts, request: HttpRequest) => Promise<HttpResponse>;

export function eventRoutes(ports: EventPorts): Route[] {
  const handler = (handle: EventHandler) => asyncRoute((request) => handle(ports, request));
  const path = "/api/v1/events";
  return [
    { method: "POST", path, handler: handler(create), bodyBytesMax: PLAN_BODY_BYTES_MAX },
    { method: "GET", path: `${path}/:id`, handler: handler(show) },
    {
      method: "PATCH",
      path: `${path}/:id`,
      handler: handler(change),
      bodyBytesMax: EVENT_CHANGES_BODY_BYTES_MAX,
    },
    { method: "DELETE", path: `${path}/:id`, handler: handler(remove) },
    { method: "GET", path: "/api/v1/organizations/:id/events", handler: handler(listOwn) },
    { method: "GET", path: `${path}/:id/seats`, handler: handler(seats) },
  ];
}

const create: EventHandler = async ({ events, tokens }, request) => {
  const identity = requireIdentity(tokens, request);
  const event = await events.create(identity, readBody(checkEventBody, request));
  const headers = { Location: `/api/v1/events/${event.eventId}` };
  return { ...json(201, organizerView(event)), headers };
};

const change: EventHandler = async ({ events, tokens }, request) => {
  const identity = requireIdentity(tokens, request);
  const body = readBody(checkEventChanges, request);
  return json(200, organizerView(await events.change(identity, eventIdOf(request), body)));
};

const remove: EventHandler = async ({ events, tokens }, request) => {
  await events.remove(requireIdentity(tokens, request), eventIdOf(request));
  return { status: 204, body: null };
};

/** Everything that an organisation has, drafts too, for those who belong to it. */
const listOwn: EventHandler = async ({ store, organizations, tokens }, request) => {
  const identity = requireIdentity(tokens, request);
  const organizationId = parseOrganizationId(request.params[0]);
  if (organizationId === null || !(await organizations.isMember(identity, organizationId))) {
    throw new ProblemError("organization_not_found");
  }
  const { status = null, ...given } = readOwnEventsQuery(request.query);
  const { limit, cursor } = pageFrom(given);
  const after = cursor === null ? null : positionOf(cursor);
  const own = store.as(identity);
  const found = await own.ofOrganization(organizationId, status, { limit: limit + 1, after });
  const page = found.slice(0, limit);
  const last = page.at(-1);
  const isMore = found.length > limit && last !== undefined;
  const nextCursor = isMore ? encodeCursor([String(last.startsMs), last.eventId]) : null;
  return json(200, { data: page.map(eventView), nextCursor });
};

const show: EventHandler = async (ports, request) => {
  const identity = identityIfAny(ports.tokens, request);
  const event = await visibleEvent(ports, request, identity);
  const body = await organizerBody(ports, identity, event);
  if (body !== null) {
    return entityResponse(request, { body, etag: etagOf(body), cacheControl: PRIVATE });
  }
  const cacheControl = isPrivate(event) ? PRIVATE : "public, no-cache";
  return entityResponse(request, { body: event.json, etag: event.etag, cacheControl });
};

/** What organisers see of an event and others do not; null: nothing, or the asker is none. */
async function organizerBody(
  { strangers }: EventPorts,
  identity: Identity | null,
  event: EventEntry,
): Promise<string | null> {
  if (event.promoCodes.length === 0) return null;
  const { organizationId } = event;
  const isOrganizer = identity !== null && (await strangers.isOrganizer(identity, organizationId));
  return isOrganizer ? JSON.stringify(organizerView(event)) : null;
}

const seats: EventHandler = async (ports, request) => {
  const identity = identityIfAny(ports.tokens, request);
  const event = await visibleEvent(ports, request, identity);
  const { body, etag } = await ports.seatLists.get(event.eventId);
  const cacheControl = isPrivate(event) ? PRIVATE : "public, max-age=31536000, immutable";
  return entityResponse(request, { body, etag, cacheControl });
};

function eventIdOf(request: HttpRequest) {
  const eventId = parseEventId(request.params[0]);
  if (eventId === null) throw new ProblemError("event_not_found");
  return eventId;
}

/** The event of the path, if the asker may see it: private ones are for members and admins. */
async function visibleEvent(
  ports: EventPorts,
  request: HttpRequest,
  identity: Identity | null,
): Promise<EventEntry> {
  const event = await ports.directory.get(eventIdOf(request));
  if (event === null) throw new ProblemError("event_not_found");
  if (!isPrivate(event)) return event;
  const isMember =
    identity !== null && (await ports.organizations.isMember(identity, event.organizationId));
  if (!isMember) throw new ProblemError("event_not_found");
  return event;
}
