import { type Arena, arenaOf } from "../hall/arena.ts";
import type { SaleFlowOptions, SoldEvent } from "../load/flows/sale-ground.ts";
import { runHttpLoad } from "../load/http-load.ts";
import { measureLoad, secondly } from "../measured-load.ts";
import { consultOracle } from "../oracle/oracle.ts";
import { saleFigures } from "../sale-figures.ts";
import type { BenchOptions, Findings, Progress, Scenario } from "../scenario.ts";
import { openStage, type Stage } from "../stage.ts";

const CONNECTIONS_DEFAULT = 64;
const SECONDS_DEFAULT = 30;
const SEATS_DEFAULT = 18_000;
/** Accounts; each stands for many buyers. */
const BUYERS = 64;
/** Of a page that was closed: its seats come back while the sale goes on. */
const HOLD_TTL_SECONDS = 3;
/** One in two does not like the seats, gives them back, and lets others try; few just go. */
const DROP_OUT_SHARE = 0.5;
const GIVE_BACK_SHARE = 0.98;
const REPEAT_SHARE = 0.01;
const WARM_UP_SEATS = 20_000;
const WARM_UP_SECONDS = 3;

/** A hall that fills up with parties who leave the choice to the server, until the last seat. */
export const bestAvailable: Scenario = {
  name: "best-available",
  summary: "an arena from empty to sold out: the server chooses seats, parties book or give back",
  async run(options: BenchOptions, progress: Progress): Promise<Findings> {
    const connections = options.connections ?? CONNECTIONS_DEFAULT;
    const seconds = options.durationSeconds ?? SECONDS_DEFAULT;
    const seats = options.seats ?? SEATS_DEFAULT;
    const { ratePerSecond, seed } = options;
    const stage = await openStage(options, progress);
    try {
      const { url, api } = stage;
      const tokens = await api.guestTokens(BUYERS);
      const flow = (event: SoldEvent): SaleFlowOptions => ({
        kind: "sale",
        events: [event],
        popularity: 0,
        tokens,
        looksPerVisit: 0,
        dropOutShare: DROP_OUT_SHARE,
        giveBackShare: GIVE_BACK_SHARE,
        repeatShare: REPEAT_SHARE,
        thinking: null,
        lagMs: 0,
        holdTtlSeconds: HOLD_TTL_SECONDS,
        seed,
      });
      // On another event: the sale itself begins with every seat free.
      progress("warming up");
      const rehearsal = arenaOf({ seats: WARM_UP_SEATS, hasWheelchairs: true });
      await runHttpLoad({
        url,
        flow: flow(await openArena(stage, "Rehearsal", rehearsal)),
        connections,
        seconds: Math.min(seconds, WARM_UP_SECONDS),
        progress: secondly(progress),
      });
      const arena = arenaOf({ seats, hasWheelchairs: true });
      const event = await openArena(stage, "Best seats", arena);
      const load = { flow: flow(event), connections, seconds, ratePerSecond };
      const { result, figures, ...measured } = await measureLoad(stage, load, progress);
      const loads = [result.findings];
      const checks = await consultOracle(
        { api, events: [event], loads, holdTtlSeconds: HOLD_TTL_SECONDS },
        progress,
      );
      return {
        server: stage.server,
        ...measured,
        figures: [...saleFigures(result, seats), ...figures],
        checks,
        chosen: { connections, durationSeconds: seconds, seats },
      };
    } finally {
      await stage.close();
    }
  },
};

async function openArena({ api }: Stage, title: string, arena: Arena): Promise<SoldEvent> {
  const { hall } = arena;
  const eventId = await api.openEvent({ title, arena, holdTtlSeconds: HOLD_TTL_SECONDS });
  const seatIds = await api.seatIds(eventId);
  const isSame = seatIds.length === hall.ids.length && seatIds.every((id, n) => id === hall.ids[n]);
  if (!isSame) throw new Error("the server lists other seats than its plan has");
  return { eventId, seatIds, area: null, capacity: hall.ids.length, hall };
}
