/** A steady sale on one event after another, from a thread of its own. */
import { spawnThread } from "../../workers/spawn-thread.ts";
import type { FlowFindings } from "../load/flow.ts";
import type { Stream } from "../report/report.ts";

export interface SoakLoadOptions {
  readonly url: string;
  /** Access tokens of those who buy: a socket each. */
  readonly tokens: readonly string[];
  readonly holdsPerSecond: number;
  /** Of the load's random choices. */
  readonly seed: number;
}

export interface SoakLoadResult {
  readonly streams: readonly Stream[];
  readonly findings: FlowFindings;
  readonly busyShare: number;
  /** Holds that were due when no socket was free. */
  readonly neverSent: number;
}

export type ToSoakThread =
  | { readonly kind: "event"; readonly eventId: string }
  | { readonly kind: "buyers"; readonly tokens: readonly string[] }
  | { readonly kind: "end" };

export type FromSoakThread =
  | { readonly kind: "held"; readonly count: number }
  | { readonly kind: "done"; readonly result: SoakLoadResult }
  | { readonly kind: "failed"; readonly message: string };

export class SoakLoadFailed extends Error {
  readonly code = "soak_load_failed";
}

export interface RunningSoak {
  /** From now on this event is sold. */
  sell(eventId: string): void;
  /** From now on these hold; what others have begun they finish themselves. */
  renew(tokens: readonly string[]): void;
  /** Resolves once everything that was begun has ended. */
  end(): Promise<SoakLoadResult>;
  stop(): Promise<void>;
}

export function startSoak(options: SoakLoadOptions, held: (count: number) => void): RunningSoak {
  const thread = spawnThread(new URL("./soak-load-thread.ts", import.meta.url), options);
  const result = new Promise<SoakLoadResult>((resolve, reject) => {
    thread.on("message", (message: FromSoakThread) => {
      if (message.kind === "held") held(message.count);
      else if (message.kind === "done") resolve(message.result);
      else reject(new SoakLoadFailed(message.message));
    });
    thread.on("error", reject);
    thread.on("exit", () => reject(new SoakLoadFailed("the load's thread has ended")));
  });
  // Whoever waits for the end hears of it.
  result.catch(() => undefined);
  const tell = (message: ToSoakThread): void => thread.postMessage(message);
  return {
    sell: (eventId) => tell({ kind: "event", eventId }),
    renew: (tokens) => tell({ kind: "buyers", tokens }),
    end: () => {
      tell({ kind: "end" });
      return result.finally(() => thread.terminate());
    },
    stop: async () => {
      await thread.terminate();
    },
  };
}
