import { PAGE_ENTRIES_MAX } from "../../engine/limits.ts";
import { QueryReader } from "./query.ts";

const PAGE_ENTRIES_DEFAULT = 20;

/** Which part of a list is asked for: `?limit=` and `?cursor=`. */
export interface Page {
  readonly limit: number;
  /** Opaque text of a former answer's nextCursor; null: from the start. */
  readonly cursor: string | null;
}

/** Reads the page out of a query string; what is wrong with it is thrown. */
export function pageOf(query: string): Page {
  const reader = new QueryReader(query);
  const page = readPage(reader);
  reader.finish();
  return page;
}

/** As pageOf, for lists with parameters of their own: the reader keeps what is wrong. */
export function readPage(reader: QueryReader): Page {
  const limit = reader.integer("limit", { min: 1, max: PAGE_ENTRIES_MAX }) ?? PAGE_ENTRIES_DEFAULT;
  return { limit, cursor: reader.text("cursor", 400) };
}

/** A cursor of these parts, none of which has a `|`. Opaque to clients. */
export function encodeCursor(parts: readonly string[]): string {
  return Buffer.from(parts.join("|"), "utf8").toString("base64url");
}

export function decodeCursor(cursor: string): string[] {
  return Buffer.from(cursor, "base64url").toString("utf8").split("|");
}
