import { Histogram, type HistogramSnapshot, LATENCY_SECONDS } from "../../workers/histogram.ts";
import { type Counts, Tally } from "../../workers/tally.ts";

/** How requests end: by the class of their status, or by the client going away before. */
export const ENDS = ["1xx", "2xx", "3xx", "4xx", "5xx", "gone"] as const;
const GONE = ENDS.indexOf("gone");

/** Requests of one route and method. */
export class RouteMeter {
  readonly method: string;
  /** The route's pattern, never a path that somebody sent. */
  readonly route: string;
  /** Asked every few seconds by machines: of no interest while it goes well. */
  readonly isQuiet: boolean;
  readonly #ends = new Float64Array(ENDS.length);
  readonly #seconds = new Histogram(LATENCY_SECONDS);

  constructor(method: string, route: string) {
    this.method = method;
    this.route = route;
    this.isQuiet = /^\/(?:health\/|metrics$)/.test(route);
  }

  answered(status: number, tookMs: number): void {
    const end = Math.floor(status / 100) - 1;
    this.#ends[end] = (this.#ends[end] ?? 0) + 1;
    this.#seconds.observe(tookMs / 1_000);
  }

  gone(): void {
    this.#ends[GONE] = (this.#ends[GONE] ?? 0) + 1;
  }

  get seconds(): HistogramSnapshot {
    return this.#seconds.snapshot();
  }

  /** Ends that there were. */
  counts(): Counts {
    return ENDS.map((end, index) => [end, this.#ends[index] ?? 0] as const).filter(
      ([, count]) => count > 0,
    );
  }
}

const METHODS = new Set(["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]);

/**
 * Counts what passes through the server, as plain numbers.
 *
 * Invariant: there is one RouteMeter for each method and route that the program has, whatever
 * clients send: unknown methods are `other`, paths without a route `unmatched`.
 */
export class HttpMeter {
  readonly #routes = new Map<string, RouteMeter>();
  readonly #ops = new Map<string, RouteMeter>();
  /** Problems that were answered, by their code. */
  readonly refusals = new Tally();
  /** WebSocket readers that were cut off for being too slow. */
  slowReaders = 0;
  /** Upgrades that were refused. */
  socketsRefused = 0;
  /** Connections that were closed unheard: there are too many, or too many of that address. */
  connectionsRefused = 0;

  route(method: string, route: string): RouteMeter {
    const name = METHODS.has(method) ? method : "other";
    const key = `${name} ${route}`;
    const known = this.#routes.get(key);
    if (known !== undefined) return known;
    const meter = new RouteMeter(name, route);
    this.#routes.set(key, meter);
    return meter;
  }

  /** Of a WebSocket message whose op is one that the program has. */
  op(op: string): RouteMeter {
    const known = this.#ops.get(op);
    if (known !== undefined) return known;
    const meter = new RouteMeter("WS", op);
    this.#ops.set(op, meter);
    return meter;
  }

  ops(): Iterable<RouteMeter> {
    return this.#ops.values();
  }

  routes(): Iterable<RouteMeter> {
    return this.#routes.values();
  }
}
