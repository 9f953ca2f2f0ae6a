import Type from "typebox";
import { parseEventId } from "../../engine/ids.ts";
import { NAME_CHARS_MAX, TITLE_CHARS_MAX } from "../../engine/limits.ts";
import { decodeCursor, PageQuery } from "../http/page.ts";
import { compileQuery, textParameter, timeParameter } from "../http/query.ts";
import type { FieldError } from "../http/validation.ts";
import type { EventPosition } from "./event-store.ts";

/** The query of GET /events. */
export const EventQuery = Type.Object({
  q: textParameter(TITLE_CHARS_MAX, "Words of the title.", ["jazz"]),
  category: textParameter(NAME_CHARS_MAX, "Of this category.", ["music"]),
  tag: textParameter(NAME_CHARS_MAX, "With this tag.", ["jazz"]),
  city: textParameter(NAME_CHARS_MAX, "Where the venue is.", ["Berlin"]),
  from: timeParameter("Starting then or later."),
  to: timeParameter("Starting before then."),
  sort: Type.Optional(
    Type.Enum(["startsAt"], { default: "startsAt", description: "In which order." }),
  ),
  ...PageQuery.properties,
});
export const readEventQuery = compileQuery(EventQuery, (given) => [
  ...laterFaults(given),
  ...cursorFaults(given.get("cursor")?.trim() ?? ""),
]);

const LATER_PARAMETERS = ["near", "radiusKm", "minPrice", "maxPrice", "available"];

/** What the contract has and this node does not: said, rather than passed over. */
function laterFaults(given: URLSearchParams): FieldError[] {
  const sort = given.get("sort");
  const isLater = sort === "relevance" || sort === "distance";
  return [...LATER_PARAMETERS.filter((name) => given.has(name)), ...(isLater ? ["sort"] : [])].map(
    (path) => ({ path, message: "is not available yet" }),
  );
}

function cursorFaults(cursor: string): FieldError[] {
  if (cursor === "" || positionOf(cursor) !== null) return [];
  return [{ path: "cursor", message: "must be a nextCursor of this list" }];
}

/** Where the page after this cursor begins; null: it is none of ours. */
export function positionOf(cursor: string): EventPosition | null {
  const [time = "", id] = decodeCursor(cursor);
  const eventId = parseEventId(id);
  return eventId !== null && /^-?\d{1,15}$/.test(time) ? { startsMs: Number(time), eventId } : null;
}
