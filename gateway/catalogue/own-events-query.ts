import Type from "typebox";
import { parseEventId } from "../../engine/ids.ts";
import { decodeCursor, PageQuery } from "../http/page.ts";
import { compileQuery } from "../http/query.ts";
import { type FieldError, isWritable } from "../http/validation.ts";
import type { EventPosition } from "./event-store.ts";

/** The query of GET /organizations/{id}/events. */
export const OwnEventsQuery = Type.Object({
  status: Type.Optional(
    Type.Enum(["draft", "published", "cancelled"], { description: "Absent: all of them." }),
  ),
  ...PageQuery.properties,
});
export const readOwnEventsQuery = compileQuery(OwnEventsQuery, (given) =>
  cursorFaults(given.get("cursor")?.trim() ?? ""),
);

function cursorFaults(cursor: string): FieldError[] {
  if (cursor === "" || positionOf(cursor) !== null) return [];
  return [{ path: "cursor", message: "must be a nextCursor of this list" }];
}

/** Where the page after this cursor begins; null: it is none of ours. */
export function positionOf(cursor: string): EventPosition | null {
  const [time = "", id] = decodeCursor(cursor);
  const eventId = parseEventId(id);
  const startsMs = Number(time);
  const isOurs = eventId !== null && /^-?\d{1,15}$/.test(time) && isWritable(startsMs);
  return isOurs ? { startsMs, eventId } : null;
}
