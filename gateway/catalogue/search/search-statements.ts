/**
 * Searches as SQL. Each list can be read in two ways, and which one is quick depends on how many
 * events it has:
 *
 *   walk    look at events in the order of the answer and take those that fit, some thousands
 *           at most: quick when many fit
 *   gather  collect all that fit from the indexes, then sort: quick when few fit
 *
 * Both give the same events in the same order; a walk may give fewer than there are.
 */
import { RADIUS_KM_MAX, SEARCH_LONG_EVENT_MS } from "../../../engine/search-limits.ts";
import { type SearchCursor, TIERS } from "./search-cursor.ts";
import type { SearchFilter, SearchSort } from "./search-request.ts";
import type { SearchTerms } from "./search-terms.ts";

export interface SearchStatement {
  readonly text: string;
  readonly values: readonly unknown[];
}

export interface FoundRow {
  readonly event_id: string;
  readonly starts_ms: string;
  readonly tier: number | null;
  readonly distance: number | null;
}

export interface SearchPlan {
  readonly filter: SearchFilter;
  readonly sort: SearchSort;
  readonly terms: SearchTerms;
  readonly cursor: Pick<SearchCursor, "tier" | "distance" | "startsMs" | "eventId"> | null;
  readonly limit: number;
  /** Events that a walk looks at; null: all of them. */
  readonly windowRows: number | null;
  /** Unix ms. */
  readonly nowMs: number;
}

/**
 * Who wants what is available wants nothing that is over, of which there may be years: what began
 * long ago and goes on comes first, from an index of its own, and then what begins.
 */
export type Segment = "all" | "ongoing" | "coming";

export function segmentsOf({ filter, sort, cursor, nowMs }: SearchPlan): readonly Segment[] {
  if (!filter.available || sort === "distance") return ["all"];
  const fromMs = Math.max(filter.fromMs ?? 0, sort === "startsAt" ? (cursor?.startsMs ?? 0) : 0);
  return fromMs >= nowMs - SEARCH_LONG_EVENT_MS ? ["coming"] : ["ongoing", "coming"];
}

const EARTH_RADIUS_KM = 6_371.0088;

/** Collects conditions and the values of their parameters. */
class Conditions {
  readonly values: unknown[] = [];
  readonly #conditions: string[] = [];

  parameter(value: unknown, type: string): string {
    this.values.push(value);
    return `$${this.values.length}::${type}`;
  }

  add(condition: string): void {
    this.#conditions.push(condition);
  }

  /** The conditions so far, and none for what follows. */
  take(): string {
    const taken = this.#conditions.splice(0);
    return taken.length === 0 ? "true" : taken.join(" AND ");
  }
}

/** As search_place in sql/. */
function cubeOf({ lat, lng }: { readonly lat: number; readonly lng: number }): string {
  const [phi, lambda] = [(lat * Math.PI) / 180, (lng * Math.PI) / 180];
  const x = Math.cos(phi) * Math.cos(lambda);
  const y = Math.cos(phi) * Math.sin(lambda);
  return `(${x}, ${y}, ${Math.sin(phi)})`;
}

/** Some millimetres: whatever computes where a place is, computes it that exactly. */
const CHORD_MIN = 1e-9;

/** The straight line between two points of a unit sphere that are so far apart on the ground. */
export function chordOf(km: number): number {
  if (km >= RADIUS_KM_MAX) return 2;
  return Math.max(CHORD_MIN, 2 * Math.sin(Math.min(km / EARTH_RADIUS_KM, Math.PI) / 2));
}

const ORDERS: Readonly<Record<SearchSort, string>> = {
  startsAt: "starts_ms, event_id",
  relevance: "tier, starts_ms, event_id",
  distance: "distance, starts_ms, event_id",
};

/** Where the words are: each tier has what the one before it has not. */
function tierCondition(tier: number, words: WordParameters): string {
  switch (tier) {
    case 0: {
      const { whole } = words;
      return whole === null ? "false" : `title_words @@ ${whole}`;
    }
    case 1: {
      const { whole } = words;
      const others = words.in("title_words");
      return whole === null ? others : `${others} AND NOT title_words @@ ${whole}`;
    }
    case 2:
      return `${words.in("head_words")} AND NOT (${words.in("title_words")})`;
    default:
      return `${words.in("all_words")} AND NOT (${words.in("head_words")})`;
  }
}

/** Of each tier. */
const WORD_COLUMNS = ["title_words", "title_words", "head_words", "all_words"] as const;

/** The tier and those before it. */
function upToTier(tier: number, words: WordParameters): string {
  if (tier === 0) return tierCondition(0, words);
  return words.in(WORD_COLUMNS[tier] ?? "all_words");
}

/** The words as parameters: only those that a statement names become some of it. */
class WordParameters {
  readonly #conditions: Conditions;
  readonly #words: NonNullable<SearchTerms["words"]>;
  #whole: string | null = null;
  #loose: string | null = null;
  #letter: string | null = null;

  constructor(conditions: Conditions, words: NonNullable<SearchTerms["words"]>) {
    this.#conditions = conditions;
    this.#words = words;
  }

  /** null: nothing has them all as they were typed. */
  get whole(): string | null {
    if (this.#words.whole === null) return null;
    this.#whole ??= this.#conditions.parameter(this.#words.whole, "tsquery");
    return this.#whole;
  }

  /** That a text has them, loosely. */
  in(column: (typeof WORD_COLUMNS)[number]): string {
    this.#loose ??= this.#conditions.parameter(this.#words.loose, "tsquery");
    const others = `${column} @@ ${this.#loose}`;
    if (this.#words.letter === null) return others;
    this.#letter ??= this.#conditions.parameter(this.#words.letter, "tsquery");
    // The function behind @@: an index, which would collect every word with this letter, has none.
    return `${others} AND ts_match_vq(${column}, ${this.#letter})`;
  }
}

function wordParameters(conditions: Conditions, { words }: SearchTerms): WordParameters | null {
  return words === null ? null : new WordParameters(conditions, words);
}

function addFilters(conditions: Conditions, { filter, terms, nowMs }: SearchPlan): void {
  const { minPrice, maxPrice, currency } = filter;
  if (terms.keys.length > 0) {
    conditions.add(`keys @> ${conditions.parameter(terms.keys, "text[]")}`);
  }
  if (maxPrice !== null) {
    conditions.add(`price_min <= ${conditions.parameter(maxPrice, "bigint")}`);
  }
  if (minPrice !== null) {
    conditions.add(`price_max >= ${conditions.parameter(minPrice, "bigint")}`);
  }
  if (minPrice !== null && maxPrice !== null) {
    const between = `${conditions.parameter(minPrice, "bigint")} AND
      ${conditions.parameter(maxPrice, "bigint")}`;
    conditions.add(`EXISTS (SELECT FROM unnest(prices) AS price WHERE price BETWEEN ${between})`);
  }
  if (currency !== null) conditions.add(`currency = ${conditions.parameter(currency, "text")}`);
  if (filter.available) {
    conditions.add(`over_ms > ${conditions.parameter(nowMs, "bigint")}`);
    conditions.add(`has_free AND (sales_open_at IS NULL OR sales_open_at <= now())
      AND (sales_close_at IS NULL OR sales_close_at > now())`);
  }
}

/** Conditions that the order by start can begin and end with. */
function addTimes(conditions: Conditions, { fromMs, toMs }: SearchFilter): void {
  if (fromMs !== null) conditions.add(`starts_ms >= ${conditions.parameter(fromMs, "bigint")}`);
  if (toMs !== null) conditions.add(`starts_ms < ${conditions.parameter(toMs, "bigint")}`);
}

function addSegment(conditions: Conditions, { nowMs }: SearchPlan, segment: Segment): void {
  if (segment === "all") return;
  // "+ 0": the index over starts has nothing to add.
  const cut = conditions.parameter(nowMs - SEARCH_LONG_EVENT_MS, "bigint");
  if (segment === "coming") return conditions.add(`starts_ms >= ${cut}`);
  conditions.add(`over_ms - starts_ms > ${SEARCH_LONG_EVENT_MS} AND starts_ms + 0 < ${cut}
    AND int8range(starts_ms, over_ms) @> ${conditions.parameter(nowMs, "bigint")}`);
}

/**
 * Whether the degrees are looked for in the index of keys and words, which knows how many events
 * they have, and which of them have the others, too. Otherwise the index of places is.
 */
export function isByDegrees({ terms }: SearchPlan): boolean {
  return terms.degrees !== null && (terms.keys.length > 0 || terms.words !== null);
}

function addRadius(conditions: Conditions, plan: SearchPlan, center: string | null): void {
  const { filter, terms } = plan;
  if (center === null || filter.radiusKm === null) return;
  const chord = conditions.parameter(chordOf(filter.radiusKm), "float8");
  conditions.add(`place <-> ${center} <= ${chord}`);
  conditions.add(
    isByDegrees(plan)
      ? `keys && ${conditions.parameter(terms.degrees, "text[]")}`
      : `place <@ cube_enlarge(${center}, ${chord}, 3)`,
  );
}

function centerOf(conditions: Conditions, { near }: SearchFilter): string | null {
  return near === null ? null : conditions.parameter(cubeOf(near), "cube");
}

/** Only what lies behind the cursor in the order. */
function addCursor(conditions: Conditions, { cursor, sort }: SearchPlan, prefix: string): void {
  if (cursor === null) return;
  const behind = `${conditions.parameter(cursor.startsMs, "bigint")},
    ${conditions.parameter(cursor.eventId, "uuid")}`;
  if (sort === "startsAt") conditions.add(`(starts_ms, event_id) > (${behind})`);
  else if (sort === "relevance") {
    const tier = conditions.parameter(cursor.tier, "integer");
    conditions.add(`(${prefix}, starts_ms, event_id) > (${tier}, ${behind})`);
  } else {
    const distance = conditions.parameter(cursor.distance, "float8");
    conditions.add(`(${prefix}, starts_ms, event_id) > (${distance}, ${behind})`);
  }
}

/** Whether an index narrows the list down; else a walk is all there is, and goes to its end. */
export function isIndexed({ filter, terms }: SearchPlan): boolean {
  const { near, minPrice, maxPrice } = filter;
  return (
    terms.keys.length > 0 ||
    terms.words !== null ||
    near !== null ||
    minPrice !== null ||
    maxPrice !== null
  );
}

/** The events in the times that are asked for; null: at any time, or in another order. */
export function rangeStatement({ filter, sort }: SearchPlan): SearchStatement | null {
  if (sort === "distance" || (filter.fromMs === null && filter.toMs === null)) return null;
  const conditions = new Conditions();
  addTimes(conditions, filter);
  const text = `SELECT FROM event_search WHERE ${conditions.take()}`;
  return { text, values: conditions.values };
}

/**
 * Events in the order of the answer, those that fit. By relevance: those of one tier, `tier`, and
 * behind the cursor only in the cursor's own.
 */
export function walkStatement(
  plan: SearchPlan,
  tier: number | null,
  segment: Segment = "all",
): SearchStatement {
  const { filter, sort, limit, terms } = plan;
  const conditions = new Conditions();
  const center = centerOf(conditions, filter);
  const isByDistance = sort === "distance" && center !== null;
  addTimes(conditions, filter);
  addSegment(conditions, plan, segment);
  if (isByDistance) {
    addRadius(conditions, { ...plan, terms: { ...terms, degrees: null } }, center);
    addCursor(conditions, plan, `place <-> ${center}`);
  } else {
    const isCursors = sort === "startsAt" || plan.cursor?.tier === tier;
    if (isCursors) addCursor(conditions, { ...plan, sort: "startsAt" }, "");
  }
  const inner = conditions.take();
  const words = wordParameters(conditions, terms);
  if (words !== null) {
    conditions.add(tier === null ? words.in("all_words") : tierCondition(tier, words));
  }
  addFilters(conditions, plan);
  if (!isByDistance) addRadius(conditions, plan, center);
  const order = isByDistance ? "distance, starts_ms, event_id" : "starts_ms, event_id";
  const innerOrder = isByDistance ? `place <-> ${center}, starts_ms, event_id` : order;
  const distance = isByDistance ? `place <-> ${center}` : "NULL::float8";
  const selected = `event_id, starts_ms, ${tier ?? "NULL::integer"} AS tier`;
  const fitting = conditions.take();
  const text =
    plan.windowRows === null
      ? `SELECT ${selected}, ${distance} AS distance FROM event_search
         WHERE ${inner} AND ${fitting} ORDER BY ${innerOrder} LIMIT ${limit}`
      : `SELECT ${selected}, distance
         FROM (SELECT *, ${distance} AS distance FROM event_search
               WHERE ${inner} ORDER BY ${innerOrder} LIMIT ${plan.windowRows}) AS nearest
         WHERE ${fitting} ORDER BY ${order} LIMIT ${limit}`;
  return { text, values: conditions.values };
}

/** All that fit, then sorted. By relevance: `tiers`, from the first to the last of them. */
export function gatherStatement(
  plan: SearchPlan,
  tiers: { readonly from: number; readonly to: number } = { from: 0, to: TIERS - 1 },
): SearchStatement {
  const { filter, sort, limit, terms } = plan;
  const conditions = new Conditions();
  const center = centerOf(conditions, filter);
  const words = wordParameters(conditions, terms);
  addTimes(conditions, filter);
  addFilters(conditions, plan);
  addRadius(conditions, plan, center);
  let tier = "NULL::integer";
  if (words !== null) {
    if (sort === "relevance") {
      conditions.add(upToTier(tiers.to, words));
      tier = `CASE ${words.whole === null ? "" : `WHEN title_words @@ ${words.whole} THEN 0`}
        WHEN ${words.in("title_words")} THEN 1 WHEN ${words.in("head_words")} THEN 2
        ELSE 3 END`;
    } else conditions.add(words.in("all_words"));
  }
  const distance = sort === "distance" && center !== null ? `place <-> ${center}` : "NULL::float8";
  const fitting = conditions.take();
  if (sort === "relevance") conditions.add(`tier >= ${tiers.from}`);
  addCursor(conditions, plan, sort === "relevance" ? "tier" : "distance");
  const text = `
    WITH fitting AS MATERIALIZED (
      SELECT event_id, starts_ms, ${tier} AS tier, ${distance} AS distance
      FROM event_search WHERE ${fitting})
    SELECT * FROM fitting WHERE ${conditions.take()} ORDER BY ${ORDERS[sort]} LIMIT ${limit}`;
  return { text, values: conditions.values };
}
