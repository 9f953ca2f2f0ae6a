/**
 * What threads tell of requests that are traced. A request carries its context only when it was
 * sampled; the rest of them carry nothing, and cost nothing here.
 */

/** W3C trace context (`traceparent`) of the span that asked. */
export type TraceContext = string;

/** A command that was decided, by the clock that all threads share (Clock.monotonicMs). */
export interface TracedDecision {
  readonly trace: TraceContext;
  readonly shard: number;
  readonly takenMs: number;
  readonly decidedMs: number;
}

/** A traced command's last fact. */
export interface TracedFact {
  readonly trace: TraceContext;
  readonly shard: number;
  readonly lsn: number;
}

/** One piece of work for all the traced commands that had a part in it. */
export interface TracedWork {
  readonly kind: "traced";
  readonly name: "journal.commit" | "projector.transaction";
  readonly startMs: number;
  readonly endMs: number;
  /** One at least. */
  readonly traces: readonly TraceContext[];
  readonly attributes: Readonly<Record<string, number | string>>;
}
