import type { EventId } from "../../../engine/ids.ts";
import {
  SEARCH_GATHER_COST_MAX,
  SEARCH_GATHER_ROWS_MAX,
  SEARCH_TOTAL_TTL_MS,
  SEARCH_WALK_ROW_COST,
  SEARCH_WINDOW_ROWS,
} from "../../../engine/search-limits.ts";
import { systemClock } from "../../../workers/clock.ts";
import type { Queries } from "../../tenancy/database.ts";
import { encodeSearchCursor, TIERS } from "./search-cursor.ts";
import type { SearchRequest } from "./search-request.ts";
import {
  type FoundRow,
  gatherStatement,
  isByDegrees,
  isIndexed,
  rangeStatement,
  type SearchPlan,
  type SearchStatement,
  segmentsOf,
  walkStatement,
} from "./search-statements.ts";
import { readTerms, type SearchTerms } from "./search-terms.ts";

export interface SearchPage {
  readonly eventIds: readonly EventId[];
  readonly nextCursor: string | null;
}

const NOTHING: SearchPage = { eventIds: [], nextCursor: null };

export interface SearchBounds {
  /** Events that are looked at in the order of the answer before an index is taken. */
  readonly windowRows: number;
  /** Lists up to this length are collected from an index at once. */
  readonly gatherRowsMax: number;
  /** By relevance, those too that PostgreSQL takes to cost no more, in its own units. */
  readonly gatherCostMax: number;
  /** What collecting costs, as a multiple of what PostgreSQL believes. */
  readonly gatherCostFactor: number;
}

const BOUNDS: SearchBounds = {
  windowRows: SEARCH_WINDOW_ROWS,
  gatherRowsMax: SEARCH_GATHER_ROWS_MAX,
  gatherCostMax: SEARCH_GATHER_COST_MAX,
  gatherCostFactor: 1,
};

/** Searches the published events in PostgreSQL. */
export class EventSearch {
  readonly #rows: Queries;
  readonly #bounds: SearchBounds;
  readonly #now: () => number;
  #counted = 0;
  #countedMs = Number.NEGATIVE_INFINITY;

  /** `rows`: with a bound on the time of a statement. `now`: Unix ms. */
  constructor(rows: Queries, bounds: SearchBounds = BOUNDS, now: () => number = Date.now) {
    this.#rows = rows;
    this.#bounds = bounds;
    this.#now = now;
  }

  /** One page. Throws `busy`, and the database's errors. */
  async find(request: SearchRequest): Promise<SearchPage> {
    const { filter, sort, cursor, limit } = request;
    const terms = await readTerms(this.#rows, filter, cursor?.corrections ?? null);
    const eventsMax = eventsMaxOf(terms);
    if (eventsMax === 0) return NOTHING;
    const { windowRows, gatherRowsMax } = this.#bounds;
    const nowMs = this.#now();
    const plan: SearchPlan = { filter, sort, terms, cursor, limit: limit + 1, windowRows, nowMs };
    const found =
      eventsMax <= gatherRowsMax
        ? await this.#run(gatherStatement(plan))
        : sort === "relevance"
          ? await this.#byRelevance(plan)
          : await this.#inOrder(plan, null);
    return pageOf(request, terms, found);
  }

  /** What fits best is looked for first, and the rest only when that was not enough. */
  async #byRelevance(plan: SearchPlan): Promise<FoundRow[]> {
    const all = gatherStatement(plan);
    if ((await this.#estimate(all)).cost <= this.#bounds.gatherCostMax) return this.#run(all);
    const found: FoundRow[] = [];
    for (let tier = plan.cursor?.tier ?? 0; tier < TIERS && found.length < plan.limit; tier += 1) {
      found.push(...(await this.#inOrder({ ...plan, limit: plan.limit - found.length }, tier)));
    }
    return found;
  }

  /**
   * What is expected to cost less. A walk begins with a short one: what that found tells how far a
   * longer one would have to go, which nobody knew before.
   */
  async #inOrder(plan: SearchPlan, tier: number | null): Promise<FoundRow[]> {
    const { windowRows, limit } = plan;
    const whole = { ...plan, windowRows: null };
    if (!isIndexed(plan) || windowRows === null) return this.#walk(whole, tier);
    const isByDistance = plan.sort === "distance";
    const gather = gatherStatement(plan, tier === null ? undefined : { from: tier, to: tier });
    const total = await this.#total();
    const estimate = await this.#estimate(gather);
    const passed = await this.#passed(plan, total);
    const nearFactor = nearFactorOf(plan, total);
    const gatherCost = this.#bounds.gatherCostFactor * estimate.cost * Math.max(1, nearFactor);
    const stepsExpected = (limit * passed) / Math.max(1, estimate.rows * nearFactor);
    // What is near comes first by distance, however much there is farther away.
    if (!isByDistance && gatherCost < stepsExpected * SEARCH_WALK_ROW_COST)
      return this.#run(gather);
    const walked = await this.#walk(plan, tier);
    if (walked.length === limit) return walked;
    const stepsLeft = ((limit - walked.length) * windowRows) / (walked.length + 1);
    const isWalkCheaper = stepsLeft * SEARCH_WALK_ROW_COST < gatherCost;
    return isWalkCheaper ? this.#walk(whole, tier) : this.#run(gather);
  }

  /** Stops where the window ends, so that nothing is left out in between. */
  async #walk(plan: SearchPlan, tier: number | null): Promise<FoundRow[]> {
    const found: FoundRow[] = [];
    for (const segment of segmentsOf(plan)) {
      const rest = { ...plan, limit: plan.limit - found.length };
      // What goes on is few: its walk goes to the end.
      const windowed = segment === "ongoing" ? { ...rest, windowRows: null } : rest;
      if (rest.limit > 0) found.push(...(await this.#run(walkStatement(windowed, tier, segment))));
    }
    return found;
  }

  /** What PostgreSQL expects a statement to cost, in its own units, and of how many rows. */
  async #estimate({ text, values }: SearchStatement): Promise<{ cost: number; rows: number }> {
    const { rows } = await this.#rows.query<{ "QUERY PLAN": { Plan: PlanNode }[] }>(
      `EXPLAIN (FORMAT JSON) ${text}`,
      [...values],
    );
    const plan = rows[0]?.["QUERY PLAN"][0]?.Plan;
    if (plan === undefined) return { cost: 0, rows: 0 };
    const gathered = plan.Plans?.find((node) => node["Subplan Name"] === "CTE fitting") ?? plan;
    return { cost: plan["Total Cost"], rows: gathered["Plan Rows"] };
  }

  /** Events that a walk to the end passes, about. */
  async #passed(plan: SearchPlan, total: number): Promise<number> {
    const range = rangeStatement(plan);
    return range === null ? total : Math.min(total, (await this.#estimate(range)).rows);
  }

  /** Events that there are, about. */
  async #total(): Promise<number> {
    const monotonicMs = systemClock.monotonicMs();
    if (monotonicMs - this.#countedMs > SEARCH_TOTAL_TTL_MS) {
      this.#countedMs = monotonicMs;
      const everything = { text: "SELECT FROM event_search", values: [] };
      this.#counted = (await this.#estimate(everything)).rows;
    }
    return this.#counted;
  }

  async #run({ text, values }: SearchStatement): Promise<FoundRow[]> {
    const { rows } = await this.#rows.query<FoundRow>(text, [...values]);
    return rows;
  }
}

interface PlanNode {
  readonly "Total Cost": number;
  readonly "Plan Rows": number;
  readonly "Subplan Name"?: string;
  readonly Plans?: readonly PlanNode[];
}

/** Events that may fit. */
function eventsMaxOf({ words, keyedMax, nearMax }: SearchTerms): number {
  const unknown = Number.POSITIVE_INFINITY;
  return Math.min(words?.eventsMax ?? unknown, keyedMax ?? unknown, nearMax ?? unknown);
}

/** PostgreSQL takes every circle to have this share of the events, a street or a continent. */
const CIRCLE_SHARE = 0.001;

/** How many times more events are in the circle than PostgreSQL believes. */
function nearFactorOf(plan: SearchPlan, total: number): number {
  const { filter, terms } = plan;
  if (filter.near === null || isByDegrees(plan)) return 1;
  return (terms.nearMax ?? total) / Math.max(1, total * CIRCLE_SHARE);
}

function pageOf(
  request: SearchRequest,
  terms: SearchTerms,
  found: readonly FoundRow[],
): SearchPage {
  const rows = found.slice(0, request.limit);
  const last = rows.at(-1);
  const nextCursor =
    last === undefined || found.length <= request.limit
      ? null
      : encodeSearchCursor({
          listDigest: request.listDigest,
          tier: last.tier,
          distance: last.distance,
          startsMs: Number(last.starts_ms),
          eventId: last.event_id,
          corrections: terms.words?.corrections ?? new Map(),
        });
  return { eventIds: rows.map((row) => row.event_id as EventId), nextCursor };
}
