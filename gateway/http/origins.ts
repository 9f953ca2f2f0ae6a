import { DOOR_MEMORY_MAX, PREFLIGHT_SECONDS } from "../../engine/door-limits.ts";
import { FifoMap } from "../../engine/fifo-map.ts";

/** What a page may read of an answer beyond its body. */
const EXPOSED = [
  ...["ETag", "Location", "Retry-After", "X-Request-Id", "Idempotent-Replayed"],
  ...["X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset"],
];
/** What a page may send. */
const SENDABLE = [
  ...["Authorization", "Content-Type", "Idempotency-Key", "If-None-Match", "X-Request-Id"],
  ...["traceparent", "tracestate"],
];

/** `https://shop.example.org`, `https://*.example.org`, `http://localhost:*`, `*`. */
const PATTERN =
  /^(https?):\/\/(\*\.)?([a-z0-9](?:[a-z0-9.-]*[a-z0-9])?|\[[0-9a-f:]+\])(?::(\*|\d{1,5}))?$/i;

/** Where people develop a shop. */
export const LOCAL_ORIGINS = [
  ...["http://localhost:*", "http://127.0.0.1:*", "http://[::1]:*"],
  ...["https://localhost:*", "https://127.0.0.1:*", "https://[::1]:*"],
];

/** undefined: no pattern of an origin. */
export function parseOriginPattern(text: string): RegExp | undefined {
  if (text === "*") return /^/;
  const [, scheme = "", anySub, host = "", port] = PATTERN.exec(text) ?? [];
  if (scheme === "") return undefined;
  const literal = host.toLowerCase().replace(/[.[\]]/g, "\\$&");
  const sub = anySub === undefined ? "" : "(?:[a-z0-9-]+\\.)+";
  const ports = port === "*" ? "(?::\\d{1,5})?" : port === undefined ? "" : `:${port}`;
  return new RegExp(`^${scheme.toLowerCase()}://${sub}${literal}${ports}$`);
}

/**
 * Pages of which origins may ask from a browser (CORS), and open WebSockets.
 *
 * Nothing here rests on cookies: whoever asks has to know a token. So an origin that is not allowed
 * is refused nothing over HTTP, but its browser hides the answer from the page.
 */
export class Origins {
  readonly #patterns: readonly RegExp[];
  readonly #isForAll: boolean;
  readonly #lines = new FifoMap<string, string>();

  /** Patterns as above; those that are none are left out. */
  constructor(patterns: readonly string[]) {
    this.#isForAll = patterns.includes("*");
    this.#patterns = patterns.flatMap((text) => parseOriginPattern(text) ?? []);
  }

  /** Whether answers differ by origin at all. */
  get isAny(): boolean {
    return this.#patterns.length > 0;
  }

  /** `origin` as browsers write it. */
  allows(origin: string): boolean {
    return this.#isForAll || this.#patterns.some((pattern) => pattern.test(origin));
  }

  /** Header lines for an answer to a page of `origin`, each behind a line break. "": no page. */
  linesFor(origin: string): string {
    if (!this.isAny) return "";
    const known = this.#lines.get(origin);
    if (known !== undefined) return known;
    const lines = this.#write(origin);
    this.#lines.set(origin, lines);
    const oldest = this.#lines.size > DOOR_MEMORY_MAX ? this.#lines.oldestKey() : undefined;
    if (oldest !== undefined) this.#lines.delete(oldest);
    return lines;
  }

  /** What a preflight is told beyond that. */
  preflightHeaders(origin: string, methods: readonly string[]): Record<string, string> {
    if (origin === "" || !this.allows(origin)) return {};
    return {
      "Access-Control-Allow-Methods": methods.join(", "),
      "Access-Control-Allow-Headers": SENDABLE.join(", "),
      "Access-Control-Max-Age": String(PREFLIGHT_SECONDS),
    };
  }

  /** What is given depends on the origin, so a cache has to know that. */
  #write(origin: string): string {
    const vary = this.#isForAll ? "" : "\r\nVary: Origin";
    if (origin === "" || !this.allows(origin)) return vary;
    const allowed = this.#isForAll ? "*" : origin;
    const exposed = `\r\nAccess-Control-Expose-Headers: ${EXPOSED.join(", ")}`;
    return `${vary}\r\nAccess-Control-Allow-Origin: ${allowed}${exposed}`;
  }
}
