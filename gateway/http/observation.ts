import { performance } from "node:perf_hooks";
import type { Log } from "../log.ts";
import type { OpSpan, Tracing } from "../tracing/tracing-port.ts";
import { HttpMeter, type RouteMeter } from "./http-meter.ts";
import type { ProblemCode } from "./problem-codes.ts";
import { requestIdOf } from "./request-id.ts";
import { RequestLog } from "./request-log.ts";

/** Those that want to know of every request. */
export interface Watch {
  readonly meter: HttpMeter;
  readonly requests: RequestLog;
  /** null: nothing is traced. */
  readonly tracing: Tracing | null;
  /** Whose token it is; null: nobody's. */
  readonly userOf: (authorization: string) => string | null;
}

/** Counts and logs, and traces nothing. */
export function watchOf(log: Log): Watch {
  const requests = new RequestLog(log);
  return { meter: new HttpMeter(), requests, tracing: null, userOf: () => null };
}

/** What is observed, as far as it is told of. */
export interface Observed {
  readonly requestId: string;
  readonly traceparent: string;
  readonly authorization: string;
  /** Values of the pattern's `:name` segments. */
  readonly params: readonly string[];
}

/**
 * One request or message from its beginning to its end: counted, timed, traced and logged.
 *
 * Invariant: `ended` counts once, however often it is called.
 */
export class Observation {
  readonly #watch: Watch;
  readonly #meter: RouteMeter;
  readonly #observed: Observed;
  readonly #startedMs = performance.now();
  readonly #span: OpSpan | null;
  #isOpen = true;

  constructor(watch: Watch, meter: RouteMeter, observed: Observed) {
    this.#watch = watch;
    this.#meter = meter;
    this.#observed = observed;
    const { tracing } = watch;
    this.#span =
      tracing === null || meter.isQuiet ? null : tracing.begin({ ...meter, ...observed });
  }

  run(work: () => void): void {
    if (this.#span === null) work();
    else this.#span.run(work);
  }

  /** `status`: 0 when the client went away before. */
  ended(status: number, code?: string): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    const nowMs = performance.now();
    const durationMs = nowMs - this.#startedMs;
    const { meter, requests } = this.#watch;
    if (status === 0) this.#meter.gone();
    else this.#meter.answered(status, durationMs);
    if (code !== undefined) meter.refusals.add(code);
    this.#span?.end(status, code);
    const level = requests.levelOf(this.#meter, { status, durationMs, nowMs });
    if (level !== null) this.#write(level, { status, durationMs, code });
  }

  #write(
    level: Parameters<RequestLog["write"]>[0],
    end: { status: number; durationMs: number; code: string | undefined },
  ): void {
    const { method, route } = this.#meter;
    const { requestId, traceparent, authorization, params } = this.#observed;
    const traceId = this.#span?.traceId ?? traceparent.slice(3, 35);
    const userId = this.#watch.userOf(authorization);
    this.#watch.requests.write(level, {
      ...{ requestId, method, route, ...end },
      ...(traceId === "" ? {} : { traceId }),
      ...(userId === null ? {} : { userId }),
      ...(method === "WS" ? eventIdOf(params) : namedIds(route, params)),
    });
  }
}

/** How a request ended that was not read. */
export interface RefusedUnread {
  readonly requestId: string;
  readonly status: number;
  readonly code: ProblemCode;
  /** How long it waited to be told. */
  readonly durationMs: number;
}

/**
 * Counts and logs a request that was refused before it was read. Under overload there are many: a
 * spread object here cost as much as the whole rest of the refusal.
 */
export function refusedUnread(watch: Watch, meter: RouteMeter, refused: RefusedUnread): void {
  const { status, code, durationMs } = refused;
  meter.answered(status, durationMs);
  watch.meter.refusals.add(code);
  const nowMs = performance.now();
  const level = watch.requests.levelOf(meter, { status, durationMs, nowMs });
  if (level === null) return;
  const { method, route } = meter;
  const requestId = requestIdOf(refused.requestId);
  watch.requests.write(level, { requestId, method, route, status, durationMs, code });
}

/** Of a message that is refused unread; it gets an id if it gets a line. */
export const BUSY_UNREAD: RefusedUnread = {
  requestId: "",
  status: 503,
  code: "busy",
  durationMs: 0,
};

/** How the parameters of a path are called, by the segment before them. */
const ID_NAMES: Readonly<Record<string, string>> = {
  events: "eventId",
  holds: "holdId",
  bookings: "bookingId",
  tickets: "ticketId",
  organizations: "organizationId",
};
const ID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** Of a message: the event that it names. */
function eventIdOf([value = ""]: readonly string[]): Record<string, string> {
  return ID.test(value) ? { eventId: value } : {};
}

/** Ids that are in the path. Whatever is no id may be anything, and is left out. */
function namedIds(route: string, params: readonly string[]): Record<string, string> {
  const ids: Record<string, string> = {};
  const segments = route.split("/");
  let index = 0;
  for (const [at, segment] of segments.entries()) {
    if (!segment.startsWith(":")) continue;
    const name = ID_NAMES[segments[at - 1] ?? ""];
    const value = params[index] ?? "";
    index += 1;
    if (name !== undefined && ID.test(value)) ids[name] = value;
  }
  return ids;
}
