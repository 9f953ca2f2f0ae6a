import type { SaleFlowOptions, SoldEvent } from "../load/flows/sale-ground.ts";
import { runHttpLoad, SETTLE_SECONDS } from "../load/http-load.ts";
import { measureLoad, secondly } from "../measured-load.ts";
import { consultOracle } from "../oracle/oracle.ts";
import type { BenchOptions, Findings, Progress, Scenario } from "../scenario.ts";
import { openStage, type Stage } from "../stage.ts";

const CONNECTIONS_DEFAULT = 128;
const SECONDS_DEFAULT = 20;
const EVENTS_DEFAULT = 1_000;
const BUYERS = 512;
/** Places of an event: none of them sells out, or the mix would change on the way. */
const PLACES = 1_000_000;
/** As visits to shops are: the second event is wanted half as often as the first. */
const POPULARITY = 1;
const LOOKS_PER_VISIT = 2;
const DROP_OUT_SHARE = 0.3;
const GIVE_BACK_SHARE = 0.5;
const REPEAT_SHARE = 0.01;
const HOLD_TTL_SECONDS = 5;
const WARM_UP_SECONDS = 3;
const OPENED_AT_ONCE = 8;

/** An ordinary day: many events, a few of which most people want; people look before they buy. */
export const steady: Scenario = {
  name: "steady",
  summary: "1,000 events, wanted by Zipf's law: look, hold, book, give back",
  async run(options: BenchOptions, progress: Progress): Promise<Findings> {
    const connections = options.connections ?? CONNECTIONS_DEFAULT;
    const seconds = options.durationSeconds ?? SECONDS_DEFAULT;
    const count = options.events ?? EVENTS_DEFAULT;
    const { ratePerSecond, seed } = options;
    const stage = await openStage(options, progress);
    try {
      const tokens = await stage.api.guestTokens(BUYERS);
      const events = await openEvents(stage, count, progress);
      const flow: SaleFlowOptions = {
        kind: "sale",
        events,
        popularity: POPULARITY,
        tokens,
        looksPerVisit: LOOKS_PER_VISIT,
        dropOutShare: DROP_OUT_SHARE,
        giveBackShare: GIVE_BACK_SHARE,
        thinking: null,
        repeatShare: REPEAT_SHARE,
        lagMs: 0,
        holdTtlSeconds: HOLD_TTL_SECONDS,
        seed,
      };
      progress("warming up");
      const warm = await runHttpLoad({
        url: stage.url,
        flow: { ...flow, seed: seed + 1 },
        connections,
        seconds: Math.min(seconds, WARM_UP_SECONDS),
        ratePerSecond,
        progress: secondly(progress),
      });
      // As many places of an event as the warm-up cannot have taken.
      const asked = warm.findings.counts["places asked for"] ?? 0;
      const left = events.map((event) => ({ ...event, capacity: event.capacity - asked }));
      const settleSeconds = SETTLE_SECONDS;
      const load = {
        flow: { ...flow, events: left },
        connections,
        settleSeconds,
        seconds,
        ratePerSecond,
      };
      const { result, ...measured } = await measureLoad(stage, load, progress);
      const loads = [warm.findings, result.findings];
      const { api } = stage;
      const checks = await consultOracle(
        { api, events, loads, holdTtlSeconds: HOLD_TTL_SECONDS },
        progress,
      );
      const chosen = { connections, durationSeconds: seconds, events: count };
      return { server: stage.server, ...measured, checks, chosen };
    } finally {
      await stage.close();
    }
  },
};

async function openEvents({ api }: Stage, count: number, progress: Progress): Promise<SoldEvent[]> {
  const events: SoldEvent[] = [];
  while (events.length < count) {
    const batch = Math.min(OPENED_AT_ONCE, count - events.length);
    const opened = await Promise.all(
      Array.from({ length: batch }, (_, n) =>
        api.openEvent({
          title: `Evening ${events.length + n + 1}`,
          places: PLACES,
          holdTtlSeconds: HOLD_TTL_SECONDS,
        }),
      ),
    );
    events.push(
      ...opened.map((eventId) => ({ eventId, seatIds: null, area: "floor", capacity: PLACES })),
    );
    if (events.length % 100 < batch) progress(`${events.length} of ${count} events are on sale`);
  }
  return events;
}
