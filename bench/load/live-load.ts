/** Holds over a few WebSockets, many in flight on each, from a thread of their own. */
import type { Worker } from "node:worker_threads";
import { spawnThread } from "../../workers/spawn-thread.ts";
import type { HttpLoadResult } from "./http-load-messages.ts";

export interface LiveLoadOptions {
  readonly url: string;
  /** Holds go to these in turn; each has an area `floor`. */
  readonly eventIds: readonly string[];
  /** Access tokens of those who buy: a socket each, in turn. */
  readonly tokens: readonly string[];
  readonly sockets: number;
  readonly inFlightPerSocket: number;
  /** It ends when either is reached; null: not by that. */
  readonly durationSeconds: number | null;
  readonly amount: number | null;
  /** null: as fast as replies come. */
  readonly ratePerSecond: number | null;
  /** Of the keys of all requests: fresh for every load on one server. */
  readonly keyPrefix: string;
}

/** As of a load over HTTP; what its thread took is in `busyShare`. */
export type LiveLoadResult = Omit<HttpLoadResult, "cores" | "succeeded">;

export type FromLiveLoad =
  /** Its sockets are open. */
  | { readonly kind: "begun" }
  | { readonly kind: "held"; readonly count: number }
  | { readonly kind: "done"; readonly result: LiveLoadResult }
  | { readonly kind: "failed"; readonly message: string };

export class LiveLoadFailed extends Error {
  readonly code = "live_load_failed";
}

/** `progress` is told once a second how many holds there are so far, `begun` before the first. */
export function runLiveLoad(
  options: LiveLoadOptions,
  progress: (held: Readonly<Record<string, number>>) => void = () => undefined,
  begun: () => void = () => undefined,
): Promise<LiveLoadResult> {
  const thread: Worker = spawnThread(new URL("./live-load-thread.ts", import.meta.url), options);
  const result = new Promise<LiveLoadResult>((resolve, reject) => {
    thread.on("message", (message: FromLiveLoad) => {
      if (message.kind === "held") progress({ holds: message.count });
      else if (message.kind === "begun") begun();
      else if (message.kind === "done") resolve(message.result);
      else reject(new LiveLoadFailed(message.message));
    });
    thread.on("error", reject);
    thread.on("exit", () => reject(new LiveLoadFailed("the load's thread has ended")));
  });
  return result.finally(() => thread.terminate());
}
