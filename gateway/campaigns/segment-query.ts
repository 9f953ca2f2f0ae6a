import { CUSTOMER_FOR_MS } from "../../engine/campaign-limits.ts";
import { unreachable } from "../../engine/unreachable.ts";
import { chordOf } from "../catalogue/search/search-statements.ts";
import { parsePlace } from "../http/place.ts";
import type { AttendedCriterion, Segment, SpentCriterion } from "./segment.ts";

/**
 * A segment as one statement:
 *
 *   WITH shows AS (the organisation's events, and of each which criteria it fits: m1, m2 …)
 *   people: the organisation's bookings by address, of which the tree of criteria holds
 *
 * Criteria are aggregates over the bookings of an address, so that all of them are known after one
 * pass. Every value is a parameter; the text is made of this file alone.
 */
export interface SegmentQuery {
  /** What comes after WITH: `shows` and `people (address, user_id)`. */
  readonly ctes: string;
  readonly parameters: Parameters;
}

/** `$1` and so on, in the order of their making. */
export class Parameters {
  readonly values: unknown[] = [];

  add(value: unknown, type: string): string {
    this.values.push(value);
    return `$${this.values.length}::${type}`;
  }
}

export interface SegmentQueryOptions {
  readonly organizationId: string;
  readonly nowMs: number;
}

export function segmentQuery(
  segment: Segment,
  { organizationId, nowMs }: SegmentQueryOptions,
): SegmentQuery {
  const parameters = new Parameters();
  const organization = parameters.add(organizationId, "uuid");
  const since = parameters.add(nowMs - CUSTOMER_FOR_MS, "bigint");
  const writer = new CriteriaWriter(parameters, organization);
  const holds = writer.condition(segment);
  const matches = writer.matches.map((match, index) => `,\n    (${match}) AS m${index + 1}`);
  return {
    parameters,
    ctes: `shows AS MATERIALIZED (
  SELECT e.id, e.currency${matches.join("")}
  FROM events e WHERE e.organization_id = ${organization}
), people AS (
  SELECT b.address, (array_agg(b.user_id) FILTER (WHERE b.user_id IS NOT NULL))[1] AS user_id
  FROM customer_bookings b JOIN shows s ON s.id = b.event_id
  WHERE b.organization_id = ${organization}
  GROUP BY b.address
  HAVING bool_or(NOT b.handed_over AND b.booked_ms >= ${since}) AND ${holds}
)`,
  };
}

class CriteriaWriter {
  /** Conditions of one event, `e`. */
  readonly matches: string[] = [];
  readonly #parameters: Parameters;
  readonly #organization: string;

  constructor(parameters: Parameters, organization: string) {
    this.#parameters = parameters;
    this.#organization = organization;
  }

  /** Of all bookings `b` of an address, with their events `s`; never NULL. */
  condition(segment: Segment): string {
    switch (segment.kind) {
      case "all":
        return `(${segment.of.map((part) => this.condition(part)).join(" AND ")})`;
      case "any":
        return `(${segment.of.map((part) => this.condition(part)).join(" OR ")})`;
      case "not":
        return `NOT ${this.condition(segment.of)}`;
      case "attended":
        return this.#attended(segment);
      case "spent":
        return this.#spent(segment);
      case "bought":
        return `bool_or(b.event_id = ${this.#parameters.add(segment.eventId, "uuid")})`;
      case "not_bought":
        return `NOT bool_or(b.event_id = ${this.#parameters.add(segment.eventId, "uuid")})`;
      case "opened":
        return this.#engaged(segment.campaignId, "opens");
      case "clicked":
        return this.#engaged(segment.campaignId, "clicks");
      default:
        return unreachable(segment);
    }
  }

  #attended(criterion: AttendedCriterion): string {
    const { how = "booked", atLeast = 1 } = criterion;
    const match = this.#match(this.#ofEvent(criterion));
    const there = how === "checked_in" ? `${match} AND b.checked_in` : match;
    if (atLeast === 1) return `bool_or(${there})`;
    const times = this.#parameters.add(atLeast, "bigint");
    return `count(DISTINCT b.event_id) FILTER (WHERE ${there}) >= ${times}`;
  }

  #spent({ currency, atLeast, atMost, from, to }: SpentCriterion): string {
    const conditions = [this.#match(`e.currency = ${this.#parameters.add(currency, "text")}`)];
    if (from !== undefined) {
      conditions.push(`b.booked_ms >= ${this.#parameters.add(Date.parse(from), "bigint")}`);
    }
    if (to !== undefined) {
      conditions.push(`b.booked_ms < ${this.#parameters.add(Date.parse(to), "bigint")}`);
    }
    const filter = conditions.join(" AND ");
    const sum = `COALESCE(sum(b.spent_minor) FILTER (WHERE ${filter}), 0)`;
    const bounds: string[] = [];
    if (atLeast !== undefined) {
      bounds.push(`${sum} >= ${this.#parameters.add(atLeast, "bigint")}`);
    }
    if (atMost !== undefined) bounds.push(`${sum} <= ${this.#parameters.add(atMost, "bigint")}`);
    return `(${bounds.join(" AND ")})`;
  }

  #engaged(campaignId: string, column: "opens" | "clicks"): string {
    const campaign = this.#parameters.add(campaignId, "uuid");
    return `campaign_digest(${campaign}, b.address) IN (
      SELECT r.digest FROM campaign_recipients r
      WHERE r.campaign_id = ${campaign} AND r.organization_id = ${this.#organization}
        AND r.${column} > 0)`;
  }

  #match(condition: string): string {
    this.matches.push(condition);
    return `s.m${this.matches.length}`;
  }

  #ofEvent(criterion: AttendedCriterion): string {
    const { from, to, categories, tags, cities, near, radiusKm } = criterion;
    const add = (value: unknown, type: string): string => this.#parameters.add(value, type);
    const folded = (names: readonly string[]): string =>
      `ARRAY(SELECT search_fold(n) FROM unnest(${add(names, "text[]")}) AS n)`;
    const conditions = ["true"];
    if (from !== undefined) conditions.push(`e.starts_at >= ${add(new Date(from), "timestamptz")}`);
    if (to !== undefined) conditions.push(`e.starts_at < ${add(new Date(to), "timestamptz")}`);
    if (categories !== undefined) {
      conditions.push(`COALESCE(search_fold(e.category) = ANY (${folded(categories)}), false)`);
    }
    if (cities !== undefined) {
      conditions.push(`COALESCE(search_fold(e.city) = ANY (${folded(cities)}), false)`);
    }
    if (tags !== undefined) {
      conditions.push(`ARRAY(SELECT search_fold(t) FROM unnest(e.tags) AS t) && ${folded(tags)}`);
    }
    const place = near === undefined ? null : parsePlace(near);
    if (place !== null && radiusKm !== undefined) {
      const [lat, lng] = [add(place.lat, "float8"), add(place.lng, "float8")];
      conditions.push(`COALESCE(search_place((e.venue #>> '{location,lat}')::float8,
        (e.venue #>> '{location,lng}')::float8) <-> search_place(${lat}, ${lng})
        <= ${add(chordOf(radiusKm), "float8")}, false)`);
    }
    return conditions.join(" AND ");
  }
}
