import { createHash } from "node:crypto";
import { parseEventId } from "../../../engine/ids.ts";
import { RADIUS_KM_DEFAULT } from "../../../engine/search-limits.ts";
import { pageFrom } from "../../http/page.ts";
import { type Place, parsePlace } from "../../http/place.ts";
import { validationFailed } from "../../http/validation.ts";
import { decodeSearchCursor, type SearchCursor } from "./search-cursor.ts";
import { NOT_OF_THIS_LIST, readEventQuery } from "./search-query.ts";

export type SearchSort = "startsAt" | "relevance" | "distance";

/** What events must be to be found; null: anything. */
export interface SearchFilter {
  readonly q: string | null;
  readonly category: string | null;
  readonly tag: string | null;
  readonly city: string | null;
  readonly organizationId: string | null;
  readonly currency: string | null;
  readonly near: Place | null;
  /** Of `near`; null without it. */
  readonly radiusKm: number | null;
  /** Unix ms, of the start: from inclusive, to exclusive. */
  readonly fromMs: number | null;
  readonly toMs: number | null;
  /** Minor units, both inclusive: of at least one price of the event. */
  readonly minPrice: number | null;
  readonly maxPrice: number | null;
  /** Only what can be bought now. */
  readonly available: boolean;
}

export interface SearchRequest {
  readonly filter: SearchFilter;
  readonly sort: SearchSort;
  readonly limit: number;
  /** null: from the start. */
  readonly cursor: SearchCursor | null;
  /** The same for requests that ask for the same list; part of its cursors. */
  readonly listDigest: string;
  /** The same for requests that ask for the same page. */
  readonly pageKey: string;
}

/** Reads the query of GET /events; throws validation_failed. */
export function parseSearchRequest(queryText: string): SearchRequest {
  const given = readEventQuery(queryText);
  const { limit, cursor: cursorText } = pageFrom(given);
  const near = given.near === undefined ? null : parsePlace(given.near);
  const filter: SearchFilter = {
    q: given.q ?? null,
    category: given.category ?? null,
    tag: given.tag ?? null,
    city: given.city ?? null,
    organizationId: given.organizationId ?? null,
    currency: given.currency?.toUpperCase() ?? null,
    near,
    radiusKm: near === null ? null : (given.radiusKm ?? RADIUS_KM_DEFAULT),
    fromMs: msOf(given.from),
    toMs: msOf(given.to),
    minPrice: given.minPrice ?? null,
    maxPrice: given.maxPrice ?? null,
    available: given.available ?? false,
  };
  // Who looks for words wants to see first what fits best.
  const sort = given.sort ?? (filter.q === null ? "startsAt" : "relevance");
  const listDigest = digestOf([filter, sort]);
  return {
    filter,
    sort,
    limit,
    cursor: cursorOf(cursorText, { sort, listDigest }),
    listDigest,
    pageKey: `${listDigest} ${limit} ${cursorText}`,
  };
}

const msOf = (time: string | undefined): number | null =>
  time === undefined ? null : Date.parse(time);

/** Throws validation_failed. */
function cursorOf(
  text: string | null,
  list: { readonly sort: SearchSort; readonly listDigest: string },
): SearchCursor | null {
  if (text === null) return null;
  const cursor = decodeSearchCursor(text);
  const fits =
    cursor !== null &&
    cursor.listDigest === list.listDigest &&
    (cursor.tier !== null) === (list.sort === "relevance") &&
    (cursor.distance !== null) === (list.sort === "distance") &&
    parseEventId(cursor.eventId) !== null;
  if (!fits) throw validationFailed([NOT_OF_THIS_LIST]);
  return cursor;
}

function digestOf(value: unknown): string {
  return createHash("sha256").update(JSON.stringify(value)).digest("base64url").slice(0, 16);
}
