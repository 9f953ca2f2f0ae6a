import { chmodSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { Agent, request as httpRequest } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Client } from "pg";
import { parseSearchRequest } from "../../gateway/catalogue/search/search-request.ts";
import { startEmbeddedPostgres } from "../../gateway/embedded-postgres.ts";
import { migrate } from "../../sql/migrate.ts";
import { startBenchServer } from "../bench-server.ts";
import { fillCatalogue } from "../catalogue/fill-catalogue.ts";
import { plainSearch } from "../catalogue/plain-search.ts";
import { type Search, SearchMix } from "../catalogue/search-mix.ts";
import { endsWith } from "../clean-up.ts";
import { wholeExtra } from "../command-line.ts";
import { LatencyRecord, StreamRecord } from "../load/stream-record.ts";
import type { Check, Stream } from "../report/report.ts";
import type { BenchOptions, Findings, Progress, Scenario } from "../scenario.ts";
import { UsageError } from "../scenario.ts";
import { ServerWatch } from "../server-figures.ts";

const WARM_UP = 500;
const MIX_P95_MS_MAX = 50;
const PROGRESS_EVENTS = 10_000;

const CONNECTIONS_DEFAULT = 2;
const EVENTS_DEFAULT = 1_000_000;
const SEARCHES_DEFAULT = 6_000;
const CHECKS_DEFAULT = 60;
/** All kinds together, beside the kinds. */
const ALL = "all searches";

interface Answer {
  readonly status: number;
  readonly body: string;
  readonly ms: number;
}

function get(agent: Agent, url: string): Promise<Answer> {
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

interface Searcher {
  readonly url: string;
  readonly agent: Agent;
  readonly mix: SearchMix;
}

/** Times of each kind, and of all together. */
class SearchRecords {
  readonly #startMs = performance.now();
  readonly #records = new Map<string, StreamRecord>();
  readonly #all = new LatencyRecord();
  readonly #loop = performance.eventLoopUtilization();

  add(kind: string, { status, ms }: Answer): void {
    const answer = { status, ms, atMs: performance.now() - this.#startMs };
    this.#all.add(ms);
    for (const name of [ALL, kind]) {
      const record = this.#records.get(name) ?? new StreamRecord(name, false);
      this.#records.set(name, record);
      record.add(answer);
    }
  }

  ended(): Searched {
    const seconds = (performance.now() - this.#startMs) / 1_000;
    const streams = [...this.#records.values()].flatMap((record) => record.streams(seconds));
    const { utilization } = performance.eventLoopUtilization(this.#loop);
    return { streams, p95Ms: this.#all.percentileMs(95), busyShare: utilization };
  }
}

interface Searched {
  readonly streams: readonly Stream[];
  /** Of all searches. */
  readonly p95Ms: number;
  /** Of the searchers' thread, 0 to 1. */
  readonly busyShare: number;
}

/** `connections` searchers, each with one search at a time, until `count` were asked. */
async function load(
  { url, agent, mix }: Searcher,
  { count, connections }: { count: number; connections: number },
): Promise<Searched> {
  const records = new SearchRecords();
  let left = count;
  const search = async (): Promise<void> => {
    while (left > 0) {
      left -= 1;
      const { kind, query } = mix.next();
      records.add(kind, await get(agent, `${url}/api/v1/events?${query}`));
    }
  };
  await Promise.all(Array.from({ length: connections }, search));
  return records.ended();
}

/** Misspelt words aside: what they mean is tested elsewhere. */
async function check({ url, agent, mix }: Searcher, client: Client, count: number): Promise<Check> {
  const objections: string[] = [];
  for (let checked = 0; checked < count; ) {
    const { kind, query }: Search = mix.next();
    if (kind === "misspelt") continue;
    const { body } = await get(agent, `${url}/api/v1/events?${query}`);
    const { data } = JSON.parse(body) as { data?: { id: string }[] };
    const found = (data ?? []).map(({ id }) => id).join(" ");
    const expected = await plainSearch(client, parseSearchRequest(query.toString()));
    if (found !== expected.join(" ")) objections.push(query.toString());
    checked += 1;
  }
  return {
    name: "answers are what a look at every row finds",
    ok: objections.length === 0,
    detail: objections.slice(0, 5).join("; ") || `${count} looked at`,
  };
}

interface Wanted {
  readonly directory: string;
  readonly events: number;
  readonly connections: number;
  readonly searches: number;
  readonly checks: number;
}

async function run(wanted: Wanted, progress: Progress): Promise<Findings> {
  const { directory, connections } = wanted;
  progress("starting PostgreSQL");
  const database = await startEmbeddedPostgres({ directory: join(directory, "postgres") });
  const stopDatabase = endsWith(() => database.stop());
  const client = new Client({ connectionString: database.url });
  // It ends with the database, when we are interrupted.
  client.on("error", () => undefined);
  const agent = new Agent({ keepAlive: true, maxSockets: connections });
  try {
    await migrate(database.url);
    await client.connect();
    const events = await fill(client, wanted.events, progress);
    const server = await startBenchServer({ env: { DATABASE_URL: database.url } });
    try {
      const searcher = { url: server.url, agent, mix: await SearchMix.around(client, 1) };
      progress("warming up");
      await load(searcher, { count: WARM_UP, connections });
      progress("searching");
      const watch = ServerWatch.start(server.pid, database.pid);
      const count = wanted.searches;
      const { streams, p95Ms, busyShare } = await load(searcher, { count, connections });
      const serverFigures = watch?.stop() ?? null;
      progress("checking");
      const checks = [answered(streams), aim(p95Ms), await check(searcher, client, wanted.checks)];
      const { searches } = wanted;
      const chosen = { events, connections, searches };
      return {
        server: "evently",
        streams,
        figures: [{ name: "load thread busy", value: busyShare * 100, unit: "%" }],
        serverFigures,
        journal: null,
        checks,
        chosen,
      };
    } finally {
      await server.stop();
    }
  } finally {
    agent.destroy();
    await client.end();
    await stopDatabase();
  }
}

function answered(streams: readonly Stream[]): Check {
  const statuses = streams.flatMap((stream) => Object.entries(stream.statuses));
  const others = statuses.filter(([status]) => status !== "200");
  const detail = others.map(([status, count]) => `${status}: ${count}`).join(", ");
  return {
    name: "every search was answered 200",
    ok: others.length === 0,
    detail: detail || "all",
  };
}

function aim(p95Ms: number): Check {
  const name = `95 % of all searches took less than ${MIX_P95_MS_MAX} ms`;
  return { name, ok: p95Ms < MIX_P95_MS_MAX, detail: `p95 ${p95Ms.toFixed(1)} ms` };
}

/** Generates what is missing; answers how many there are. */
async function fill(client: Client, wanted: number, tell: Progress): Promise<number> {
  const { rows } = await client.query<{ count: number }>(
    "SELECT count(*)::integer AS count FROM event_search",
  );
  const known = rows[0]?.count ?? 0;
  const count = Math.max(0, wanted - known);
  if (count === 0) return known;
  const progress = (made: number): void => {
    if (made % PROGRESS_EVENTS === 0 || made === count) tell(`${made} of ${count} events`);
  };
  await fillCatalogue(client, { count, seed: 1 + known, nowMs: Date.now(), progress });
  return known + count;
}

/**
 * How long searches of a large catalogue take, over HTTP. The load (few connections, one search at
 * a time on each) comes from this process; most searches are asked once, so what is kept of answers
 * hardly helps. A sample of the answers is checked: they must be what a look at every row finds.
 */
export const search: Scenario = {
  name: "search",
  summary: "searches of a catalogue of a million events, which are generated first",
  extras: [
    { name: "data-dir", value: "DIR", help: "keeps the events for the next run" },
    { name: "searches", value: "N", help: "that are timed; default: 6000" },
    { name: "checks", value: "N", help: "answers that are checked; default: 60" },
  ],
  async run(options: BenchOptions, progress: Progress): Promise<Findings> {
    const { url, connections, events, extra } = options;
    if (url !== null) throw new UsageError("search needs a database of its own: no --url");
    const wanted = {
      connections: connections ?? CONNECTIONS_DEFAULT,
      events: events ?? EVENTS_DEFAULT,
      searches: wholeExtra(extra, "searches", SEARCHES_DEFAULT),
      checks: wholeExtra(extra, "checks", CHECKS_DEFAULT),
    };
    const kept = extra["data-dir"];
    const directory = kept ?? mkdtempSync(join(tmpdir(), "evently-search-"));
    const remove = endsWith(async () => {
      if (kept === undefined) rmSync(directory, { recursive: true, force: true });
    });
    mkdirSync(directory, { recursive: true });
    // Where we are root, the database server's account is another.
    chmodSync(directory, 0o755);
    try {
      return await run({ ...wanted, directory }, progress);
    } finally {
      await remove();
    }
  },
};
