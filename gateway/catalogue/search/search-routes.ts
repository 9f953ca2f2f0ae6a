import { entityResponse } from "../../http/etag.ts";
import type { HttpRequest, HttpResponse, Route } from "../../http/exchange.ts";
import { decodeCursor, encodeCursor, pageFrom } from "../../http/page.ts";
import { asyncRoute } from "../../http/routes.ts";
import { validationFailed } from "../../http/validation.ts";
import type { Database, Queries } from "../../tenancy/database.ts";
import { NOBODY } from "../../tenancy/scope.ts";
import { EventStore } from "../event-store.ts";
import { eventView } from "../event-view.ts";
import { EventSearch } from "./event-search.ts";
import type { SearchPages } from "./search-pages.ts";
import { NOT_OF_THIS_LIST, readNamesQuery } from "./search-query.ts";
import { parseSearchRequest } from "./search-request.ts";

export interface SearchPorts {
  /** By connections of searches. */
  readonly database: Database;
  readonly pages: SearchPages;
}

interface RoutePorts {
  readonly search: EventSearch;
  readonly store: EventStore;
  readonly pages: SearchPages;
  readonly rows: Queries;
}

/** Everybody may keep it, but asks whether it still holds. */
const CACHE_CONTROL = "public, no-cache";

/** Finding events, and what there is to find them by: the same for everybody. */
export function searchRoutes({ database, pages }: SearchPorts): Route[] {
  const rows = database.in(NOBODY);
  const ports = { search: new EventSearch(rows), store: new EventStore(database), pages, rows };
  const route = (path: string, handle: (request: HttpRequest) => Promise<HttpResponse>): Route => ({
    method: "GET",
    path: `/api/v1/${path}`,
    handler: asyncRoute(handle),
    limit: "search",
  });
  return [
    route("events", (request) => find(ports, request)),
    route("categories", (request) => listNames(ports, request, "c")),
    route("tags", (request) => listNames(ports, request, "t")),
  ];
}

async function find(ports: RoutePorts, request: HttpRequest): Promise<HttpResponse> {
  const wanted = parseSearchRequest(request.query);
  const page = await ports.pages.get(wanted.pageKey, async () => {
    const { eventIds, nextCursor } = await ports.search.find(wanted);
    const events = await ports.store.listed(eventIds);
    return JSON.stringify({ data: events.map(eventView), nextCursor });
  });
  return entityResponse(request, { ...page, cacheControl: CACHE_CONTROL });
}

interface NameRow {
  readonly key: string;
  readonly label: string;
  readonly events: number;
}

/** `left(key, 1)` is what the index is over. */
const NAMES = `
  SELECT key, label, events FROM search_keys
  WHERE left(key, 1) = $1 AND ($2::integer IS NULL OR (events, key) < ($2, $3::text COLLATE "C"))
    AND ($4::text IS NULL OR starts_with(key, $1 || ':' || search_fold($4)))
  ORDER BY events DESC, key DESC LIMIT $5`;

/** Categories or tags, those of most events first. */
async function listNames(
  { pages, rows: database }: RoutePorts,
  request: HttpRequest,
  kind: "c" | "t",
): Promise<HttpResponse> {
  const { q = null, ...given } = readNamesQuery(request.query);
  const { limit, cursor } = pageFrom(given);
  const after = cursor === null ? null : positionOf(cursor, kind);
  if (cursor !== null && after === null) throw validationFailed([NOT_OF_THIS_LIST]);
  const page = await pages.get(`${kind} ${JSON.stringify([q, limit, cursor])}`, async () => {
    const values = [kind, after?.events ?? null, after?.key ?? null, q, limit + 1];
    const { rows } = await database.query<NameRow>(NAMES, values);
    const data = rows.slice(0, limit).map(({ label, events }) => ({ name: label, events }));
    const last = rows[limit - 1];
    const isMore = rows.length > limit && last !== undefined;
    const nextCursor = isMore ? encodeCursor([String(last.events), last.key]) : null;
    return JSON.stringify({ data, nextCursor });
  });
  return entityResponse(request, { ...page, cacheControl: CACHE_CONTROL });
}

/** Keys may have a `|`: they are all that follows the first one. */
function positionOf(cursor: string, kind: string): { events: number; key: string } | null {
  const [events = "", ...key] = decodeCursor(cursor);
  const position = { events: Number(events), key: key.join("|") };
  const fits = /^\d{1,9}$/.test(events) && position.key.startsWith(`${kind}:`);
  return fits && !position.key.includes("\0") ? position : null;
}
