import { wholeExtra } from "../command-line.ts";
import type { SaleFlowOptions } from "../load/flows/sale-ground.ts";
import { runHttpLoad } from "../load/http-load.ts";
import { measureLoad, secondly } from "../measured-load.ts";
import { consultOracle } from "../oracle/oracle.ts";
import { saleFigures } from "../sale-figures.ts";
import type { BenchOptions, Findings, Progress, Scenario } from "../scenario.ts";
import { openStage, type Stage } from "../stage.ts";

/** Each stands for one buyer after another. */
const CONNECTIONS_DEFAULT = 2_048;
/** Buyers share them: with a rate, others send while some think. */
const RATE_CONNECTIONS_DEFAULT = 256;
const SECONDS_DEFAULT = 30;
const SEATS_DEFAULT = 18_000;
/** Accounts; each stands for many buyers. */
const BUYERS = 512;
/** Of a page that was closed: its seats come back while the sale goes on. */
const HOLD_TTL_SECONDS_MIN = 5;
const DROP_OUT_SHARE = 0.1;
const GIVE_BACK_SHARE = 0.5;
const REPEAT_SHARE = 0.02;
/** On average, to choose seats, and again to check out. */
const THINK_MS_DEFAULT = 1_000;
/** Three times as long as it takes on average to check out: one in a hundred and fifty is later. */
const HOLD_THINKS = 3;
/** A delta takes 40 ms; who has seen it has to move. */
const LAG_MS = 250;
/** When the page opens. */
const LOOKS_PER_VISIT = 1;
const WARM_UP_SEATS = 20_000;
const WARM_UP_SECONDS = 3;
const WARM_UP_CONNECTIONS_MAX = 256;

type SaleEvent = SaleFlowOptions["events"][number];

/** The morning of a big sale: everybody at once, all want the good seats. */
export const onSale: Scenario = {
  name: "on-sale",
  summary: "one hot event with seats: all at once choose, hold and book, collide, repeat, drop out",
  extras: [
    {
      name: "think",
      value: "MS",
      help: "to choose seats, and to check out, on average; default: 1000",
    },
  ],
  async run(options: BenchOptions, progress: Progress): Promise<Findings> {
    const seconds = options.durationSeconds ?? SECONDS_DEFAULT;
    const seats = options.seats ?? SEATS_DEFAULT;
    const { ratePerSecond, seed } = options;
    const connectionsDefault =
      ratePerSecond === null ? CONNECTIONS_DEFAULT : RATE_CONNECTIONS_DEFAULT;
    const connections = options.connections ?? connectionsDefault;
    const thinkMs = wholeExtra(options.extra, "think", THINK_MS_DEFAULT);
    const holdTtlSeconds = Math.max(
      HOLD_TTL_SECONDS_MIN,
      Math.ceil((HOLD_THINKS * thinkMs) / 1_000),
    );
    const stage = await openStage(options, progress);
    try {
      const tokens = await stage.api.guestTokens(BUYERS);
      const flow = (event: SaleEvent, thinking: SaleFlowOptions["thinking"]): SaleFlowOptions => ({
        kind: "sale",
        events: [event],
        popularity: 0,
        tokens,
        looksPerVisit: thinking === null ? 0 : LOOKS_PER_VISIT,
        dropOutShare: DROP_OUT_SHARE,
        giveBackShare: GIVE_BACK_SHARE,
        thinking,
        repeatShare: REPEAT_SHARE,
        lagMs: LAG_MS,
        holdTtlSeconds,
        seed,
      });
      // On another event, and without a thought: the sale itself begins with every seat free.
      progress("warming up");
      const rehearsal = await openSeats(stage, {
        title: "Rehearsal",
        seats: WARM_UP_SEATS,
        holdTtlSeconds,
      });
      await runHttpLoad({
        url: stage.url,
        flow: flow(rehearsal, null),
        connections: Math.min(connections, WARM_UP_CONNECTIONS_MAX),
        seconds: Math.min(seconds, WARM_UP_SECONDS),
        progress: secondly(progress),
      });
      const event = await openSeats(stage, { title: "On sale", seats, holdTtlSeconds });
      const thinking = { meanMs: thinkMs, hasRate: ratePerSecond !== null };
      const load = { flow: flow(event, thinking), connections, seconds, ratePerSecond };
      const { result, figures, ...measured } = await measureLoad(stage, load, progress);
      const checks = await consultOracle(
        {
          api: stage.api,
          events: [event],
          loads: [result.findings],
          holdTtlSeconds,
        },
        progress,
      );
      return {
        server: stage.server,
        ...measured,
        figures: [...saleFigures(result, seats), ...figures],
        checks,
        chosen: { connections, durationSeconds: seconds, seats, think: thinkMs },
      };
    } finally {
      await stage.close();
    }
  },
};

async function openSeats(
  { api }: Stage,
  sold: { readonly title: string; readonly seats: number; readonly holdTtlSeconds: number },
): Promise<SaleEvent> {
  const eventId = await api.openEvent(sold);
  return { eventId, seatIds: await api.seatIds(eventId), area: null, capacity: sold.seats };
}
