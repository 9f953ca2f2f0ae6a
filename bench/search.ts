/**
 * How long searches of a large catalogue take, over HTTP:
 *
 *   npm run bench:search                                  a million events, generated first
 *   npm run bench:search -- --events 100000
 *   npm run bench:search -- --data-dir /var/tmp/million   keeps the events for the next run
 *
 * The load (2 connections, one search at a time on each) comes from this process; most searches are
 * asked once, so what is kept of answers hardly helps. A sample of the answers is checked: they
 * must be what a look at every row finds. Exits with 1 when it is not so, or when the 95th
 * percentile of the mix is 50 ms or more.
 */
import assert from "node:assert/strict";
import { chmodSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { Agent, request as httpRequest } from "node:http";
import { cpus, tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { Client } from "pg";
import { parseSearchRequest } from "../gateway/catalogue/search/search-request.ts";
import { startEmbeddedPostgres } from "../gateway/embedded-postgres.ts";
import { migrate } from "../sql/migrate.ts";
import { startBenchServer } from "./bench-server.ts";
import { fillCatalogue } from "./catalogue/fill-catalogue.ts";
import { plainSearch } from "./catalogue/plain-search.ts";
import { progressLine } from "./catalogue/progress-line.ts";
import { type Search, SearchMix } from "./catalogue/search-mix.ts";

const WARM_UP = 500;
const MIX_P95_MS_MAX = 50;

const { values: given } = parseArgs({
  options: {
    events: { type: "string", default: "1000000" },
    searches: { type: "string", default: "6000" },
    connections: { type: "string", default: "2" },
    checks: { type: "string", default: "60" },
    "data-dir": { type: "string" },
  },
});

interface Answer {
  readonly status: number;
  readonly body: string;
  readonly ms: number;
}

const CONNECTIONS = Number(given.connections);
const agent = new Agent({ keepAlive: true, maxSockets: CONNECTIONS });

function get(url: string): Promise<Answer> {
  const startedMs = performance.now();
  return new Promise((resolve, reject) => {
    const sent = httpRequest(url, { agent }, (response) => {
      let body = "";
      response.setEncoding("utf8").on("data", (text: string) => {
        body += text;
      });
      response.once("error", reject);
      response.once("end", () => {
        resolve({ status: response.statusCode ?? 0, body, ms: performance.now() - startedMs });
      });
    });
    sent.once("error", reject);
    sent.end();
  });
}

async function load(url: string, mix: SearchMix, count: number): Promise<Map<string, number[]>> {
  const times = new Map<string, number[]>();
  let left = count;
  const searcher = async (): Promise<void> => {
    while (left > 0) {
      left -= 1;
      const { kind, query } = mix.next();
      const { status, body, ms } = await get(`${url}/api/v1/events?${query}`);
      assert.equal(status, 200, `${query}: ${body}`);
      const known = times.get(kind) ?? [];
      known.push(ms);
      times.set(kind, known);
    }
  };
  await Promise.all(Array.from({ length: CONNECTIONS }, searcher));
  return times;
}

function percentile(sorted: readonly number[], share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
}

function line(kind: string, times: readonly number[]): string {
  const sorted = times.toSorted((a, b) => a - b);
  const [p50, p95, p99] = [0.5, 0.95, 0.99].map((share) => percentile(sorted, share).toFixed(1));
  const count = String(times.length).padStart(6);
  return `${kind.padEnd(24)}${count}   p50 ${p50}   p95 ${p95}   p99 ${p99} ms`;
}

/** Misspelt words aside: what they mean is tested elsewhere. */
async function check(url: string, client: Client, mix: SearchMix, count: number): Promise<void> {
  for (let checked = 0; checked < count; ) {
    const { kind, query }: Search = mix.next();
    if (kind === "misspelt") continue;
    const { body } = await get(`${url}/api/v1/events?${query}`);
    const { data } = JSON.parse(body) as { data: { id: string }[] };
    const expected = await plainSearch(client, parseSearchRequest(query.toString()));
    assert.deepEqual(
      data.map(({ id }) => id),
      expected,
      query.toString(),
    );
    checked += 1;
  }
  console.log(`checked        ${count} answers are what a look at every row finds`);
}

async function run(directory: string): Promise<void> {
  const database = await startEmbeddedPostgres({ directory: join(directory, "postgres") });
  const client = new Client({ connectionString: database.url });
  try {
    await migrate(database.url);
    await client.connect();
    const events = await fill(client, Number(given.events));
    const server = await startBenchServer({ env: { DATABASE_URL: database.url } });
    try {
      const mix = await SearchMix.around(client, 1);
      await load(server.url, mix, WARM_UP);
      const startedMs = performance.now();
      const times = await load(server.url, mix, Number(given.searches));
      const seconds = (performance.now() - startedMs) / 1000;
      const all = [...times.values()].flat();
      console.log(`machine        ${cpus().length} × ${cpus()[0]?.model}, node ${process.version}`);
      console.log(`events         ${events}`);
      console.log(
        `searches/s     ${Math.round(all.length / seconds)} from ${CONNECTIONS} at a time`,
      );
      for (const [kind, ofKind] of times) console.log(line(kind, ofKind));
      console.log(line("all", all));
      await check(server.url, client, mix, Number(given.checks));
      const p95 = percentile(
        all.toSorted((a, b) => a - b),
        0.95,
      );
      assert.ok(p95 < MIX_P95_MS_MAX, `p95 of the mix is ${p95.toFixed(1)} ms`);
    } finally {
      await server.stop();
    }
  } finally {
    agent.destroy();
    await client.end();
    await database.stop();
  }
}

/** Generates what is missing; answers how many there are. */
async function fill(client: Client, wanted: number): Promise<number> {
  const { rows } = await client.query<{ count: number }>(
    "SELECT count(*)::integer AS count FROM event_search",
  );
  const known = rows[0]?.count ?? 0;
  const count = Math.max(0, wanted - known);
  if (count === 0) return known;
  const progress = progressLine("events", count);
  await fillCatalogue(client, { count, seed: 1 + known, nowMs: Date.now(), progress });
  console.log();
  return known + count;
}

const kept = given["data-dir"];
const directory = kept ?? mkdtempSync(join(tmpdir(), "evently-search-"));
mkdirSync(directory, { recursive: true });
// Where we are root, the database server's account is another.
chmodSync(directory, 0o755);
try {
  await run(directory);
} finally {
  if (kept === undefined) rmSync(directory, { recursive: true, force: true });
}
