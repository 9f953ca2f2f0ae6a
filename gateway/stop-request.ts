import { constants } from "node:os";
import { STOP_AGAIN_MS_MIN } from "../engine/limits.ts";

/** What a start ends with that a stop has overtaken. */
export class StopAsked extends Error {
  readonly code = "stop_asked";
}

/**
 * Listens for SIGTERM and SIGINT. The first of them aborts what is returned, with StopAsked; one
 * that comes STOP_AGAIN_MS_MIN later or more ends the process where it stands.
 */
export function listenForStop(): AbortSignal {
  const stopping = new AbortController();
  let askedMs = 0;
  const heard = (signal: NodeJS.Signals): void => {
    if (!stopping.signal.aborted) {
      askedMs = performance.now();
      stopping.abort(new StopAsked(signal));
    } else if (performance.now() - askedMs >= STOP_AGAIN_MS_MIN) {
      process.exit(128 + constants.signals[signal]);
    }
  };
  for (const signal of ["SIGTERM", "SIGINT"]) process.removeAllListeners(signal).on(signal, heard);
  return stopping.signal;
}

/** As `work` ends, or with the signal's reason as soon as it is aborted; `work` goes on then. */
export function unlessAborted<T>(signal: AbortSignal, work: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const giveUp = (): void => reject(signal.reason);
    signal.addEventListener("abort", giveUp, { once: true });
    if (signal.aborted) giveUp();
    work.finally(() => signal.removeEventListener("abort", giveUp)).then(resolve, reject);
  });
}

/** Resolves once the signal is aborted. */
export function untilAborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    signal.addEventListener("abort", () => resolve(), { once: true });
    if (signal.aborted) resolve();
  });
}
