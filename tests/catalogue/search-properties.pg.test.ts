import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { Client, Pool } from "pg";
import { fillCatalogue } from "../../bench/catalogue/fill-catalogue.ts";
import { RandomSource } from "../../bench/catalogue/random-source.ts";
import { EventSearch, type SearchBounds } from "../../gateway/catalogue/search/event-search.ts";
import { parseSearchRequest } from "../../gateway/catalogue/search/search-request.ts";
import { NOBODY } from "../../gateway/tenancy/scope.ts";
import { createTestDatabase, type TestDatabase } from "../support/database.ts";
import { type GatewayDatabase, openGatewayDatabase } from "../support/gateway-database.ts";
import { naiveSearch, type PlainEvent, readPlainEvents } from "./naive-search.ts";

const EVENTS = 1_200;
const SEARCHES = 150;
const SEED = Number(process.env.EVENTLY_SEED ?? 20_260_727);

let database: TestDatabase;
let gateway: GatewayDatabase;
let events: PlainEvent[];

before(async () => {
  database = await createTestDatabase();
  const client = new Client({ connectionString: database.url });
  await client.connect();
  await fillCatalogue(client, { count: EVENTS, seed: 1, nowMs: Date.now() });
  await client.end();
  const pool = new Pool({ connectionString: database.url, max: 1 });
  events = await readPlainEvents(pool);
  await pool.end();
  gateway = openGatewayDatabase(database.url, 2);
});

after(async () => {
  await gateway.end();
  await database.drop();
});

/** Parameters around what some event is, so that most searches find something. */
function anyQuery(random: RandomSource): URLSearchParams {
  const query = new URLSearchParams();
  const event = random.pick(events);
  const maybe = (chance: number, name: string, value: () => string): void => {
    if (random.chance(chance)) query.set(name, value());
  };
  const word = (): string => {
    const one = random.pick(random.pick([event.title, event.head, event.all]));
    return random.chance(0.3) && one.length > 3 ? one.slice(0, random.integer(1, 3)) : one;
  };
  maybe(0.5, "q", () => (random.chance(0.4) ? `${random.pick(event.all)} ${word()}` : word()));
  maybe(0.3, "category", () => event.category.toUpperCase());
  maybe(0.15, "tag", () => random.pick(event.tags));
  maybe(0.2, "city", () => event.city);
  maybe(0.05, "organizationId", () => event.organizationId);
  maybe(0.1, "currency", () => event.currency);
  maybe(0.3, "from", () => new Date(event.startsMs - random.integer(0, 90) * 864e5).toISOString());
  maybe(0.3, "to", () => new Date(event.startsMs + random.integer(1, 90) * 864e5).toISOString());
  maybe(0.2, "minPrice", () => String(Math.max(0, (event.prices[0] ?? 0) - 500)));
  maybe(0.2, "maxPrice", () => String((event.prices.at(-1) ?? 0) + random.integer(0, 2_000)));
  maybe(0.3, "available", () => random.pick(["true", "false"]));
  if (random.chance(0.4)) {
    query.set("near", `${event.lat + random.next() - 0.5},${event.lng + random.next() - 0.5}`);
    maybe(0.8, "radiusKm", () => String(random.pick([5, 50, 300, 3_000, 20_038])));
  }
  const sorts = ["startsAt"];
  if (query.has("q")) sorts.push("relevance");
  if (query.has("near")) sorts.push("distance");
  maybe(0.8, "sort", () => random.pick(sorts));
  return query;
}

/** All pages one after the other. */
async function walkThrough(search: EventSearch, query: URLSearchParams): Promise<string[]> {
  const ids: string[] = [];
  for (let cursor: string | null = ""; cursor !== null; ) {
    const text = `${query}${cursor === "" ? "" : `&cursor=${cursor}`}`;
    const page = await search.find(parseSearchRequest(text));
    ids.push(...page.eventIds);
    cursor = page.nextCursor;
  }
  return ids;
}

/** The ways in which lists are read; of 1,200 events each must be made to be taken. */
const SMALL = { windowRows: 100, gatherRowsMax: 0, gatherCostMax: 0 };
const WAYS: Readonly<Record<string, SearchBounds>> = {
  "as it comes": {
    windowRows: 2_000,
    gatherRowsMax: 5_000,
    gatherCostMax: 6_000,
    gatherCostFactor: 1,
  },
  walking: { ...SMALL, gatherCostFactor: 1_000 },
  "walking, then collecting": { ...SMALL, windowRows: 30, gatherCostFactor: 3 },
  "by turns": { windowRows: 30, gatherRowsMax: 60, gatherCostMax: 120, gatherCostFactor: 1 },
};

for (const [way, bounds] of Object.entries(WAYS)) {
  test(`a search finds what looking at every event finds, page by page: ${way}`, async (t) => {
    t.diagnostic(`repeat with EVENTLY_SEED=${SEED}`);
    const random = new RandomSource(SEED);
    const search = new EventSearch(gateway.database.in(NOBODY), bounds);
    let found = 0;
    for (let n = 0; n < SEARCHES; n += 1) {
      const query = anyQuery(random);
      query.set("limit", String(random.pick([7, 20, 100])));
      const { filter, sort } = parseSearchRequest(query.toString());
      const expected = naiveSearch(events, filter, sort);
      assert.deepEqual(await walkThrough(search, query), expected, `${query} (seed ${SEED})`);
      found += Math.min(1, expected.length);
    }
    assert.ok(found > SEARCHES / 2, `only ${found} searches found anything`);
  });
}
