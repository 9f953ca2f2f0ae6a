/** Entry of a thread of subscribers. */
import { monitorEventLoopDelay } from "node:perf_hooks";
import { setTimeout as delay } from "node:timers/promises";
import { currentThread, threadData } from "../../workers/thread-context.ts";
import { LiveSocket } from "../load/live-socket.ts";
import type { CrowdThreadOptions, FromCrowdThread, ToCrowdThread } from "./crowd.ts";
import { machineMs } from "./crowd-clock.ts";
import { DeltaWatch } from "./delta-watch.ts";
import { StateFold, sampleOf } from "./state-fold.ts";

/** Connections that are on their way at a time: more only wait in the server's queue. */
const OPENING_MAX = 64;
const WELCOME_MS_MAX = 60_000;
/** How long after the last change the last subscriber may hear of it. */
const LAST_DELTA_MS_MAX = 10_000;
const LOOK_MS = 20;
const LAG_RESOLUTION_MS = 2;

const { parent } = currentThread();
const tell = (message: FromCrowdThread): void => parent.postMessage(message);
const options = threadData<CrowdThreadOptions>();
const watch = new DeltaWatch(options.subscribers);
const sample = sampleOf(options.subscribers, options.sampled);
const folds = new Map(sample.map((subscriber) => [subscriber, new StateFold()]));
const sockets: LiveSocket[] = [];
const lost: string[] = [];
const lag = monitorEventLoopDelay({ resolution: LAG_RESOLUTION_MS });
let before = performance.eventLoopUtilization();
let isLeaving = false;

async function join(subscriber: number): Promise<void> {
  const { url, eventId, localAddresses } = options;
  const localAddress = localAddresses[subscriber % Math.max(1, localAddresses.length)];
  const fold = folds.get(subscriber);
  const socket = await LiveSocket.open({
    url,
    token: "",
    ...(localAddress === undefined ? {} : { localAddress }),
    heard: (bytes, start, end) => {
      watch.hear(subscriber, bytes, start, machineMs());
      fold?.hear(bytes.toString("utf8", start, end));
    },
    closed: (reason) => {
      if (!isLeaving) lost.push(reason);
    },
  });
  sockets.push(socket);
  socket.send(`{"op":"subscribe","eventId":"${eventId}"}`);
}

async function gather(): Promise<void> {
  let next = 0;
  const comeIn = async (): Promise<void> => {
    for (let own = next++; own < options.subscribers; own = next++) await join(own);
  };
  const timer = setInterval(() => tell({ kind: "welcomed", count: watch.welcomed }), 500);
  await Promise.all(Array.from({ length: OPENING_MAX }, comeIn));
  const endMs = performance.now() + WELCOME_MS_MAX;
  while (watch.welcomed < options.subscribers && lost.length === 0) {
    if (performance.now() > endMs) throw new Error(`${watch.welcomed} have had a snapshot`);
    await delay(LOOK_MS);
  }
  clearInterval(timer);
  if (lost.length > 0) throw new Error(`${lost.length} subscribers were cut off: ${lost[0]}`);
  tell({ kind: "welcomed", count: watch.welcomed });
  tell({ kind: "ready" });
}

async function end(seq: number): Promise<void> {
  const { utilization } = performance.eventLoopUtilization(before);
  lag.disable();
  const endMs = performance.now() + LAST_DELTA_MS_MAX;
  while (watch.behind(seq) > lost.length && performance.now() < endMs) await delay(LOOK_MS);
  const findings = {
    ...watch.findings(),
    subscribers: options.subscribers,
    behind: watch.behind(seq),
    lost: lost.length,
    lostBecause: lost[0] ?? "",
    utilisation: utilization,
    loopLagMsP99: Math.max(0, lag.percentile(99) / 1e6 - LAG_RESOLUTION_MS),
    sample: Array.from(folds.values(), (fold) => fold.state()),
  };
  isLeaving = true;
  for (const socket of sockets) socket.close();
  tell({ kind: "findings", findings });
}

function failed(error: unknown): void {
  tell({ kind: "failed", message: error instanceof Error ? error.message : String(error) });
}

parent.on("message", (message: ToCrowdThread) => {
  if (message.kind === "end") {
    end(message.seq).catch(failed);
    return;
  }
  before = performance.eventLoopUtilization();
  lag.enable();
});
gather().catch(failed);
