import { CAPACITY } from "../bench-api.ts";
import { plainSale } from "../load/flows/plain-sale.ts";
import type { SaleFlowOptions } from "../load/flows/sale-ground.ts";
import { runHttpLoad, SETTLE_SECONDS } from "../load/http-load.ts";
import { measureLoad, secondly } from "../measured-load.ts";
import { consultOracle } from "../oracle/oracle.ts";
import type { Figure, Stream } from "../report/report.ts";
import type { BenchOptions, Findings, Progress, Scenario } from "../scenario.ts";
import { openStage, type Stage } from "../stage.ts";

const CONNECTIONS_DEFAULT = 256;
const SECONDS_DEFAULT = 10;
/** On another event; so long the server's code gets faster. */
const WARM_UP_SHARE = 0.5;
const WARM_UP_SECONDS_MAX = 5;
/** One buyer may have 100,000 places: this many may have more than there are. */
const BUYERS = 64;
const HOLD_TTL_SECONDS = 86_400;

/** How many sales a second one hot event takes, and what each costs. */
export const sale: Scenario = {
  name: "sale",
  summary: "sales on one hot event, a hold of 1 to 4 places and its booking each: what one costs",
  async run(options: BenchOptions, progress: Progress): Promise<Findings> {
    const connections = options.connections ?? CONNECTIONS_DEFAULT;
    const seconds = options.durationSeconds ?? SECONDS_DEFAULT;
    const { ratePerSecond, seed } = options;
    const stage = await openStage(options, progress);
    try {
      const { url, api } = stage;
      const tokens = await api.guestTokens(BUYERS);
      progress("warming up");
      await runHttpLoad({
        url,
        flow: await saleOf(stage, "Rehearsal", { tokens, seed }),
        connections,
        seconds: Math.min(seconds * WARM_UP_SHARE, WARM_UP_SECONDS_MAX),
        ratePerSecond,
        progress: secondly(progress),
      });
      const flow = await saleOf(stage, "On sale", { tokens, seed });
      const load = { flow, connections, settleSeconds: SETTLE_SECONDS, seconds, ratePerSecond };
      const { result, figures, ...measured } = await measureLoad(stage, load, progress);
      const checks = await consultOracle(
        { api, events: flow.events, loads: [result.findings], holdTtlSeconds: null },
        progress,
      );
      const chosen = { connections, durationSeconds: seconds };
      const costs = costsOf(measured.serverFigures, measured.streams);
      return { server: stage.server, ...measured, figures: [...figures, ...costs], checks, chosen };
    } finally {
      await stage.close();
    }
  },
};

async function saleOf(
  { api }: Stage,
  title: string,
  asked: Pick<SaleFlowOptions, "tokens" | "seed">,
): Promise<SaleFlowOptions> {
  const holdTtlSeconds = HOLD_TTL_SECONDS;
  const eventId = await api.openEvent({ title, places: CAPACITY, holdTtlSeconds });
  const event = { eventId, seatIds: null, area: "floor", capacity: CAPACITY };
  return plainSale(event, { ...asked, lagMs: 0, holdTtlSeconds });
}

/**
 * Processor time for each sale that counts, by thread: both are of the same stretch. Nothing where
 * the server runs elsewhere.
 */
function costsOf(server: Findings["serverFigures"], streams: readonly Stream[]): Figure[] {
  const sales = streams.find(({ name }) => name === "bookings")?.count ?? 0;
  if (server === null || sales === 0) return [];
  const { threads, seconds } = server;
  const cost = (name: string, cores: number): Figure => {
    return { name: `a sale, ${name}`, value: (cores * seconds * 1_000_000) / sales, unit: "µs" };
  };
  const all = threads.reduce((sum, { cores }) => sum + cores, 0);
  return [cost("the server", all), ...threads.map(({ name, cores }) => cost(name, cores))];
}
