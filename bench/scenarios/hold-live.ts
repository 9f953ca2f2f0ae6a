import { CAPACITY } from "../bench-api.ts";
import { type LiveLoadOptions, type LiveLoadResult, runLiveLoad } from "../load/live-load.ts";
import { secondly } from "../measured-load.ts";
import { consultOracle } from "../oracle/oracle.ts";
import { statusCheck } from "../report/checking.ts";
import type { BenchOptions, Findings, Progress, Scenario } from "../scenario.ts";
import { openStage } from "../stage.ts";
import { whileWatched } from "../while-watched.ts";

const SOCKETS_DEFAULT = 8;
/** With the default of sockets 256 in flight, which no overload control minds. */
export const IN_FLIGHT_PER_SOCKET = 32;
const SECONDS_DEFAULT = 10;
const WARM_UP_SHARE = 0.3;
const WARM_UP_SECONDS_MAX = 5;
/** A buyer may have 100,000 places. */
const BUYERS = 32;

/** The same as `hold`, through the second door. */
export const holdLive: Scenario = {
  name: "hold-live",
  summary: "the same holds over a few WebSockets, many in flight on each",
  async run(options: BenchOptions, progress: Progress): Promise<Findings> {
    const sockets = options.connections ?? SOCKETS_DEFAULT;
    const durationSeconds = options.durationSeconds ?? SECONDS_DEFAULT;
    const { ratePerSecond } = options;
    const stage = await openStage(options, progress);
    try {
      const { url, api } = stage;
      const eventId = await api.openFloor();
      const tokens = await api.guestTokens(BUYERS);
      const common = { url, eventIds: [eventId], tokens, sockets, ratePerSecond };
      const load = { ...common, inFlightPerSocket: IN_FLIGHT_PER_SOCKET };
      const run = (
        more: Pick<LiveLoadOptions, "durationSeconds" | "amount" | "keyPrefix">,
        begun?: () => void,
      ) => runLiveLoad({ ...load, ...more }, secondly(progress), begun);
      progress("warming up");
      const warm = await run({
        durationSeconds: Math.min(durationSeconds * WARM_UP_SHARE, WARM_UP_SECONDS_MAX),
        amount: CAPACITY,
        keyPrefix: "warm",
      });
      const amount = CAPACITY - (warm.streams[0]?.count ?? 0);
      const { result, ...watched } = await whileWatched(stage, (begin) =>
        run({ durationSeconds, amount, keyPrefix: "measured" }, begin),
      );
      const oracle = await consultOracle(
        {
          api,
          events: [{ eventId, capacity: CAPACITY, seatIds: null }],
          loads: [warm.findings, result.findings],
          holdTtlSeconds: null,
        },
        progress,
      );
      return {
        server: stage.server,
        ...watched,
        streams: result.streams,
        figures: [...loadFigures(result), ...watched.figures],
        checks: [holdStatusCheck([warm, result]), ...oracle],
        chosen: { connections: sockets, inFlight: sockets * IN_FLIGHT_PER_SOCKET, durationSeconds },
      };
    } finally {
      await stage.close();
    }
  },
};

export const loadFigures = ({ busyShare, neverSent }: LiveLoadResult) => [
  { name: "load thread busy", value: busyShare * 100, unit: "%" },
  { name: "due, never sent", value: neverSent, unit: "requests" },
];

export function holdStatusCheck(results: readonly LiveLoadResult[]) {
  const statuses: Record<string, number> = {};
  for (const stream of results.flatMap(({ streams }) => streams.slice(0, 1))) {
    for (const [status, count] of Object.entries(stream.statuses)) {
      statuses[status] = (statuses[status] ?? 0) + count;
    }
  }
  return statusCheck("holds", statuses, [201]);
}
