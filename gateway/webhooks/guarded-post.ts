import type { ClientRequest, IncomingMessage } from "node:http";
import * as http from "node:http";
import * as https from "node:https";
import {
  WEBHOOK_ANSWER_BYTES_MAX,
  WEBHOOK_ANSWER_CHARS_KEPT,
  WEBHOOK_CONNECT_MS_MAX,
  WEBHOOK_IDLE_SOCKETS_MAX,
  WEBHOOK_TRY_MS_MAX,
} from "../../engine/notifier-limits.ts";
import type { AddressGuard } from "./address-guard.ts";

export interface Posted {
  /** null: there was no answer, or not to its end. */
  readonly status: number | null;
  /** Why there was none: a word; null: there was one. */
  readonly error: string | null;
  /** The answer's first characters; null: it had none. */
  readonly answer: string | null;
  readonly retryAfter: string | undefined;
  readonly durationMs: number;
}

export interface PostOptions {
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | Buffer;
  /** Ends it as `stopped`. */
  readonly stopping: AbortSignal;
}

interface Bounds {
  readonly tryMs: number;
  readonly connectMs: number;
}

/** What Node calls it, and how the log of a webhook does. */
const ERROR_NAMES: Readonly<Record<string, string>> = {
  ECONNREFUSED: "connection_refused",
  ECONNRESET: "connection_closed",
  EPIPE: "connection_closed",
  ETIMEDOUT: "connect_timeout",
  address_refused: "address_refused",
  name_unknown: "name_unknown",
};

/**
 * Sends requests to addresses that strangers gave.
 *
 * Invariants:
 * - Every connection goes to an address that the guard allowed for that very connection.
 * - Each request ends within its bounds of time, and at most WEBHOOK_ANSWER_BYTES_MAX of its answer
 *   are read. Redirects are answers like others.
 */
export class GuardedPost {
  readonly #guard: AddressGuard;
  readonly #bounds: Bounds;
  readonly #plain: http.Agent;
  readonly #secure: https.Agent;

  constructor(guard: AddressGuard, bounds: Partial<Bounds> = {}) {
    this.#guard = guard;
    this.#bounds = { tryMs: WEBHOOK_TRY_MS_MAX, connectMs: WEBHOOK_CONNECT_MS_MAX, ...bounds };
    const options = {
      keepAlive: true,
      maxFreeSockets: WEBHOOK_IDLE_SOCKETS_MAX,
      timeout: this.#bounds.tryMs,
      lookup: guard.lookup,
    };
    this.#plain = new http.Agent(options);
    // Said here, so that no variable of the environment says otherwise.
    this.#secure = new https.Agent({ ...options, rejectUnauthorized: true });
  }

  /** Never throws. */
  async send(url: string, options: PostOptions): Promise<Posted> {
    const startedMs = performance.now();
    const end = (told: Partial<Posted>): Posted => ({
      status: null,
      error: null,
      answer: null,
      retryAfter: undefined,
      ...told,
      durationMs: Math.round(performance.now() - startedMs),
    });
    if (this.#guard.refusalOf(url) !== null) return end({ error: "address_refused" });
    const late = AbortSignal.timeout(this.#bounds.tryMs);
    for (;;) {
      const exchange = new Exchange(this.#open(new URL(url), options), this.#bounds.connectMs);
      try {
        return end(await exchange.run(options.body, [late, options.stopping]));
      } catch (error) {
        if (options.stopping.aborted) return end({ error: "stopped" });
        if (late.aborted) return end({ error: "timeout" });
        // The receiver closed an idle connection as we used it: the next one may be new.
        if (!exchange.wasStale) return end({ error: nameOf(error) });
      }
    }
  }

  close(): void {
    this.#plain.destroy();
    this.#secure.destroy();
  }

  #open(url: URL, { headers, body }: PostOptions): ClientRequest {
    const options = {
      method: "POST",
      headers: { ...headers, "Content-Length": Buffer.byteLength(body) },
    };
    return url.protocol === "https:"
      ? https.request(url, { ...options, agent: this.#secure })
      : http.request(url, { ...options, agent: this.#plain });
  }
}

function nameOf(error: unknown): string {
  if (!(error instanceof Error)) return "connection_failed";
  const { code, cause } = error as NodeJS.ErrnoException;
  if (cause instanceof Error) return nameOf(cause);
  const known = ERROR_NAMES[code ?? ""];
  if (known !== undefined) return known;
  const isTls = /^(?:ERR_TLS|ERR_SSL|CERT|DEPTH|SELF_SIGNED|UNABLE_TO|EPROTO)/.test(code ?? "");
  return isTls ? "tls_failed" : "connection_failed";
}

/** One request and its answer. */
class Exchange {
  readonly #request: ClientRequest;
  readonly #connectMs: number;
  #hasAnswer = false;

  constructor(request: ClientRequest, connectMs: number) {
    this.#request = request;
    this.#connectMs = connectMs;
  }

  /** The connection was an old one, and gone. */
  wasStale = false;

  /** Throws whatever went wrong. */
  async run(body: string | Buffer, ends: readonly AbortSignal[]): Promise<Partial<Posted>> {
    const request = this.#request;
    const end = AbortSignal.any([...ends]);
    const stop = (): void => {
      request.destroy();
    };
    end.addEventListener("abort", stop);
    try {
      if (end.aborted) stop();
      return await readAnswer(await this.#answer(body));
    } finally {
      end.removeEventListener("abort", stop);
    }
  }

  #answer(body: string | Buffer): Promise<IncomingMessage> {
    const request = this.#request;
    return new Promise((resolve, reject) => {
      request.once("response", (response) => {
        this.#hasAnswer = true;
        resolve(response);
      });
      request.on("error", (error: NodeJS.ErrnoException) => {
        const isGone = error.code === "ECONNRESET" || error.code === "EPIPE";
        this.wasStale = isGone && request.reusedSocket && !this.#hasAnswer;
        reject(error);
      });
      this.#boundConnecting();
      request.end(body);
    });
  }

  #boundConnecting(): void {
    const request = this.#request;
    request.once("socket", (socket) => {
      if (!socket.connecting) return;
      const timer = setTimeout(() => {
        request.destroy(Object.assign(new Error("no connection"), { code: "ETIMEDOUT" }));
      }, this.#connectMs);
      const done = (): void => clearTimeout(timer);
      socket.once("encrypted" in socket ? "secureConnect" : "connect", done);
      socket.once("close", done);
    });
  }
}

/** To its end, or to the bound. Throws when it breaks off. */
async function readAnswer(response: IncomingMessage): Promise<Partial<Posted>> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of response) {
    if (!Buffer.isBuffer(chunk)) continue;
    chunks.push(chunk);
    bytes += chunk.length;
    // Leaving the loop closes the connection.
    if (bytes >= WEBHOOK_ANSWER_BYTES_MAX) break;
  }
  const { statusCode: status = 0, headers } = response;
  // PostgreSQL keeps no text with NUL in it, nor halves of characters.
  const text = Buffer.concat(chunks).toString("utf8").replaceAll("\0", "");
  const answer = Buffer.from(text.slice(0, WEBHOOK_ANSWER_CHARS_KEPT)).toString();
  return { status, answer: answer === "" ? null : answer, retryAfter: headers["retry-after"] };
}
