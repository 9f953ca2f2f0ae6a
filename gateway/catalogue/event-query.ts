import Type from "typebox";
import { NAME_CHARS_MAX, TITLE_CHARS_MAX } from "../../engine/limits.ts";
import { PageQuery } from "../http/page.ts";
import { compileQuery, textParameter, timeParameter } from "../http/query.ts";
import { validationFailed } from "../http/validation.ts";

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
export const readEventQuery = compileQuery(EventQuery);

const LATER_PARAMETERS = ["near", "radiusKm", "minPrice", "maxPrice", "available"];

/** What the contract has and this node does not: said, rather than passed over. */
export function refuseLater(query: string): void {
  const given = new URLSearchParams(query);
  const errors = LATER_PARAMETERS.filter((name) => given.has(name)).map((path) => {
    return { path, message: "is not available yet" };
  });
  const sort = given.get("sort");
  if (sort === "relevance" || sort === "distance") {
    errors.push({ path: "sort", message: "is not available yet" });
  }
  if (errors.length > 0) throw validationFailed(errors);
}
