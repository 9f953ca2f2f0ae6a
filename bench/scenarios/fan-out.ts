import { readFileSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";
import { ChangeMaker, type MadeChange } from "../live/change-maker.ts";
import { contentCheck } from "../live/content-verdict.ts";
import { Crowd, type CrowdFindings, sampledOf } from "../live/crowd.ts";
import { fanOutStreams } from "../live/fan-out-streams.ts";
import { answerChecks, fanOutChecks } from "../live/fan-out-verdict.ts";
import { SETTLE_SECONDS } from "../load/http-load.ts";
import { seen } from "../oracle/evidence.ts";
import { consultOracle } from "../oracle/oracle.ts";
import type { Figure } from "../report/report.ts";
import type { BenchOptions, Findings, Progress, Scenario } from "../scenario.ts";
import { memoryInUseMib } from "../soak/memory-samples.ts";
import { openStage, type Stage } from "../stage.ts";
import { whileWatched } from "../while-watched.ts";

const SUBSCRIBERS_DEFAULT = 10_000;
const SECONDS_DEFAULT = 10;
const RATE_DEFAULT = 20;
const SEATS_DEFAULT = 1_100;
const THREADS = 2;
/** Some 28,000 ports are one address's; of loopback there are many addresses. */
const SUBSCRIBERS_PER_ADDRESS = 10_000;
/** Descriptors that a process needs beside its connections. */
const OTHER_DESCRIPTORS = 256;
/** For the server's memory to be what it stays at. */
const MEMORY_LOOKS = 6;
const MEMORY_LOOK_MS = 400;
/** Busier than this, the client's threads are part of what was measured. */
const CLIENT_BUSY_MAX = 0.8;

export const fanOut: Scenario = {
  name: "fan-out",
  summary: "many subscribers of one hot event: how long until each has seen each change",
  run,
};

/** So many connections can't be opened here. */
export class TooFewDescriptors extends Error {
  readonly code = "too_few_descriptors";
}

async function run(options: BenchOptions, progress: Progress): Promise<Findings> {
  const subscribers = options.connections ?? SUBSCRIBERS_DEFAULT;
  requireDescriptors("self", subscribers);
  const stage = await openStage(options, progress);
  try {
    if (stage.pid !== null) requireDescriptors(String(stage.pid), subscribers);
    return await measure(stage, { ...options, connections: subscribers }, progress);
  } finally {
    await stage.close();
  }
}

async function measure(
  stage: Stage,
  options: BenchOptions & { readonly connections: number },
  progress: Progress,
): Promise<Findings> {
  const { connections: subscribers } = options;
  const ratePerSecond = options.ratePerSecond ?? RATE_DEFAULT;
  const durationSeconds = options.durationSeconds ?? SECONDS_DEFAULT;
  const changes = Math.max(1, Math.round(ratePerSecond * durationSeconds));
  const settling = Math.ceil(ratePerSecond * SETTLE_SECONDS);
  const seats = Math.max(options.seats ?? SEATS_DEFAULT, settling + changes + 1);
  const { api, url } = stage;
  const eventId = await api.openEvent({ title: "One hot hall", seats });
  const seatIds = await api.seatIds(eventId);
  const [token = ""] = await api.guestTokens(1);
  const maker = await ChangeMaker.open({ url, token, eventId, seatIds });
  await maker.make(1, ratePerSecond);
  const beforeMib = await leastInUseMib(stage);
  const isLoopback = new URL(stage.url).hostname === "127.0.0.1";
  const addresses = Math.ceil(subscribers / SUBSCRIBERS_PER_ADDRESS);
  const crowd = await Crowd.gather({
    url: stage.url,
    eventId,
    subscribers,
    threads: Math.min(THREADS, subscribers),
    localAddresses: isLoopback
      ? Array.from({ length: addresses }, (_, n) => `127.0.0.${n + 1}`)
      : [],
    welcomed: (count) => progress(`${count} of ${subscribers} have the snapshot`),
  });
  try {
    const idleMib = await leastInUseMib(stage);
    const settled = await maker.make(settling, ratePerSecond);
    crowd.begin();
    const { result: round, ...watched } = await whileWatched(stage, () =>
      maker.make(changes, ratePerSecond, (count) => {
        if (count % Math.ceil(ratePerSecond) === 0) progress(`${count} of ${changes} changes`);
      }),
    );
    const changed = [...settled.made, ...round.made];
    const found = await crowd.end(lastSeqOf(changed));
    const shown = await seen(() => api.shown(eventId));
    const afterMib = await leastInUseMib(stage);
    const memory = memoryFigures({ beforeMib, idleMib, afterMib }, subscribers);
    return {
      server: stage.server,
      streams: fanOutStreams(round, found),
      ...watched,
      figures: [
        { name: "due, never sent", value: round.neverSent, unit: "changes" },
        ...watched.figures,
        ...memory,
        ...clientFigures(found),
      ],
      checks: [
        ...fanOutChecks(changed, found, subscribers),
        contentCheck(
          found.flatMap(({ sample }) => sample),
          shown,
          sampledOf(subscribers),
        ),
        ...answerChecks(maker.statuses),
        ...(await consultOracle(
          {
            api,
            events: [{ eventId, capacity: seats, seatIds }],
            loads: [maker.findings],
            holdTtlSeconds: null,
          },
          progress,
        )),
      ],
      chosen: { connections: subscribers, ratePerSecond, durationSeconds, seats },
    };
  } finally {
    maker.close();
    await crowd.leave();
  }
}

/** -1: there is none. */
const lastSeqOf = (changes: readonly MadeChange[]): number =>
  changes.reduce((last, { seq }) => Math.max(last, seq), -1);

interface Memory {
  readonly beforeMib: number | null;
  readonly idleMib: number | null;
  readonly afterMib: number | null;
}

function memoryFigures({ beforeMib, idleMib, afterMib }: Memory, subscribers: number): Figure[] {
  if (beforeMib === null || idleMib === null || afterMib === null) return [];
  const each = (mib: number): number => ((mib - beforeMib) * 1_024) / subscribers;
  const unit = "KiB of the server, its heaps' reserve apart";
  return [
    { name: "a subscriber, quiet", value: each(idleMib), unit },
    { name: "a subscriber, after the changes", value: each(afterMib), unit },
  ];
}

function clientFigures(found: readonly CrowdFindings[]): Figure[] {
  const busiest = Math.max(...found.map(({ utilisation }) => utilisation));
  const lag = Math.max(...found.map(({ loopLagMsP99 }) => loopLagMsP99));
  const verdict = busiest > CLIENT_BUSY_MAX ? "of 1: THE CLIENT WAS THE BOTTLENECK" : "of 1";
  return [
    { name: "busy share of the busiest client thread", value: busiest, unit: verdict },
    { name: "lag of the client's event loops, p99", value: lag, unit: "ms" },
  ];
}

/** Node.js has raised the soft limit to the hard one. */
function requireDescriptors(pid: string, connections: number): void {
  const allowed = descriptorsOf(pid);
  const wanted = connections + OTHER_DESCRIPTORS;
  if (allowed === null || allowed >= wanted) return;
  const whose = pid === "self" ? "this process" : "the server";
  const advice = `raise the hard limit (ulimit -Hn) or take fewer --connections`;
  throw new TooFewDescriptors(`${whose} may open ${allowed} files, and needs ${wanted}: ${advice}`);
}

/** null: not known here. */
function descriptorsOf(pid: string): number | null {
  const soft = /^Max open files\s+(\d+|unlimited)/m.exec(
    procText(`/proc/${pid}/limits`) ?? "",
  )?.[1];
  if (soft === undefined) return null;
  return soft === "unlimited" ? Number.POSITIVE_INFINITY : Number(soft);
}

/** The least of a few looks: what the collector has not got to yet is no connection's. */
async function leastInUseMib({ api, pid }: Stage): Promise<number | null> {
  let least = Number.POSITIVE_INFINITY;
  for (let look = 0; look < MEMORY_LOOKS; look += 1) {
    await delay(MEMORY_LOOK_MS);
    least = Math.min(least, (await memoryInUseMib(api, pid)) ?? Number.POSITIVE_INFINITY);
  }
  return Number.isFinite(least) ? least : null;
}

/** null: there is no such file here. */
function procText(path: string): string | null {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return null;
  }
}
