import { setTimeout as delay } from "node:timers/promises";
import { Client } from "pg";
import { BenchApi } from "../bench-api.ts";
import { Acknowledgements, unpacked } from "../load/acknowledgements.ts";
import type { FlowFindings } from "../load/flow.ts";
import { LiveCaller } from "../load/live-caller.ts";
import { type LiveLoadResult, runLiveLoad } from "../load/live-load.ts";
import { secondly } from "../measured-load.ts";
import { consultOracle } from "../oracle/oracle.ts";
import { check } from "../report/checking.ts";
import type { Check, Figure, JournalFigures, ServerFigures } from "../report/report.ts";
import { threadTable } from "../report/thread-table.ts";
import { RestartableServer, type Started } from "../restartable-server.ts";
import type { Scenario } from "../scenario.ts";
import { type BenchOptions, type Findings, type Progress, UsageError } from "../scenario.ts";
import { whileWatched } from "../while-watched.ts";
import { holdStatusCheck, IN_FLIGHT_PER_SOCKET } from "./hold-live.ts";

const FACTS_DEFAULT = 1_000_000;
const FACTS_MAX = 10_000_000;
const EVENTS_DEFAULT = 16;
const SOCKETS_DEFAULT = 8;
const BUYERS = 64;
/** Nothing of the tail may be refused for want of a database. */
const ENV = { UNPROJECTED_FACTS_MAX: "100000000", UNPROJECTED_MIB_MAX: "65536" };
/** For a frozen PostgreSQL to be frozen when the load begins. */
const FROZEN_MS = 200;
const BUSY = 503;
const RETRY_MS = 20;

/**
 * How long a start takes behind a long tail: PostgreSQL stands still (SIGSTOP) while so many holds
 * are acknowledged over WebSockets, so that the journal alone has them; then SIGKILL of the server,
 * PostgreSQL goes on, and the server is started again.
 */
export const recovery: Scenario = {
  name: "recovery",
  summary: "kill with a long tail that PostgreSQL lacks, and start again; then a clean start",
  extras: [{ name: "facts", value: "N", help: `facts in the tail; default: ${FACTS_DEFAULT}` }],
  async run(options: BenchOptions, progress: Progress): Promise<Findings> {
    if (options.url !== null) throw new UsageError("recovery kills its server: there is no --url");
    const amount = factsOf(options.extra);
    const server = await RestartableServer.make(ENV);
    try {
      return await measure(server, { ...options, amount }, progress);
    } finally {
      await server.remove();
    }
  },
};

function factsOf({ facts = String(FACTS_DEFAULT) }: BenchOptions["extra"]): number {
  const count = /^\d+$/.test(facts) ? Number(facts) : 0;
  if (count >= 1 && count <= FACTS_MAX) return count;
  throw new UsageError(`--facts is a whole number from 1 to ${FACTS_MAX}, not "${facts}"`);
}

async function measure(
  server: RestartableServer,
  options: BenchOptions & { readonly amount: number },
  progress: Progress,
): Promise<Findings> {
  const { amount } = options;
  const eventCount = options.events ?? EVENTS_DEFAULT;
  const sockets = options.connections ?? SOCKETS_DEFAULT;
  progress("a first start");
  await server.start();
  const api = new BenchApi(server.url);
  const capacity = 2 * Math.ceil(amount / eventCount) + 2_000;
  const eventIds: string[] = [];
  for (let n = 0; n < eventCount; n += 1) {
    eventIds.push(await api.openEvent({ title: `Event ${n + 1}`, places: capacity }));
  }
  const tokens = await api.guestTokens(BUYERS);
  const load = { url: server.url, eventIds, tokens, sockets, durationSeconds: null };
  const common = { ...load, inFlightPerSocket: IN_FLIGHT_PER_SOCKET, ratePerSecond: null };
  // Every actor is in memory before PostgreSQL stands still.
  const warm = await runLiveLoad({ ...common, amount: eventCount * 20, keyPrefix: "warm" });
  const isEven = await api.isProjectedWithin(60);
  server.freezePostgres();
  await delay(FROZEN_MS);
  progress(`PostgreSQL is frozen; ${amount} holds`);
  const watched = await whileWatched({ ...watchedOf(server), api }, (begin) =>
    runLiveLoad({ ...common, amount, keyPrefix: "tail" }, secondly(progress), begin),
  );
  const { result: tail, serverFigures, journal } = watched;
  const lacking = await lagOf(api);
  const tailBytes = server.journalBytes;
  await server.kill9();
  server.thawPostgres();
  progress("killed; PostgreSQL goes on; starting again");
  const found = await afterKill(server, { eventIds, tokens, progress });
  const loads = [warm.findings, tail.findings, found.findings];
  const events = eventIds.map((eventId) => ({ eventId, capacity, seatIds: null }));
  const verdict = { api, events, loads, holdTtlSeconds: null };
  const stored = await storedCheck(server.databaseUrl, loads);
  const oracle = await consultOracle(verdict, progress);
  progress("a clean stop, and a clean start");
  const stopMs = await server.stop();
  const clean = await server.start();
  const again = await consultOracle(verdict, progress);
  return {
    server: "evently",
    streams: tail.streams,
    figures: [
      ...figuresOf({ tail, journal, tailBytes, lacking, found, stopMs, clean }),
      ...watched.figures,
    ],
    tables: [
      threadTable(
        "processor time until ready, s",
        [
          { head: "after SIGKILL", runs: runsOf(found.times) },
          { head: "clean start", runs: runsOf(clean) },
        ],
        (cores, { seconds }) => cores * seconds,
      ),
    ],
    serverFigures,
    journal,
    checks: [
      holdStatusCheck([warm, tail]),
      check(
        "PostgreSQL lacked the whole tail when the server was killed",
        isEven && lacking >= amount,
        `${lacking} of ${amount} facts`,
      ),
      stored,
      ...oracle,
      ...again.map(({ name, ...rest }) => ({ name: `after a clean start: ${name}`, ...rest })),
    ],
    chosen: { connections: sockets, events: eventCount, facts: amount },
  };
}

const watchedOf = ({ pid, postgresPid }: RestartableServer) => ({ pid, postgresPid });

/** Facts that PostgreSQL lacks, all shards together. */
async function lagOf(api: BenchApi): Promise<number> {
  return (await api.shards()).reduce((sum, { projectionLagFacts }) => sum + projectionLagFacts, 0);
}

interface AfterKill {
  readonly times: Started;
  /** Ms from the start of the process until every event has sold again. */
  readonly sellingMs: number;
  /** Ms from the start of the process until PostgreSQL had all, also what was sold since. */
  readonly projectedMs: number;
  readonly findings: FlowFindings;
}

async function afterKill(
  server: RestartableServer,
  {
    eventIds,
    tokens,
    progress,
  }: {
    readonly eventIds: readonly string[];
    readonly tokens: readonly string[];
    readonly progress: Progress;
  },
): Promise<AfterKill> {
  const startMs = performance.now();
  const times = await server.start();
  progress(`ready after ${(times.readyMs / 1_000).toFixed(2)} s`);
  const caller = await LiveCaller.open({ url: server.url, token: tokens[0] ?? "" });
  const ids = await Promise.all(eventIds.map((eventId) => holdUntilTaken(caller, eventId)));
  const sellingMs = performance.now() - startMs;
  caller.close();
  const api = new BenchApi(server.url);
  await api.isProjectedWithin(600);
  const projectedMs = performance.now() - startMs;
  return { times, sellingMs, projectedMs, findings: findingsOf(ids) };
}

/** Repeats a hold while the server is `busy`; returns its id. */
async function holdUntilTaken(caller: LiveCaller, eventId: string): Promise<string> {
  for (;;) {
    const { status, id } = await new Promise<{ status: number; id: string }>((resolve) => {
      const fields = `"eventId":"${eventId}","items":[{"area":"floor","quantity":1}]`;
      caller.request("hold", fields, (reply) => {
        resolve({ status: reply.status, id: reply.bodyId });
      });
    });
    if (status === 201) return id;
    if (status !== BUSY) throw new Error(`a hold after the start was answered by ${status}`);
    await delay(RETRY_MS);
  }
}

function findingsOf(ids: readonly string[]): FlowFindings {
  const acknowledged = new Acknowledgements();
  for (const [event, id] of ids.entries()) acknowledged.held({ id, event, places: [-1] });
  return { acknowledged: acknowledged.pack(), faults: [], counts: {} };
}

/** The one check that needs the database itself: hold by hold, and not their number alone. */
async function storedCheck(databaseUrl: string, loads: readonly FlowFindings[]): Promise<Check> {
  const client = new Client({ connectionString: databaseUrl });
  await client.connect();
  try {
    const { rows } = await client.query<{ ids: Buffer }>(
      "SELECT string_agg(uuid_send(id), '') AS ids FROM holds WHERE status = 'active'",
    );
    const stored = new Set<string>();
    const bytes = rows[0]?.ids ?? Buffer.alloc(0);
    for (let at = 0; at < bytes.length; at += 16) stored.add(bytes.toString("latin1", at, at + 16));
    let [acknowledged, missing] = [0, 0];
    for (const { holds } of loads.map(({ acknowledged }) => acknowledged)) {
      for (const { id } of unpacked(holds)) {
        acknowledged += 1;
        const key = Buffer.from(id.replaceAll("-", ""), "hex").toString("latin1");
        if (!stored.has(key)) missing += 1;
      }
    }
    return check(
      "every acknowledged hold is in the database, and no other",
      missing === 0 && stored.size === acknowledged,
      `${acknowledged} acknowledged, ${stored.size} stored, ${missing} missing`,
    );
  } finally {
    await client.end();
  }
}

interface Measured {
  readonly tail: LiveLoadResult;
  /** Of the tail, as it was written. */
  readonly journal: JournalFigures | null;
  readonly tailBytes: number;
  readonly lacking: number;
  readonly found: AfterKill;
  readonly stopMs: number;
  readonly clean: Started;
}

function figuresOf(measured: Measured): Figure[] {
  const { tail, journal, tailBytes, lacking, found, stopMs, clean } = measured;
  const { times, sellingMs, projectedMs } = found;
  const seconds = (name: string, ms: number): Figure => ({ name, value: ms / 1_000, unit: "s" });
  return [
    { name: "facts in the tail", value: lacking, unit: "facts, by real load" },
    ...(journal === null
      ? []
      : [{ name: "tail in the journal", value: journal.bytes / 2 ** 20, unit: "MiB" }]),
    { name: "journal's files when killed", value: tailBytes / 2 ** 20, unit: "MiB" },
    { name: "load thread busy", value: tail.busyShare * 100, unit: "%" },
    seconds("after SIGKILL: answers probes", times.listeningMs),
    seconds("after SIGKILL: ready", times.readyMs),
    seconds("after SIGKILL: every event sells", sellingMs),
    seconds("after SIGKILL: all is projected", projectedMs),
    {
      name: "tail projected, until ready",
      value: (lacking * 1_000) / times.readyMs,
      unit: "facts/s",
    },
    ...memoryOf("after SIGKILL", times),
    seconds("clean stop", stopMs),
    seconds("clean start, PostgreSQL up: ready", clean.readyMs),
    ...memoryOf("clean start", clean),
  ];
}

const runsOf = ({ figures }: Started): ServerFigures[] => (figures === null ? [] : [figures]);

function memoryOf(name: string, { figures }: Started): Figure[] {
  if (figures === null) return [];
  const { peak, end } = figures.memoryMib;
  return [
    { name: `${name}: memory, most until ready`, value: peak, unit: "MiB" },
    { name: `${name}: memory when ready`, value: end, unit: "MiB" },
  ];
}
