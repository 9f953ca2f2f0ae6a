/** Entry of the soak's thread. */
import { currentThread, threadData } from "../../workers/thread-context.ts";
import { LiveCaller } from "../load/live-caller.ts";
import type { FromSoakThread, SoakLoadOptions, ToSoakThread } from "./soak-load.ts";
import { SteadySale } from "./steady-sale.ts";

const { parent } = currentThread();
const options = threadData<SoakLoadOptions>();
const tell = (message: FromSoakThread): void => parent.postMessage(message);
const failed = (error: unknown): void => {
  tell({ kind: "failed", message: error instanceof Error ? error.message : String(error) });
};

const callersOf = (tokens: readonly string[]): Promise<LiveCaller[]> =>
  Promise.all(tokens.map((token) => LiveCaller.open({ url: options.url, token })));

async function open(): Promise<SteadySale> {
  const sale = new SteadySale(await callersOf(options.tokens), options);
  setInterval(() => tell({ kind: "held", count: sale.held }), 1_000).unref();
  return sale;
}

const sale = open();
const before = performance.eventLoopUtilization();

async function receive(message: ToSoakThread): Promise<void> {
  const opened = await sale;
  if (message.kind === "event") return opened.sell(message.eventId);
  if (message.kind === "buyers") return opened.renew(await callersOf(message.tokens));
  const result = await opened.end();
  const { utilization } = performance.eventLoopUtilization(before);
  tell({ kind: "done", result: { ...result, busyShare: utilization } });
}

sale.catch(failed);
parent.on("message", (message: ToSoakThread) => {
  receive(message).catch(failed);
});
