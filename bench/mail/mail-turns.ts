import { setTimeout as delay } from "node:timers/promises";
import { CAPACITY } from "../bench-api.ts";
import { runHttpLoad } from "../load/http-load.ts";
import type { HttpLoadResult } from "../load/http-load-messages.ts";
import { secondly } from "../measured-load.ts";
import type { JournalFigures, ServerFigures, Stream } from "../report/report.ts";
import type { Progress } from "../scenario.ts";
import type { Stage } from "../stage.ts";
import { whileWatched } from "../while-watched.ts";
import type { MailSink } from "./mail-sink.ts";

const LOOK_MS = 500;
const WARM_UP_SECONDS_MAX = 5;
const MS = 1_000;

/** One stretch of holds, with a campaign under way or without. */
export interface MailTurn {
  readonly isMailing: boolean;
  readonly holdsPerSecond: number;
  readonly mailsPerSecond: number;
  /** Of the load's thread, 0 to 1. */
  readonly loadBusyShare: number;
  readonly serverFigures: ServerFigures | null;
  readonly journal: JournalFigures | null;
}

export interface TurnsOptions {
  readonly stage: Stage;
  readonly sink: MailSink;
  readonly tokens: readonly string[];
  readonly connections: number;
  readonly seconds: number;
  readonly rounds: number;
}

export interface TurnsTaken {
  readonly turns: readonly MailTurn[];
  /** Of the turns, each named after its own. */
  readonly streams: readonly Stream[];
  /** The warm-up's first. */
  readonly results: readonly HttpLoadResult[];
  /** Each turn sold one of its own. */
  readonly eventIds: readonly string[];
}

/** The same load in turns, without mails and with them: whatever the machine does hits both. */
export async function takeTurns(options: TurnsOptions, progress: Progress): Promise<TurnsTaken> {
  const { stage, sink, rounds, seconds } = options;
  const { api } = stage;
  const turns: MailTurn[] = [];
  const named: Stream[] = [];
  const results: HttpLoadResult[] = [];
  const eventIds: string[] = [];
  const holdFor = async (
    duration: number,
    tell: Progress,
    counting: () => void = () => undefined,
  ): Promise<HttpLoadResult> => {
    const { tokens, connections } = options;
    const eventId = await api.openFloor();
    eventIds.push(eventId);
    const buyers = { tokens: [...tokens], capacity: CAPACITY };
    const flow = { kind: "hold", eventId, area: "floor", ...buyers } as const;
    const load = { flow, connections, seconds: duration, progress: secondly(tell), counting };
    const result = await runHttpLoad({ url: stage.url, ...load });
    results.push(result);
    return result;
  };
  const take = async (isMailing: boolean): Promise<void> => {
    await api.pauseLane("marketing");
    // What is under way in it is finished.
    while (!(await api.isLaneStill("marketing"))) await delay(LOOK_MS);
    const before = await sink.counted();
    const beganMs = performance.now();
    if (isMailing) await api.resumeLane("marketing");
    const word = isMailing ? "with mails" : "without";
    const tell: Progress = (line) => progress(`${word}: ${line}`);
    const watched = await whileWatched(stage, (begin) => holdFor(seconds, tell, begin));
    const { serverFigures, journal } = watched;
    const { streams, busyShare: loadBusyShare } = watched.result;
    const elapsed = (performance.now() - beganMs) / MS;
    const { count } = await sink.counted();
    const turn = `${turns.length + 1}: ${word}`;
    named.push(...streams.map((stream) => ({ ...stream, name: `${stream.name}, turn ${turn}` })));
    turns.push({
      isMailing,
      holdsPerSecond: (streams[0]?.count ?? 0) / (streams[0]?.seconds ?? seconds),
      mailsPerSecond: (count - before.count) / elapsed,
      loadBusyShare,
      serverFigures,
      journal,
    });
  };
  progress("warming up");
  await holdFor(Math.min(WARM_UP_SECONDS_MAX, seconds), progress);
  for (let round = 0; round < rounds; round += 1) {
    // Whoever comes first is another one each time.
    const isFirst = round % 2 === 1;
    await take(isFirst);
    await take(!isFirst);
  }
  return { turns, streams: named, results, eventIds };
}
