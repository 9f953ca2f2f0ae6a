/**
 * Traces, made with OpenTelemetry's SDK and sent by OTLP. This module and the packages behind it
 * are loaded only where traces are configured.
 *
 *   POST /api/v1/events/:id/holds            the request, with the caller's span as parent
 *   └─ actor.ask                             from the gateway's question until its answer
 *      ├─ actor.mailbox                      until the worker took it up
 *      ├─ actor.decide
 *      ├─ journal.commit                     one frame, linked to all that are traced in it
 *      └─ projector.transaction              likewise; it ends long after the answer
 *
 * Other threads make no spans: they tell what took how long, and whose it was.
 */
import { AsyncLocalStorage } from "node:async_hooks";
import { setTimeout as delay } from "node:timers/promises";
import {
  type Context,
  DiagLogLevel,
  diag,
  ROOT_CONTEXT,
  type Span,
  SpanKind,
  SpanStatusCode,
  type Tracer,
  trace,
} from "@opentelemetry/api";
import { OTLPTraceExporter as JsonExporter } from "@opentelemetry/exporter-trace-otlp-http";
import { OTLPTraceExporter as ProtobufExporter } from "@opentelemetry/exporter-trace-otlp-proto";
import {
  defaultResource,
  detectResources,
  envDetector,
  resourceFromAttributes,
} from "@opentelemetry/resources";
import {
  AlwaysOffSampler,
  AlwaysOnSampler,
  BasicTracerProvider,
  BatchSpanProcessor,
  ParentBasedSampler,
  type Sampler,
  TraceIdRatioBasedSampler,
} from "@opentelemetry/sdk-trace-base";
import { TRACE_EXPORT_MS_MAX } from "../../engine/telemetry-limits.ts";
import { unreachable } from "../../engine/unreachable.ts";
import type { Clock } from "../../workers/clock.ts";
import type { TracedDecision, TracedWork } from "../../workers/traced.ts";
import type { Log } from "../log.ts";
import type { TracingConfig } from "../telemetry-config.ts";
import type { AskSpan, AskStart, OpSpan, OpStart, Tracing } from "./tracing-port.ts";

/** How often the difference between the threads' clock and the time of day is looked at. */
const CLOCK_LOOK_MS = 60_000;

export interface OtlpTracingPorts {
  readonly clock: Clock;
  readonly log: Pick<Log, "warn">;
}

export class OtlpTracing implements Tracing {
  readonly #clock: Clock;
  readonly #provider: BasicTracerProvider;
  readonly #tracer: Tracer;
  /** The request that the running code belongs to. */
  readonly #current = new AsyncLocalStorage<Span>();
  /** When the questions that are open were asked, by the id of their span. */
  readonly #asked = new Map<string, number>();
  /** What the threads' clock lacks to Unix ms. */
  #offsetMs = 0;
  readonly #cancel: () => void;

  constructor(config: TracingConfig, { clock, log }: OtlpTracingPorts) {
    this.#clock = clock;
    const lookAtClock = (): void => {
      this.#offsetMs = clock.wallMs() - clock.monotonicMs();
    };
    lookAtClock();
    this.#cancel = clock.every(CLOCK_LOOK_MS, lookAtClock);
    const warn = (message: string): void => log.warn({ reason: message }, "traces are not sent");
    const silent = (): void => undefined;
    const logger = { error: warn, warn, info: silent, debug: silent, verbose: silent };
    diag.setLogger(logger, { logLevel: DiagLogLevel.WARN, suppressOverrideMessage: true });
    const options = { url: config.url, timeoutMillis: TRACE_EXPORT_MS_MAX };
    const exporter =
      config.protocol === "http/json" ? new JsonExporter(options) : new ProtobufExporter(options);
    const named = resourceFromAttributes({ "service.name": config.serviceName });
    this.#provider = new BasicTracerProvider({
      resource: defaultResource()
        .merge(detectResources({ detectors: [envDetector] }))
        .merge(named),
      sampler: samplerOf(config),
      // Its queue is bounded: of more spans than can be sent, some are dropped.
      spanProcessors: [new BatchSpanProcessor(exporter)],
    });
    this.#tracer = this.#provider.getTracer("evently");
  }

  begin({ method, route, requestId, traceparent }: OpStart): OpSpan | null {
    const attributes = {
      "http.request.method": method,
      "http.route": route,
      "evently.request_id": requestId,
    };
    const options = { kind: SpanKind.SERVER, attributes, startTime: this.#nowMs() };
    const span = this.#tracer.startSpan(`${method} ${route}`, options, remote(traceparent));
    if (!span.isRecording()) return null;
    return {
      traceId: span.spanContext().traceId,
      run: (work) => this.#current.run(span, work),
      end: (status, code) => {
        span.setAttribute("http.response.status_code", status);
        if (code !== undefined) span.setAttribute("error.type", code);
        if (status >= 500) span.setStatus({ code: SpanStatusCode.ERROR });
        span.end(this.#nowMs());
      },
    };
  }

  ask({ eventId, shard, kind }: AskStart): AskSpan | null {
    const parent = this.#current.getStore();
    if (parent === undefined) return null;
    const startTime = this.#nowMs();
    const attributes = {
      "evently.event_id": eventId,
      "evently.shard": shard,
      "evently.kind": kind,
    };
    const context = trace.setSpan(ROOT_CONTEXT, parent);
    const span = this.#tracer.startSpan("actor.ask", { attributes, startTime }, context);
    const { traceId, spanId } = span.spanContext();
    this.#asked.set(spanId, startTime);
    return {
      context: `00-${traceId}-${spanId}-01`,
      end: (answerKind) => {
        this.#asked.delete(spanId);
        span.setAttribute("evently.answer", answerKind);
        span.end(this.#nowMs());
      },
    };
  }

  decided({ trace: asker, shard, takenMs, decidedMs }: TracedDecision): void {
    const parent = remote(asker);
    const spanId = trace.getSpanContext(parent)?.spanId ?? "";
    const attributes = { "evently.shard": shard };
    const [taken, decided] = [this.#epochMs(takenMs), this.#epochMs(decidedMs)];
    const startTime = Math.min(this.#asked.get(spanId) ?? taken, taken);
    this.#tracer.startSpan("actor.mailbox", { attributes, startTime }, parent).end(taken);
    this.#tracer.startSpan("actor.decide", { attributes, startTime: taken }, parent).end(decided);
  }

  worked({ name, startMs, endMs, traces, attributes }: TracedWork): void {
    const contexts = traces.map(remote);
    const links = contexts.flatMap((one) => {
      const context = trace.getSpanContext(one);
      return context === undefined ? [] : [{ context }];
    });
    const options = { startTime: this.#epochMs(startMs), links, attributes };
    // Work for many has one parent, so that one trace shows it; the others lead to it by a link.
    const span = this.#tracer.startSpan(name, options, contexts[0] ?? ROOT_CONTEXT);
    span.end(this.#epochMs(endMs));
  }

  /** Sends what waits, within bounds. */
  async stop(): Promise<void> {
    this.#cancel();
    const sent = this.#provider.shutdown().catch((error: unknown) => diag.warn(String(error)));
    await Promise.race([sent, delay(TRACE_EXPORT_MS_MAX, null, { ref: false })]);
  }

  #nowMs(): number {
    return this.#epochMs(this.#clock.monotonicMs());
  }

  #epochMs(monotonicMs: number): number {
    return monotonicMs + this.#offsetMs;
  }
}

const TRACEPARENT = /^[0-9a-f]{2}-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})$/;

/** The context of a span elsewhere; the root when it is none. */
function remote(traceparent: string): Context {
  const [, traceId, spanId, flags] = TRACEPARENT.exec(traceparent) ?? [];
  if (traceId === undefined || spanId === undefined || flags === undefined) return ROOT_CONTEXT;
  const traceFlags = Number.parseInt(flags, 16);
  return trace.setSpanContext(ROOT_CONTEXT, { traceId, spanId, traceFlags, isRemote: true });
}

function samplerOf({ sampler, ratio }: TracingConfig): Sampler {
  switch (sampler) {
    case "always_on":
      return new AlwaysOnSampler();
    case "always_off":
      return new AlwaysOffSampler();
    case "traceidratio":
      return new TraceIdRatioBasedSampler(ratio);
    case "parentbased_always_on":
      return new ParentBasedSampler({ root: new AlwaysOnSampler() });
    case "parentbased_always_off":
      return new ParentBasedSampler({ root: new AlwaysOffSampler() });
    case "parentbased_traceidratio":
      return new ParentBasedSampler({ root: new TraceIdRatioBasedSampler(ratio) });
    default:
      return unreachable(sampler);
  }
}
