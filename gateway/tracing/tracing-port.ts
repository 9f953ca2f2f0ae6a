import type { EventId } from "../../engine/ids.ts";
import type { TraceContext, TracedDecision, TracedWork } from "../../workers/traced.ts";

/** One request or message, while it is traced. */
export interface OpSpan {
  readonly traceId: string;
  /** Runs what belongs to it: what is asked of actors in there, also later, becomes its child. */
  run(work: () => void): void;
  /** `status`: 0 when the client went away before. */
  end(status: number, code: string | undefined): void;
}

/** A question to an actor, while it is traced. */
export interface AskSpan {
  /** Travels with the question. */
  readonly context: TraceContext;
  end(answerKind: string): void;
}

export interface OpStart {
  readonly method: string;
  /** The route's pattern, or the message's op. */
  readonly route: string;
  readonly requestId: string;
  /** As received; "" when there was none. */
  readonly traceparent: string;
}

export interface AskStart {
  readonly eventId: EventId;
  readonly shard: number;
  readonly kind: string;
}

/** Where spans are made. Whoever has none (null) traces nothing and does nothing for it. */
export interface Tracing {
  /** null: it is not sampled. */
  begin(op: OpStart): OpSpan | null;
  /** null: it belongs to nothing that is traced. */
  ask(ask: AskStart): AskSpan | null;
  /** A worker has decided a traced question. */
  decided(decision: TracedDecision): void;
  /** A thread did something for traced questions. */
  worked(work: TracedWork): void;
}
