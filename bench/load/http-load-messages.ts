import type { Stream } from "../report/report.ts";
import type { FlowFindings } from "./flow.ts";
import type { FlowOptions } from "./flows/flow-options.ts";
import type { LoadBounds } from "./load-run.ts";

/** What the load's thread is started with. */
export interface HttpLoadStart extends LoadBounds {
  readonly url: string;
  readonly flow: FlowOptions;
}

/** From the load's thread. */
export type HttpLoadMessage =
  /** What is sent from here on counts. */
  | { readonly kind: "counting" }
  /** Once a second: successes by stream since the start. */
  | { readonly kind: "progress"; readonly succeeded: Readonly<Record<string, number>> }
  | { readonly kind: "ended"; readonly result: HttpLoadResult };

export interface HttpLoadResult {
  readonly streams: readonly Stream[];
  /** In which what counts was sent (LoadRun.seconds). */
  readonly seconds: number;
  /** By stream: all that was sent, also what was sent before it counts. */
  readonly succeeded: Readonly<Record<string, number>>;
  readonly findings: FlowFindings;
  /**
   * Share of the load's thread that was busy, 0 to 1: near 1 the load was the bottleneck, and says
   * little about the server.
   */
  readonly busyShare: number;
  /** What the thread took of a core, by the system's clock; null: the system does not tell. */
  readonly cores: number | null;
  /** With a rate: requests that were due and not sent in time, as no connection was free. */
  readonly neverSent: number;
}
