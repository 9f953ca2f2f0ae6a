import type { SaleFlowOptions } from "../load/flows/sale-ground.ts";
import { runHttpLoad } from "../load/http-load.ts";
import { measureLoad, secondly } from "../measured-load.ts";
import { consultOracle } from "../oracle/oracle.ts";
import type { Figure, Stream } from "../report/report.ts";
import type { BenchOptions, Findings, Progress, Scenario } from "../scenario.ts";
import { openStage, type Stage } from "../stage.ts";

const CONNECTIONS_DEFAULT = 256;
const SECONDS_DEFAULT = 30;
const SEATS_DEFAULT = 18_000;
/** Accounts; each stands for many buyers. */
const BUYERS = 512;
/** Of a page that was closed: its seats come back while the sale goes on. */
const HOLD_TTL_SECONDS = 5;
const DROP_OUT_SHARE = 0.1;
const GIVE_BACK_SHARE = 0.5;
const REPEAT_SHARE = 0.02;
/** A delta takes 40 ms; buyers here choose at once, and persons would be later still. */
const LAG_MS = 100;
const WARM_UP_SEATS = 20_000;
const WARM_UP_SECONDS = 3;

type SaleEvent = SaleFlowOptions["events"][number];

/** The morning of a big sale: everybody at once, all want the good seats. */
export const onSale: Scenario = {
  name: "on-sale",
  summary: "one hot event with seats: all at once hold and book, collide, repeat, drop out",
  async run(options: BenchOptions, progress: Progress): Promise<Findings> {
    const connections = options.connections ?? CONNECTIONS_DEFAULT;
    const seconds = options.durationSeconds ?? SECONDS_DEFAULT;
    const seats = options.seats ?? SEATS_DEFAULT;
    const { ratePerSecond, seed } = options;
    const stage = await openStage(options, progress);
    try {
      const tokens = await stage.api.guestTokens(BUYERS);
      const flow = (event: SaleEvent): SaleFlowOptions => ({
        kind: "sale",
        events: [event],
        popularity: 0,
        tokens,
        looksPerVisit: 0,
        dropOutShare: DROP_OUT_SHARE,
        giveBackShare: GIVE_BACK_SHARE,
        thinking: null,
        repeatShare: REPEAT_SHARE,
        lagMs: LAG_MS,
        holdTtlSeconds: HOLD_TTL_SECONDS,
        seed,
      });
      // On another event: the sale itself begins with every seat free.
      progress("warming up");
      const rehearsal = await openSeats(stage, "Rehearsal", WARM_UP_SEATS);
      await runHttpLoad({
        url: stage.url,
        flow: flow(rehearsal),
        connections,
        seconds: Math.min(seconds, WARM_UP_SECONDS),
        progress: secondly(progress),
      });
      const event = await openSeats(stage, "On sale", seats);
      const load = { flow: flow(event), connections, seconds, ratePerSecond };
      const { result, figures, ...measured } = await measureLoad(stage, load, progress);
      const checks = await consultOracle(
        {
          api: stage.api,
          events: [event],
          loads: [result.findings],
          holdTtlSeconds: HOLD_TTL_SECONDS,
        },
        progress,
      );
      const sold = result.findings.counts["places sold"] ?? 0;
      return {
        server: stage.server,
        ...measured,
        figures: [
          ...saleFigures(result.streams, sold, { seats, seconds: result.seconds }),
          ...figures,
        ],
        checks,
        chosen: { connections, durationSeconds: seconds, seats },
      };
    } finally {
      await stage.close();
    }
  },
};

async function openSeats({ api }: Stage, title: string, seats: number): Promise<SaleEvent> {
  const eventId = await api.openEvent({ title, seats, holdTtlSeconds: HOLD_TTL_SECONDS });
  return { eventId, seatIds: await api.seatIds(eventId), area: null, capacity: seats };
}

function saleFigures(
  streams: readonly Stream[],
  sold: number,
  { seats, seconds }: { seats: number; seconds: number },
): Figure[] {
  const holds = streams.find(({ name }) => name === "holds")?.count ?? 0;
  const refused = streams.find(({ name }) => name === "refused holds")?.count ?? 0;
  return [
    { name: "seats sold", value: (100 * sold) / seats, unit: "% of all" },
    { name: "until the last answer", value: seconds, unit: "s" },
    { name: "seats sold a second", value: sold / seconds, unit: "" },
    { name: "holds refused", value: (100 * refused) / Math.max(1, holds + refused), unit: "%" },
  ];
}
