import { setTimeout as delay } from "node:timers/promises";
import { ACTOR_IDLE_MS, WATCH_IDLE_MS } from "../../engine/limits.ts";
import type { BenchApi, Tokens } from "../bench-api.ts";
import { runLiveLoad } from "../load/live-load.ts";
import { consultOracle } from "../oracle/oracle.ts";
import { check } from "../report/checking.ts";
import type { Check, Figure } from "../report/report.ts";
import type { BenchOptions, Findings, Progress, Scenario } from "../scenario.ts";
import { floorsOf, type Point } from "../soak/floors.ts";
import { MemorySamples } from "../soak/memory-samples.ts";
import { type RunningSoak, startSoak } from "../soak/soak-load.ts";
import { openStage, type Stage } from "../stage.ts";
import { whileWatched } from "../while-watched.ts";
import { IN_FLIGHT_PER_SOCKET } from "./hold-live.ts";

const SECONDS_DEFAULT = 600;
const SOCKETS_DEFAULT = 8;
const HOLD_TTL_SECONDS = 5;
const CAPACITY = 500_000;
/** An event is on sale for so long; then the next one is. */
const EVENT_SECONDS = 10;
/** Without a rate: holds for so long as fast as they go, and then a part of that. */
const TRIAL_SECONDS = 5;
const RATE_SHARE = 1 / 3;
/** A hold of the mix is followed by about one more request. */
const REQUESTS_PER_HOLD = 2.1;
/** A server finds its size first; actors stay for ACTOR_IDLE_MS after their last use. */
const JUDGED_SECONDS_MIN = 4 * (ACTOR_IDLE_MS / 1_000);
/** What memory may gain in a minute, as a part of what it was. */
const GROWTH_PER_MINUTE_MAX = 0.02;
/**
 * Actors of events that were used so long ago may not be there any more: the gateway's copy of what
 * was read of them goes first, and that it goes is a use of the actor.
 */
const ACTORS_SECONDS_MAX = (ACTOR_IDLE_MS + 1.25 * WATCH_IDLE_MS) / 1_000 + EVENT_SECONDS;

/**
 * One event after another is on sale for ten seconds, at a rate that the server can bear for ever:
 * holds, half of which are booked, half of those cancelled; others are given back, or end by
 * themselves. What an event leaves in memory (keys, bookings) has to go with its actor.
 */
export const soak: Scenario = {
  name: "soak",
  summary: "a steady mix for minutes: memory stays flat, and nothing is left behind",
  async run(options: BenchOptions, progress: Progress): Promise<Findings> {
    const stage = await openStage(options, progress);
    try {
      return await measure(stage, options, progress);
    } finally {
      await stage.close();
    }
  },
};

async function measure(stage: Stage, options: BenchOptions, progress: Progress): Promise<Findings> {
  const { api, url } = stage;
  const durationSeconds = options.durationSeconds ?? SECONDS_DEFAULT;
  const sockets = options.connections ?? SOCKETS_DEFAULT;
  const buyers = await api.guests(sockets);
  const { tokens } = buyers;
  const trial = () => trialRate(stage, tokens, Math.min(TRIAL_SECONDS, durationSeconds));
  const holdsPerSecond = options.ratePerSecond ?? (await trial()) * RATE_SHARE;
  const actorsBefore = await actorsOf(api);
  let held = 0;
  const load = { url, tokens, holdsPerSecond, seed: options.seed };
  const sale = startSoak(load, (count) => {
    progress(`${count - held} holds/s (${count})`);
    held = count;
  });
  const samples = new MemorySamples(api, stage.pid);
  try {
    const eventIds: string[] = [];
    const { result, ...watched } = await whileWatched(stage, async () => {
      await sellInTurn(api, { sale, durationSeconds, buyers, eventIds });
      return sale.end();
    });
    await samples.stop();
    await delay((HOLD_TTL_SECONDS + 1) * 1_000);
    const left = await leftCheck(api, { events: eventIds.length, actorsBefore });
    const oracle = await consultOracle(
      {
        api,
        events: eventIds.map((eventId) => ({ eventId, capacity: CAPACITY, seatIds: null })),
        loads: [result.findings],
        holdTtlSeconds: HOLD_TTL_SECONDS,
      },
      progress,
    );
    const isJudged = durationSeconds >= JUDGED_SECONDS_MIN;
    const memory = [
      memoryFinding("resident memory", samples.resident),
      memoryFinding("heaps of all threads", samples.heap),
    ];
    return {
      server: stage.server,
      ...watched,
      streams: result.streams,
      figures: [
        { name: "load thread busy", value: result.busyShare * 100, unit: "%" },
        { name: "due, never sent", value: result.neverSent, unit: "holds" },
        ...watched.figures,
        ...memory.flatMap(({ figures }) => figures),
      ],
      checks: [...(isJudged ? memory.map(({ verdict }) => verdict) : []), left, ...oracle],
      chosen: {
        connections: sockets,
        durationSeconds,
        ratePerSecond: Math.round(holdsPerSecond),
        events: eventIds.length,
        isMemoryJudged: isJudged,
      },
    };
  } finally {
    await samples.stop();
    await sale.stop();
  }
}

/** Holds a second that the mix could do, by a short stretch of holds alone. */
async function trialRate(
  { api, url }: Stage,
  tokens: readonly string[],
  durationSeconds: number,
): Promise<number> {
  const eventId = await openEvent(api);
  const { streams, seconds } = await runLiveLoad({
    url,
    eventIds: [eventId],
    tokens,
    sockets: tokens.length,
    inFlightPerSocket: IN_FLIGHT_PER_SOCKET,
    durationSeconds,
    amount: CAPACITY,
    ratePerSecond: null,
    keyPrefix: "trial",
  });
  return (streams[0]?.count ?? 0) / seconds / REQUESTS_PER_HOLD;
}

const openEvent = (api: BenchApi): Promise<string> =>
  api.openEvent({ title: "Soaked", places: CAPACITY, holdTtlSeconds: HOLD_TTL_SECONDS });

interface Selling {
  readonly sale: RunningSoak;
  readonly durationSeconds: number;
  /** The first; others come before the tokens of these end. */
  readonly buyers: Tokens;
  /** Grows with each event that is opened. */
  readonly eventIds: string[];
}

async function sellInTurn(
  api: BenchApi,
  { sale, durationSeconds, buyers, eventIds }: Selling,
): Promise<void> {
  let { renewAtMs } = buyers;
  const endMs = performance.now() + durationSeconds * 1_000;
  for (;;) {
    if (performance.now() >= renewAtMs) {
      const others = await api.guests(buyers.tokens.length);
      ({ renewAtMs } = others);
      sale.renew(others.tokens);
    }
    const eventId = await openEvent(api);
    eventIds.push(eventId);
    sale.sell(eventId);
    const leftMs = endMs - performance.now();
    await delay(Math.max(0, Math.min(EVENT_SECONDS * 1_000, leftMs)));
    if (leftMs <= EVENT_SECONDS * 1_000) return;
  }
}

/** Holds are gone, and actors of old events are; asked before the oracle wakes them up. */
async function leftCheck(
  api: BenchApi,
  { events, actorsBefore }: { readonly events: number; readonly actorsBefore: number },
): Promise<Check> {
  const actors = await actorsOf(api);
  const inUse = Math.min(events, Math.ceil(ACTORS_SECONDS_MAX / EVENT_SECONDS));
  const allowed = actorsBefore + inUse;
  const name = "actors of events that nobody uses have been let go";
  return check(name, actors <= allowed, `${actors} of ${events} events, ${allowed} may be there`);
}

const actorsOf = async (api: BenchApi): Promise<number> =>
  (await api.shards()).reduce((sum, { actorCount }) => sum + actorCount, 0);

function memoryFinding(name: string, points: readonly Point[]) {
  const floors = floorsOf(points);
  const figures: Figure[] =
    floors === null
      ? []
      : [
          { name: `${name}, least of the last quarter`, value: floors.after, unit: "MiB" },
          { name: `${name}, gains`, value: floors.perMinute, unit: "MiB a minute" },
        ];
  const allowed = (floors?.before ?? 0) * GROWTH_PER_MINUTE_MAX;
  const verdict = check(
    `${name}: the least of the last quarter is that of the third`,
    floors !== null && floors.perMinute <= allowed,
    floors === null
      ? "nobody knows it"
      : `${floors.before.toFixed(0)} and ${floors.after.toFixed(0)} MiB: ` +
          `${floors.perMinute.toFixed(2)} a minute, ${allowed.toFixed(1)} are allowed`,
  );
  return { figures, verdict };
}
