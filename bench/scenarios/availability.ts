import type { FlowOptions } from "../load/flows/flow-options.ts";
import { runHttpLoad } from "../load/http-load.ts";
import type { HttpLoadResult } from "../load/http-load-messages.ts";
import { type MeasuredLoad, measureLoad, secondly } from "../measured-load.ts";
import { consultOracle } from "../oracle/oracle.ts";
import type { Table } from "../report/report.ts";
import { threadTable } from "../report/thread-table.ts";
import type { BenchOptions, Findings, Progress, Scenario } from "../scenario.ts";
import { openStage, type Stage } from "../stage.ts";

const CONNECTIONS_DEFAULT = 256;
const SECONDS_DEFAULT = 10;
const SEATS_DEFAULT = 18_000;
const BUYERS = 16;
/** Who changes something meanwhile: a few holds and bookings a second. */
const CHANGES_PER_SECOND = 20;
const CHANGE_CONNECTIONS = 2;
const HOLD_TTL_SECONDS = 5;
const WARM_UP_SECONDS = 2;

/**
 * Hot reads of one event's availability while it sells: first plain, then as clients do that were
 * given an ETag and say so. Where the server gives none, both are the same.
 */
export const availability: Scenario = {
  name: "availability",
  summary: "hot reads of one event's availability, with and without ETag, while it changes",
  async run(options: BenchOptions, progress: Progress): Promise<Findings> {
    const connections = options.connections ?? CONNECTIONS_DEFAULT;
    const seconds = options.durationSeconds ?? SECONDS_DEFAULT;
    const seats = options.seats ?? SEATS_DEFAULT;
    const { ratePerSecond, seed } = options;
    const stage = await openStage(options, progress);
    try {
      const { api, url } = stage;
      const eventId = await api.openEvent({
        title: "Read",
        seats,
        holdTtlSeconds: HOLD_TTL_SECONDS,
      });
      const event = { eventId, seatIds: await api.seatIds(eventId), area: null, capacity: seats };
      const changes: FlowOptions = {
        kind: "sale",
        events: [event],
        popularity: 0,
        tokens: await api.guestTokens(BUYERS),
        looksPerVisit: 0,
        dropOutShare: 0.2,
        giveBackShare: 0.5,
        thinking: null,
        repeatShare: 0,
        lagMs: 0,
        holdTtlSeconds: HOLD_TTL_SECONDS,
        seed,
      };
      const reads = (isConditional: boolean): FlowOptions => ({
        kind: "read",
        eventId,
        withSeats: false,
        isConditional,
      });
      progress("warming up");
      const warmUp = { url, connections, seconds: Math.min(seconds, WARM_UP_SECONDS) };
      await runHttpLoad({ ...warmUp, flow: reads(false), progress: secondly(progress) });
      const ended = new AbortController();
      const changing = changeMeanwhile(stage, changes, ended.signal);
      const load = { connections, seconds, ratePerSecond };
      const reading = async (): Promise<readonly [MeasuredLoad, MeasuredLoad]> => {
        const first = await measureLoad(stage, { ...load, flow: reads(false) }, progress);
        return [first, await measureLoad(stage, { ...load, flow: reads(true) }, progress)];
      };
      const [changed, [plain, conditional]] = await Promise.all([
        changing,
        reading().finally(() => ended.abort()),
      ]);
      const checks = await consultOracle(
        {
          api,
          events: [event],
          loads: [changed.findings, plain.result.findings, conditional.result.findings],
          holdTtlSeconds: HOLD_TTL_SECONDS,
        },
        progress,
      );
      return {
        server: stage.server,
        streams: [...plain.streams, ...conditional.streams, ...changed.streams],
        figures: [
          ...plain.figures.map((figure) => ({ ...figure, name: `plain: ${figure.name}` })),
          ...conditional.figures.map((figure) => ({ ...figure, name: `ETag: ${figure.name}` })),
        ],
        tables: threadTables(plain, conditional),
        serverFigures: plain.serverFigures,
        journal: plain.journal,
        checks,
        chosen: { connections, durationSeconds: seconds, seats },
      };
    } finally {
      await stage.close();
    }
  },
};

/** Of a server elsewhere nothing is known. */
function threadTables(plain: MeasuredLoad, conditional: MeasuredLoad): Table[] {
  const [first, second] = [plain.serverFigures, conditional.serverFigures];
  if (first === null || second === null) return [];
  const columns = [
    { head: "plain", runs: [first] },
    { head: "with ETag", runs: [second] },
  ];
  return [threadTable("cores by thread", columns)];
}

/** A few a second, from a thread of its own, until the reads have ended. */
function changeMeanwhile(
  { url }: Stage,
  flow: FlowOptions,
  signal: AbortSignal,
): Promise<HttpLoadResult> {
  return runHttpLoad({
    url,
    flow,
    connections: CHANGE_CONNECTIONS,
    seconds: Number.MAX_SAFE_INTEGER,
    ratePerSecond: CHANGES_PER_SECOND,
    signal,
  });
}
