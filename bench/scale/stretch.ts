import type { BenchApi } from "../bench-api.ts";
import { runHttpLoad } from "../load/http-load.ts";
import { type LiveLoadResult, runLiveLoad } from "../load/live-load.ts";
import { consultOracle } from "../oracle/oracle.ts";
import { statusCheck } from "../report/checking.ts";
import type { Check, ServerFigures, Stream } from "../report/report.ts";
import type { BenchOptions, Progress } from "../scenario.ts";
import { openStage, type Stage } from "../stage.ts";
import { whileWatched } from "../while-watched.ts";
import type { Point } from "./axes.ts";

const FLOOR = 500_000;
const BUYERS = 64;
const SOCKETS = 8;
const IN_FLIGHT_PER_SOCKET = 32;
const OPENING_AT_ONCE = 8;
const WARM_UP_SHARE = 0.4;

export interface Stretch {
  readonly stream: Stream;
  readonly checks: readonly Check[];
  readonly serverFigures: ServerFigures | null;
  /** Share of the load's thread that was busy. */
  readonly busyShare: number;
}

/**
 * Holds at one point, against a server of its own. Of one event over HTTP, as `hold` does; of many
 * events in turn over a few WebSockets, as `hold-live` does, so that the load costs the same.
 */
export async function runStretch(
  point: Point,
  options: BenchOptions & { readonly durationSeconds: number },
  progress: Progress,
): Promise<Stretch> {
  const env = { SHARDS: String(point.shards), WORKERS: String(point.workers) };
  const stage = await openStage({ ...options, url: null }, progress, { env });
  try {
    const eventIds = await openEvents(stage.api, point, progress);
    const tokens = await stage.api.guestTokens(BUYERS);
    const load = loadOf(stage, { point, eventIds, tokens });
    progress("warming up");
    const warm = await load(options.durationSeconds * WARM_UP_SHARE, "warm", () => undefined);
    progress("measuring");
    const { result, serverFigures } = await whileWatched(stage, (begin) =>
      load(options.durationSeconds, "measured", begin),
    );
    const checks = await consultOracle(
      {
        api: stage.api,
        events: eventIds.map((eventId) => ({
          eventId,
          capacity: FLOOR + point.seats,
          seatIds: null,
        })),
        loads: [warm.findings, result.findings],
        holdTtlSeconds: null,
      },
      progress,
    );
    const [stream] = result.streams;
    if (stream === undefined) throw new Error("a load has a stream");
    const { busyShare } = result;
    const answered = statusCheck("holds", stream.statuses, [201]);
    return { stream, checks: [answered, ...checks], serverFigures, busyShare };
  } finally {
    await stage.close();
  }
}

interface Loaded {
  readonly point: Point;
  readonly eventIds: readonly string[];
  readonly tokens: readonly string[];
}

function loadOf(
  { url }: Stage,
  { point, eventIds, tokens }: Loaded,
): (seconds: number, keyPrefix: string, begun: () => void) => Promise<LiveLoadResult> {
  const [eventId = ""] = eventIds;
  const { connections } = point;
  if (eventIds.length === 1) {
    // Half of the floor each for the warm-up and for what counts.
    const flow = { kind: "hold", eventId, area: "floor", tokens, capacity: FLOOR / 2 } as const;
    return (seconds, _, counting) => runHttpLoad({ url, flow, connections, seconds, counting });
  }
  const common = { url, eventIds, tokens, sockets: SOCKETS, amount: null, ratePerSecond: null };
  const inFlightPerSocket = IN_FLIGHT_PER_SOCKET;
  return (durationSeconds, keyPrefix, begun) =>
    runLiveLoad({ ...common, inFlightPerSocket, durationSeconds, keyPrefix }, undefined, begun);
}

async function openEvents(
  api: BenchApi,
  { events, seats }: Point,
  progress: Progress,
): Promise<string[]> {
  const eventIds: string[] = [];
  const sold = { title: "Scaled", places: FLOOR, ...(seats === 0 ? {} : { seats }) };
  while (eventIds.length < events) {
    const more = Math.min(OPENING_AT_ONCE, events - eventIds.length);
    eventIds.push(...(await Promise.all(Array.from({ length: more }, () => api.openEvent(sold)))));
    if (eventIds.length % 1_000 === 0) progress(`${eventIds.length} of ${events} events`);
  }
  return eventIds;
}
