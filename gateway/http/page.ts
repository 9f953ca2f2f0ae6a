import Type, { type Static } from "typebox";
import { PAGE_ENTRIES_MAX } from "../../engine/limits.ts";
import { compileQuery, textParameter } from "./query.ts";

const PAGE_ENTRIES_DEFAULT = 20;

/** The parameters of every list. */
export const PageQuery = Type.Object({
  limit: Type.Optional(
    Type.Integer({
      minimum: 1,
      maximum: PAGE_ENTRIES_MAX,
      default: PAGE_ENTRIES_DEFAULT,
      description: "Entries of a page.",
    }),
  ),
  cursor: textParameter(400, "`nextCursor` of the page before; absent: from the start."),
});
const readPageQuery = compileQuery(PageQuery);

/** Which part of a list is asked for: `?limit=` and `?cursor=`. */
export interface Page {
  readonly limit: number;
  /** Opaque text of a former answer's nextCursor; null: from the start. */
  readonly cursor: string | null;
}

/** Reads the page out of a query string; what is wrong with it is thrown. */
export const pageOf = (query: string): Page => pageFrom(readPageQuery(query));

/** The page out of a query that was read with parameters of its own besides. */
export function pageFrom({ limit, cursor }: Static<typeof PageQuery>): Page {
  return { limit: limit ?? PAGE_ENTRIES_DEFAULT, cursor: cursor ?? null };
}

/** A cursor of these parts, none of which has a `|`. Opaque to clients. */
export function encodeCursor(parts: readonly string[]): string {
  return Buffer.from(parts.join("|"), "utf8").toString("base64url");
}

export function decodeCursor(cursor: string): string[] {
  return Buffer.from(cursor, "base64url").toString("utf8").split("|");
}
