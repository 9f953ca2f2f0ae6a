import { randomUUID } from "node:crypto";
import { type Availability, CAPACITY } from "../bench-api.ts";
import { JournalWatch } from "../journal-watch.ts";
import { requireWrk, runWrk, type WrkResult } from "../load/wrk.ts";
import { check } from "../report/checking.ts";
import type { Check } from "../report/report.ts";
import {
  type BenchOptions,
  type Findings,
  type Progress,
  type Scenario,
  UsageError,
} from "../scenario.ts";
import { ServerWatch } from "../server-figures.ts";
import { openStage, type Stage } from "../stage.ts";

const CONNECTIONS_DEFAULT = 16;
const SECONDS_DEFAULT = 10;
const WARM_UP_CONNECTIONS = 256;
const WARM_UP_SECONDS = 3;
const BUYERS = 64;
const PROJECTED_SECONDS_MAX = 60;

/** The holds of `hold`, asked for by a client that is not ours. */
export const holdWrk: Scenario = {
  name: "hold-wrk",
  summary: "the same holds, by wrk: another client's word on rate and times",
  async run(options: BenchOptions, progress: Progress): Promise<Findings> {
    if (options.ratePerSecond !== null) {
      throw new UsageError("wrk asks as fast as it is answered: hold-wrk knows no --rate");
    }
    requireWrk();
    const connections = options.connections ?? CONNECTIONS_DEFAULT;
    const seconds = options.durationSeconds ?? SECONDS_DEFAULT;
    const stage = await openStage(options, progress);
    try {
      const { url, api } = stage;
      const eventId = await api.openFloor();
      const tokens = await api.guestTokens(BUYERS);
      const load = { url, eventId, tokens };
      progress("warming up");
      const warm = await runWrk({
        ...load,
        connections: WARM_UP_CONNECTIONS,
        seconds: WARM_UP_SECONDS,
        keyPrefix: randomUUID(),
      });
      progress(`measuring: wrk with ${connections} connections, ${seconds} s`);
      const journalWatch = await JournalWatch.start(api);
      const serverWatch = ServerWatch.start(stage.pid);
      const result = await runWrk({ ...load, connections, seconds, keyPrefix: randomUUID() });
      const serverFigures = serverWatch?.stop() ?? null;
      const watched = await journalWatch.stop();
      const { answers, refused, p50, p90, p99, p999, max } = result;
      return {
        server: stage.server,
        streams: [
          {
            name: "holds",
            count: answers - refused,
            seconds: result.seconds,
            latencyMs: { p50, p90, p99, p999, max },
            isCorrected: false,
            statuses: { "2xx": answers - refused },
            perSecond: [],
          },
        ],
        figures: watched === null ? [] : [watched.lag],
        serverFigures,
        journal: watched?.journal ?? null,
        checks: verdictOn(
          await evidenceOf(stage, eventId, [
            { result: warm, connections: WARM_UP_CONNECTIONS },
            { result, connections },
          ]),
        ),
        chosen: { connections, durationSeconds: seconds },
      };
    } finally {
      await stage.close();
    }
  },
};

interface Load {
  readonly result: WrkResult;
  readonly connections: number;
}

/** What was told, and what there is. */
export interface WrkEvidence {
  readonly loads: readonly Load[];
  readonly isProjected: boolean;
  readonly availability: Availability;
  readonly audit: { readonly ok?: boolean; readonly drift?: readonly unknown[] };
}

async function evidenceOf(
  { api }: Stage,
  eventId: string,
  loads: readonly Load[],
): Promise<WrkEvidence> {
  const isProjected = await api.isProjectedWithin(PROJECTED_SECONDS_MAX);
  const availability = await api.availability(eventId);
  return { loads, isProjected, availability, audit: await api.audit(eventId) };
}

/**
 * wrk keeps no ids: what it was told is counted, and a request that was on its way when its time
 * was over may have been a hold, one for each connection.
 */
export function verdictOn({ loads, isProjected, availability, audit }: WrkEvidence): Check[] {
  const sum = (of: (load: Load) => number): number =>
    loads.reduce((total, load) => total + of(load), 0);
  const [refused, lost] = [sum(({ result }) => result.refused), sum(({ result }) => result.lost)];
  const told = sum(({ result }) => result.answers) - refused;
  const unheard = sum(({ connections }) => connections);
  const { free, held, sold, capacity } = availability;
  const sums = `${held} held, ${told} were told so, ${unheard} may not have heard`;
  return [
    check("something was held", told > 0, `${told} holds`),
    check("nobody was refused or lost", refused + lost === 0, `${refused} and ${lost}`),
    check(
      "as many places are held as were said to be",
      held >= told && held <= told + unheard && sold === 0,
      sums,
    ),
    check("free and held add up", free + held === CAPACITY && capacity === CAPACITY, `${free}`),
    check("PostgreSQL has everything", isProjected, "waited for"),
    check("memory and database agree", audit.ok === true, JSON.stringify(audit.drift ?? [])),
  ];
}
