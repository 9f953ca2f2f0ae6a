/** What may be asked of the lists of the catalogue. */
import Type from "typebox";
import * as limits from "../../../engine/limits.ts";
import * as searchLimits from "../../../engine/search-limits.ts";
import { PageQuery } from "../../http/page.ts";
import { compileQuery, textParameter, timeParameter } from "../../http/query.ts";
import type { FieldError } from "../../http/validation.ts";
import { decodeSearchCursor } from "./search-cursor.ts";

const price = (description: string) =>
  Type.Optional(Type.Integer({ minimum: 0, maximum: limits.PRICE_MINOR_MAX, description }));
const cursor = (charsMax: number) =>
  textParameter(charsMax, "`nextCursor` of the page before; absent: from the start.");

/** The query of GET /events. */
export const EventQuery = Type.Object({
  q: textParameter(
    limits.TITLE_CHARS_MAX,
    "Words, all of which are in it: the last one may be the beginning of a word, and a word that " +
      "is nowhere may be misspelt. One letter alone is a word.",
    ["jazz"],
  ),
  category: textParameter(limits.NAME_CHARS_MAX, "Of this category.", ["music"]),
  tag: textParameter(limits.NAME_CHARS_MAX, "With this tag.", ["jazz"]),
  city: textParameter(limits.NAME_CHARS_MAX, "Where the venue is.", ["Berlin"]),
  organizationId: Type.Optional(
    Type.String({ format: "id", description: "Of this organisation." }),
  ),
  near: Type.Optional(
    Type.String({
      format: "place",
      maxLength: 60,
      description: "With a venue around it.",
      examples: ["52.5,13.4"],
    }),
  ),
  radiusKm: Type.Optional(
    Type.Number({
      minimum: 0,
      maximum: searchLimits.RADIUS_KM_MAX,
      default: searchLimits.RADIUS_KM_DEFAULT,
      description: "How far from `near`.",
    }),
  ),
  from: timeParameter("Starting then or later."),
  to: timeParameter("Starting before then."),
  minPrice: price("Minor units: a price that is at least so much, and at most `maxPrice`."),
  maxPrice: price("Minor units: a price that is at most so much, and at least `minPrice`."),
  currency: textParameter(3, "ISO 4217, in capitals or not.", ["EUR"]),
  available: Type.Optional(
    Type.Boolean({ default: false, description: "true: only with places that are free to buy." }),
  ),
  sort: Type.Optional(
    Type.Enum(["startsAt", "relevance", "distance"], {
      description: "In which order. Absent: by `relevance` with `q`, and by `startsAt` without.",
    }),
  ),
  ...PageQuery.properties,
  cursor: cursor(searchLimits.SEARCH_CURSOR_CHARS_MAX),
});
export const readEventQuery = compileQuery(EventQuery, faultsOf);

export const NOT_OF_THIS_LIST: FieldError = {
  path: "cursor",
  message: "must be a nextCursor of this list",
};

/** What is wrong about parameters beside each other. */
function faultsOf(given: URLSearchParams): FieldError[] {
  const text = (name: string): string => given.get(name)?.trim() ?? "";
  const has = (name: string): boolean => text(name) !== "";
  const faults: FieldError[] = [];
  const fault = (path: string, message: string) => faults.push({ path, message });
  if (has("radiusKm") && !has("near")) fault("radiusKm", "needs near=lat,lng");
  if (has("minPrice") && has("maxPrice") && Number(text("maxPrice")) < Number(text("minPrice"))) {
    fault("maxPrice", "must not be below minPrice");
  }
  if (text("sort") === "relevance" && !has("q")) fault("sort", "relevance needs q");
  if (text("sort") === "distance" && !has("near")) fault("sort", "distance needs near=lat,lng");
  if (has("cursor") && decodeSearchCursor(text("cursor")) === null) faults.push(NOT_OF_THIS_LIST);
  return faults;
}

/** The query of GET /categories and GET /tags. */
export const NamesQuery = Type.Object({
  q: textParameter(limits.NAME_CHARS_MAX, "How they begin.", ["ja"]),
  ...PageQuery.properties,
  cursor: cursor(searchLimits.NAMES_CURSOR_CHARS_MAX),
});
export const readNamesQuery = compileQuery(NamesQuery);
