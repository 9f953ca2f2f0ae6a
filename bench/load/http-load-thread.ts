/** Entry of the load's thread: see http-load.ts. */
import { parentPort } from "node:worker_threads";
import autocannon from "autocannon";
import { threadData } from "../../workers/thread-context.ts";
import { processorMsOfThisThread } from "../../workers/thread-ticks.ts";
import { flowOf } from "./flows/flow-options.ts";
import type { HttpLoadMessage, HttpLoadStart } from "./http-load-messages.ts";
import { LoadRun } from "./load-run.ts";

const PROGRESS_MS = 1_000;
/** An answer that takes longer counts as lost. */
const ANSWER_SECONDS_MAX = 30;
/** Longer than any load: it ends by our clock, never by autocannon's. */
const CANNON_SECONDS_MAX = 2_000_000;
/** How soon autocannon notices that its connections have ended. */
const CANNON_LOOK_MS = 20;

const { url, flow: flowOptions, ...bounds } = threadData<HttpLoadStart>();
const tell = (message: HttpLoadMessage): void => parentPort?.postMessage(message);

const flow = flowOf(flowOptions, url);
/** What this thread had taken when times began to count. */
const taken = () => ({
  processorMs: processorMsOfThisThread(),
  atMs: performance.now(),
  loop: performance.eventLoopUtilization(),
});
let before = taken();
const run = new LoadRun(flow, bounds);
// "stop" is the only thing that is ever said to this thread.
parentPort?.on("message", () => run.stop());
const byStream = (counts: readonly number[]): Record<string, number> =>
  Object.fromEntries(flow.streams.map((name, index) => [name, counts[index] ?? 0]));
const progress = setInterval(() => {
  tell({ kind: "progress", succeeded: byStream(run.succeeded) });
}, PROGRESS_MS);
setTimeout(() => {
  before = taken();
  tell({ kind: "counting" });
}, bounds.settleSeconds * 1_000);
const cannon = autocannon({
  url,
  connections: bounds.connections,
  pipelining: 1,
  duration: CANNON_SECONDS_MAX,
  timeout: ANSWER_SECONDS_MAX,
  sampleInt: CANNON_LOOK_MS,
  excludeErrorStats: true,
  setupClient: run.adopt,
});
await run.ended;
clearInterval(progress);
const { utilization: busyShare } = performance.eventLoopUtilization(before.loop);
const after = taken();
await cannon;
const { seconds, neverSent } = run;
const findings = flow.findings();
const [hadMs, hasMs] = [before.processorMs, after.processorMs];
const tookMs = after.atMs - before.atMs;
const cores = hadMs === null || hasMs === null ? null : (hasMs - hadMs) / tookMs;
const succeeded = byStream(run.succeededInAll);
const loaded = { streams: run.streams(), seconds, succeeded, neverSent };
tell({ kind: "ended", result: { ...loaded, findings, busyShare, cores } });
parentPort?.close();
