import { spawnThread } from "../../workers/spawn-thread.ts";
import type { FlowOptions } from "./flows/flow-options.ts";
import type { HttpLoadMessage, HttpLoadResult, HttpLoadStart } from "./http-load-messages.ts";

export interface HttpLoadOptions {
  readonly url: string;
  /** What is sent, and what is read of the answers. */
  readonly flow: FlowOptions;
  readonly connections: number;
  /** So long before, requests are sent that are not counted. Default: 0. */
  readonly settleSeconds?: number;
  /** No request is sent after so many seconds; those on their way are waited for. */
  readonly seconds: number;
  /** Exactly so many requests are sent, unless the time is over first. Default: any number. */
  readonly requests?: number | null;
  /** Of all connections together. Default: each sends as soon as its last answer has come. */
  readonly ratePerSecond?: number | null;
  /** Once a second: successes by stream since the start. */
  readonly progress?: (succeeded: Readonly<Record<string, number>>) => void;
  /** What is sent from here on counts. */
  readonly counting?: () => void;
  /** Ends the load early, as if its time were over. */
  readonly signal?: AbortSignal;
}

/** In which a load's code becomes as fast as it gets, and its connections are opened. */
export const SETTLE_SECONDS = 1;

const THREAD = new URL("./http-load-thread.ts", import.meta.url);

/**
 * Loads a server over HTTP, from a thread of its own: autocannon's connections, one request at a
 * time on each. Resolves when the time is over, the requests are used up or the flow has nothing
 * left to do, and every request was answered: nothing that was acknowledged is missing from what
 * it returns.
 */
export function runHttpLoad(options: HttpLoadOptions): Promise<HttpLoadResult> {
  const { url, flow, connections, seconds, requests, ratePerSecond, progress, signal } = options;
  const start: HttpLoadStart = {
    url,
    flow,
    settleSeconds: options.settleSeconds ?? 0,
    connections: requests == null ? connections : Math.max(1, Math.min(connections, requests)),
    seconds,
    requests: requests ?? null,
    ratePerSecond: ratePerSecond ?? null,
  };
  const thread = spawnThread(THREAD, start);
  const stop = (): void => thread.postMessage("stop");
  signal?.addEventListener("abort", stop, { once: true });
  return new Promise<HttpLoadResult>((resolve, reject) => {
    thread.on("message", (message: HttpLoadMessage) => {
      if (message.kind === "progress") progress?.(message.succeeded);
      else if (message.kind === "counting") options.counting?.();
      else resolve(message.result);
    });
    thread.on("error", reject);
    thread.on("exit", (code) => reject(new Error(`the load's thread ended with code ${code}`)));
  }).finally(() => {
    signal?.removeEventListener("abort", stop);
    return thread.terminate();
  });
}
