import { CAPACITY } from "../bench-api.ts";
import { runHttpLoad, SETTLE_SECONDS } from "../load/http-load.ts";
import { measureLoad, secondly } from "../measured-load.ts";
import { consultOracle } from "../oracle/oracle.ts";
import type { BenchOptions, Findings, Progress, Scenario } from "../scenario.ts";
import { openStage } from "../stage.ts";

const CONNECTIONS_DEFAULT = 64;
const SECONDS_DEFAULT = 10;
/** Part of the measured time, in which the server's code becomes as fast as it gets. */
const WARM_UP_SHARE = 0.3;
const WARM_UP_SECONDS_MAX = 5;
/** One buyer may have 100,000 places: this many may have more than there are. */
const BUYERS = 64;

/** How many durable holds a second one hot event takes, and how long a buyer waits for one. */
export const hold: Scenario = {
  name: "hold",
  summary: "durable holds of one place each on one hot event",
  async run(options: BenchOptions, progress: Progress): Promise<Findings> {
    const connections = options.connections ?? CONNECTIONS_DEFAULT;
    const seconds = options.durationSeconds ?? SECONDS_DEFAULT;
    const { ratePerSecond } = options;
    const stage = await openStage(options, progress);
    try {
      const { url, api } = stage;
      const eventId = await api.openFloor();
      const tokens = await api.guestTokens(BUYERS);
      const flow = { kind: "hold", eventId, area: "floor", tokens } as const;
      progress("warming up");
      const warm = await runHttpLoad({
        url,
        flow: { ...flow, capacity: CAPACITY },
        connections,
        seconds: Math.min(seconds * WARM_UP_SHARE, WARM_UP_SECONDS_MAX),
        ratePerSecond,
        progress: secondly(progress),
      });
      const capacity = CAPACITY - (warm.streams[0]?.count ?? 0);
      const load = {
        flow: { ...flow, capacity },
        connections,
        settleSeconds: SETTLE_SECONDS,
        seconds,
        ratePerSecond,
      };
      const { result, ...measured } = await measureLoad(stage, load, progress);
      const checks = await consultOracle(
        {
          api,
          events: [{ eventId, capacity: CAPACITY, seatIds: null }],
          loads: [warm.findings, result.findings],
          holdTtlSeconds: null,
        },
        progress,
      );
      const chosen = { connections, durationSeconds: seconds };
      return { server: stage.server, ...measured, checks, chosen };
    } finally {
      await stage.close();
    }
  },
};
