import Type, { type Static } from "typebox";
import { isUuidV7 } from "../../engine/ids.ts";
import { PAGE_ENTRIES_MAX } from "../../engine/limits.ts";
import { compileQuery, textParameter } from "./query.ts";
import { validationFailed } from "./validation.ts";

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

/** The page of a list in the order of its ids. */
export interface IdPage {
  readonly limit: number;
  /** The last id of the page before; null: from the start. */
  readonly after: string | null;
}

/** Of a list whose cursors are ids; another cursor is refused. */
export function idPageFrom(given: Static<typeof PageQuery>): IdPage {
  const { limit, cursor } = pageFrom(given);
  const after = cursor === null ? null : (decodeCursor(cursor)[0] ?? "");
  if (after === null || isUuidV7(after)) return { limit, after };
  throw validationFailed([{ path: "cursor", message: "must be a nextCursor of this list" }]);
}

export const idPageOf = (query: string): IdPage => idPageFrom(readPageQuery(query));

/** The answer of such a list: `entries` are those of the page, and one more where there is more. */
export function idPageView<Entry extends { readonly id: string }>(
  entries: readonly Entry[],
  { limit }: IdPage,
): { readonly data: readonly Entry[]; readonly nextCursor: string | null } {
  const data = entries.slice(0, limit);
  const last = data.at(-1);
  const isMore = entries.length > limit && last !== undefined;
  return { data, nextCursor: isMore ? encodeCursor([last.id]) : null };
}

/** A cursor of these parts, none of which has a `|`. Opaque to clients. */
export function encodeCursor(parts: readonly string[]): string {
  return Buffer.from(parts.join("|"), "utf8").toString("base64url");
}

export function decodeCursor(cursor: string): string[] {
  return Buffer.from(cursor, "base64url").toString("utf8").split("|");
}
