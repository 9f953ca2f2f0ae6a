/** Every search is answered from an index: asked of PostgreSQL's own planner. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { Client, type QueryConfig } from "pg";
import { fillCatalogue } from "../../bench/catalogue/fill-catalogue.ts";
import { SEARCH_WINDOW_ROWS } from "../../engine/search-limits.ts";
import { parseSearchRequest } from "../../gateway/catalogue/search/search-request.ts";
import {
  gatherStatement,
  type SearchPlan,
  type SearchStatement,
  walkStatement,
} from "../../gateway/catalogue/search/search-statements.ts";
import { readTerms } from "../../gateway/catalogue/search/search-terms.ts";
import type { Queries } from "../../gateway/tenancy/database.ts";
import { NOBODY } from "../../gateway/tenancy/scope.ts";
import { createTestDatabase, type TestDatabase } from "../support/database.ts";
import { type GatewayDatabase, openGatewayDatabase } from "../support/gateway-database.ts";

const EVENTS = 20_000;

let database: TestDatabase;
let gateway: GatewayDatabase;
let rows: Queries;

before(async () => {
  database = await createTestDatabase();
  const client = new Client({ connectionString: database.url });
  await client.connect();
  await fillCatalogue(client, { count: EVENTS, seed: 1, nowMs: Date.now() });
  await client.end();
  gateway = openGatewayDatabase(database.url, 1);
  rows = gateway.database.in(NOBODY);
});

after(async () => {
  await gateway.end();
  await database.drop();
});

interface PlanNode {
  readonly "Node Type": string;
  readonly "Relation Name"?: string;
  readonly "Index Name"?: string;
  readonly "Index Cond"?: string;
  readonly Plans?: readonly PlanNode[];
}

const nodesOf = (node: PlanNode): PlanNode[] => [node, ...(node.Plans ?? []).flatMap(nodesOf)];

/** What the statement does; fails where it reads the whole table. */
async function nodesOfPlan({ text, values }: SearchStatement, what: string): Promise<PlanNode[]> {
  const { rows: plans } = await rows.query<{ "QUERY PLAN": { Plan: PlanNode }[] }>(
    `EXPLAIN (FORMAT JSON) ${text}`,
    [...values],
  );
  const plan = plans[0]?.["QUERY PLAN"][0]?.Plan;
  assert.ok(plan !== undefined);
  const nodes = nodesOf(plan);
  const whole = nodes.filter((node) => node["Node Type"] === "Seq Scan");
  assert.deepEqual(whole, [], `${what} reads a whole table: ${JSON.stringify(plan)}`);
  return nodes;
}

/** The indexes that the statement reads. */
async function indexesOf(statement: SearchStatement, what: string): Promise<Set<string>> {
  const nodes = await nodesOfPlan(statement, what);
  return new Set(nodes.flatMap((node) => node["Index Name"] ?? []));
}

async function planOf(query: string): Promise<SearchPlan> {
  const { filter, sort, cursor, limit } = parseSearchRequest(query);
  const terms = await readTerms(rows, filter, null);
  return { filter, sort, terms, cursor, limit, windowRows: SEARCH_WINDOW_ROWS, nowMs: Date.now() };
}

const DAY = "from=2026-09-01&to=2026-09-02";

/** Searches that find little, and the index that finds it. */
const GATHERED: readonly (readonly [query: string, index: string])[] = [
  ["q=dresden", "event_search_terms"],
  ["q=dresd", "event_search_terms"],
  ["q=jazz+dresden", "event_search_terms"],
  ["q=jaz+dresdn", "event_search_terms"],
  ["q=dresden+b", "event_search_terms"],
  ["q=jazz+dresden+o&sort=startsAt", "event_search_terms"],
  ["q=uraufführung+jena&sort=startsAt", "event_search_terms"],
  ["q=konzert+bayreuth&category=music&available=true", "event_search_terms"],
  ["city=Jena", "event_search_terms"],
  ["city=Jena&category=music", "event_search_terms"],
  ["tag=organ&city=Weimar", "event_search_terms"],
  ["tag=organ&city=Weimar&maxPrice=2000", "event_search_terms"],
  ["category=talk&tag=history&city=Kiel&available=true", "event_search_terms"],
  ["near=50.98,11.33&radiusKm=10", "event_search_place"],
  ["near=50.98,11.33&radiusKm=10&sort=distance", "event_search_place"],
  ["near=50.98,11.33&radiusKm=10&available=true&maxPrice=3000", "event_search_place"],
  ["near=50.98,11.33&radiusKm=10&category=talk", "event_search_terms"],
  ["near=50.98,11.33&radiusKm=10&q=lesung&sort=distance", "event_search_terms"],
  ["minPrice=37000", "event_search_price_max"],
  ["maxPrice=10&minPrice=1", "event_search_price_min"],
];

test("searches that find little are collected from the index that finds it", async () => {
  for (const [query, index] of GATHERED) {
    const indexes = await indexesOf(gatherStatement(await planOf(query)), query);
    assert.ok(indexes.has(index), `${query} takes ${[...indexes]}`);
  }
});

/** Searches that find much: events are looked at in the order of the answer. */
const WALKED: readonly (readonly [query: string, index: string])[] = [
  ["", "event_search_by_start"],
  ["available=true", "event_search_by_start"],
  [`${DAY}`, "event_search_by_start"],
  [`category=music&${DAY}&available=true`, "event_search_by_start"],
  ["category=music", "event_search_by_start"],
  ["tag=jazz&maxPrice=5000", "event_search_by_start"],
  ["q=konzert", "event_search_by_start"],
  ["q=konzert&sort=startsAt", "event_search_by_start"],
  ["q=konzert+o", "event_search_by_start"],
  ["near=52.52,13.4&radiusKm=500", "event_search_by_start"],
  ["near=52.52,13.4&radiusKm=500&sort=distance", "event_search_place"],
  ["near=52.52,13.4&radiusKm=20000&sort=distance&q=konzert", "event_search_place"],
  ["near=52.52,13.4&category=music&sort=distance&available=true", "event_search_place"],
];

test("searches that find much walk along the order of the answer", async () => {
  for (const [query, index] of WALKED) {
    const plan = await planOf(query);
    const tiers = plan.sort === "relevance" ? [0, 1, 2, 3] : [null];
    for (const tier of tiers) {
      const indexes = await indexesOf(walkStatement(plan, tier), query);
      assert.deepEqual([...indexes], [index], query);
    }
  }
});

test("a last letter is looked for only in events that have the other words", async () => {
  for (const query of ["q=dresden+b", "q=dresden+b&sort=startsAt"]) {
    const nodes = await nodesOfPlan(gatherStatement(await planOf(query)), query);
    const conditions = nodes.flatMap((node) => node["Index Cond"] ?? []);
    assert.match(conditions.join(), /dresden/);
    assert.doesNotMatch(conditions.join(), /'b':\*/);
  }
});

test("a page further down begins where the one before it ended", async () => {
  const eventId = "018f3c9a-7b10-7000-8000-000000000001";
  const cursor = { tier: 1, distance: 0.01, startsMs: Date.now() + 200 * 864e5, eventId };
  for (const [query] of WALKED) {
    const plan = { ...(await planOf(query)), cursor };
    await indexesOf(walkStatement(plan, plan.sort === "relevance" ? 1 : null), query);
  }
  for (const [query, index] of GATHERED) {
    const plan = { ...(await planOf(query)), cursor };
    const indexes = await indexesOf(gatherStatement(plan), query);
    assert.ok(indexes.has(index), `${query} takes ${[...indexes]}`);
  }
});

test("words, names and likely misspellings are looked up by their indexes", async () => {
  await rows.query("SET enable_seqscan = off");
  const seen: string[] = [];
  const spy: Queries = {
    async query<Row extends object>(statement: string | QueryConfig, values?: readonly unknown[]) {
      const config = typeof statement === "string" ? { text: statement, values } : statement;
      const { rows: lines } = await rows.query<{ "QUERY PLAN": string }>(
        `EXPLAIN ${config.text}`,
        config.values,
      );
      seen.push(lines.map((line) => line["QUERY PLAN"]).join("\n"));
      return rows.query<Row>(statement, values);
    },
  };
  await readTerms(spy, parseSearchRequest("q=konzrt+dre&city=Jena").filter, null);
  const [terms = "", typos = ""] = seen;
  assert.match(terms, /search_words_pkey/);
  assert.match(terms, /search_keys_pkey/);
  assert.match(typos, /search_words_deletes/);
  assert.doesNotMatch(terms + typos, /Seq Scan/);
});
