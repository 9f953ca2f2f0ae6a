import uws, { type HttpRequest as Arriving, type HttpResponse as Wire } from "uWebSockets.js";
import { STATUS_CODES } from "node:http";
import {
  BODY_BYTES_MAX,
  DRAIN_MS_MAX,
  SOCKET_BACKLOG_BYTES_MAX,
  SOCKET_IDLE_SECONDS_MAX,
  SOCKET_MESSAGE_BYTES_MAX,
  SOCKETS_MAX,
  STREAMED_ANSWER_BYTES_MIN,
} from "../../engine/limits.ts";
import type { Log } from "../log.ts";
import { BodyCollector } from "./body-collector.ts";
import type { HttpRequest, HttpResponse, LiveHandler, Route } from "./exchange.ts";
import { LiveConnection } from "./live-connection.ts";
import { failureResponse, problem } from "./problem.ts";
import type { ProblemCode } from "./problem-codes.ts";
import { requestIdOf, traceparentOf } from "./request-id.ts";

// The published types lack the overload that the library has: host, port and options together.
declare module "uWebSockets.js" {
  interface TemplatedApp {
    listen(
      host: string,
      port: number,
      options: number,
      callback: (token: uws.us_listen_socket | false) => void,
    ): TemplatedApp;
  }
}

/** Without it two processes could share a port and each get half of the requests. */
const EXCLUSIVE_PORT = 1;

const NO_BODY = Buffer.alloc(0);
const JSON_TYPE = "application/json; charset=utf-8";
const STATUS_LINES = new Map(
  Object.entries(STATUS_CODES).map(([code, text]) => [Number(code), `${code} ${text}`]),
);

export class ListenError extends Error {
  readonly code = "listen_failed";
}

interface ServerOptions {
  readonly routes: readonly Route[];
  readonly live: LiveHandler;
  readonly livePath: string;
  readonly log: Log;
}

/** What the exchanges of one server share. */
interface Traffic {
  readonly log: Log;
  /** Requests that are not answered yet, and answers that are not sent yet. */
  open: number;
  /** Bytes of unfinished bodies. */
  bytes: number;
  /** Told when `open` falls to 0. */
  idle: (() => void) | null;
}

/** A request while it is put together; routes see it read-only. */
type Draft = { -readonly [Member in keyof HttpRequest]: HttpRequest[Member] };

/**
 * One request and its answer.
 *
 * Invariants:
 * - It is answered at most once; a second answer is a bug that is logged and has no effect.
 * - `#wire` is not touched after it was aborted or the answer is complete.
 * - It counts in `traffic.open` from its making until the answer is sent or the client is gone.
 */
class Exchange {
  readonly request: HttpRequest;
  readonly #traffic: Traffic;
  readonly #wire: Wire;
  readonly #isHead: boolean;
  #state: "open" | "answered" | "gone" = "open";
  #counted = true;
  #collector: BodyCollector | null = null;

  constructor(traffic: Traffic, wire: Wire, request: HttpRequest, isHead: boolean) {
    this.#traffic = traffic;
    this.#wire = wire;
    this.request = request;
    this.#isHead = isHead;
    traffic.open += 1;
    wire.onAborted(() => this.#abort());
  }

  /** Reads the body, then runs the route. */
  receive(route: Route, draft: Draft, bytesMax: number): void {
    const collector = new BodyCollector(bytesMax, this.#traffic);
    this.#collector = collector;
    this.#wire.onData((chunk, isLast) => {
      if (this.#state !== "open") return;
      const collected = collector.add(chunk, isLast);
      if (collected.kind === "complete") {
        draft.body = collected.body;
        this.run(route);
      } else if (collected.kind === "tooLarge") {
        this.refuse("payload_too_large");
      } else if (collected.kind === "noRoom") {
        this.refuse("busy");
      }
    });
  }

  run(route: Route): void {
    try {
      route.handler(this.request, (response) => this.answer(response));
    } catch (error) {
      if (this.#state === "open") this.answer(failureResponse(error, this.request.requestId));
      else this.#traffic.log.error({ ...this.#where(), err: error }, "handler failed after answer");
    }
  }

  refuse(code: ProblemCode): void {
    this.answer(problem(code, this.request.requestId));
  }

  answer(response: HttpResponse): void {
    if (response.cause !== undefined) {
      this.#traffic.log.error({ ...this.#where(), err: response.cause }, "request failed");
    }
    if (this.#state === "gone") return;
    if (this.#state === "answered") {
      this.#traffic.log.error({ ...this.#where(), status: response.status }, "answered twice");
      return;
    }
    this.#state = "answered";
    this.#wire.cork(() => this.#write(response));
  }

  #write(response: HttpResponse): void {
    const wire = this.#wire;
    const { status, body, headers } = response;
    wire.writeStatus(STATUS_LINES.get(status) ?? String(status));
    if (body !== null) wire.writeHeader("Content-Type", response.contentType ?? JSON_TYPE);
    wire.writeHeader("X-Request-Id", this.request.requestId);
    wire.writeHeader("X-Content-Type-Options", "nosniff");
    for (const name in headers) wire.writeHeader(name, headers[name] ?? "");
    if (body === null) {
      // 204 and 304 have no length; the others have one of 0.
      if (status === 204 || status === 304) wire.endWithoutBody();
      else wire.end("");
    } else if (this.#isHead) {
      wire.endWithoutBody(Buffer.byteLength(body));
    } else if (body.length >= STREAMED_ANSWER_BYTES_MIN) {
      this.#stream(typeof body === "string" ? Buffer.from(body) : body);
      return;
    } else {
      wire.end(body);
    }
    this.#settle();
  }

  /** Sends as fast as the client reads: no copy of the rest waits for it. */
  #stream(body: Buffer): void {
    const [, finished] = this.#wire.tryEnd(body, body.length);
    if (finished) {
      this.#settle();
      return;
    }
    this.#wire.onWritable((offset) => {
      const [sent, done] = this.#wire.tryEnd(body.subarray(offset), body.length);
      if (done) this.#settle();
      return sent;
    });
  }

  #abort(): void {
    this.#state = "gone";
    this.#collector?.discard();
    this.#settle();
  }

  #settle(): void {
    if (!this.#counted) return;
    this.#counted = false;
    this.#traffic.open -= 1;
    if (this.#traffic.open === 0) this.#traffic.idle?.();
  }

  #where() {
    const { requestId, method, path } = this.request;
    return { requestId, method, path };
  }
}

interface SocketData {
  readonly connection: LiveConnection;
}

/**
 * The HTTP and WebSocket server. No other file knows the library behind it.
 *
 * Whatever is borrowed from the library (the request, a chunk, a message) is copied before its
 * callback returns, and every answer is written in one piece.
 */
export class HttpServer {
  readonly #app = uws.App();
  readonly #traffic: Traffic;
  readonly #live: LiveHandler;
  readonly #connections = new Set<LiveConnection>();
  #socketsTotal = 0;
  #listening: uws.us_listen_socket | null = null;
  #closing = false;

  constructor(options: ServerOptions) {
    this.#traffic = { log: options.log, open: 0, bytes: 0, idle: null };
    this.#live = options.live;
    this.#serveSockets(options.livePath);
    const methods = new Map<string, string[]>();
    for (const route of options.routes) {
      this.#serve(route);
      const names = route.method === "GET" ? ["GET", "HEAD"] : [route.method];
      methods.set(route.path, [...(methods.get(route.path) ?? []), ...names]);
    }
    for (const [path, allowed] of methods) {
      this.#refuseOthers(path, "method_not_allowed", { Allow: allowed.join(", ") });
    }
    this.#refuseOthers("/*", "not_found", {});
  }

  get openRequests(): number {
    return this.#traffic.open;
  }
  get unfinishedBodyBytes(): number {
    return this.#traffic.bytes;
  }
  get openSockets(): number {
    return this.#connections.size;
  }

  /** Answers with the port, which is of interest when 0 was asked for. */
  listen(host: string, port: number): Promise<number> {
    return new Promise((resolve, reject) => {
      this.#app.listen(host, port, EXCLUSIVE_PORT, (token) => {
        if (token === false) {
          reject(new ListenError(`can't listen on ${host}:${port}: is it taken?`));
          return;
        }
        this.#listening = token;
        resolve(uws.us_socket_local_port(token));
      });
    });
  }

  publish(topic: string, text: string): void {
    this.#app.publish(topic, text, false, false);
  }

  subscriberCount(topic: string): number {
    return this.#app.numSubscribers(topic);
  }

  /** Takes nothing new, waits DRAIN_MS_MAX at most for what is open, then ends all connections. */
  async close(): Promise<void> {
    if (this.#closing) return;
    this.#closing = true;
    if (this.#listening !== null) uws.us_listen_socket_close(this.#listening);
    await this.#drain();
    for (const connection of [...this.#connections]) connection.end(1001, "going away");
    await new Promise((resolve) => setImmediate(resolve));
    this.#app.close();
  }

  #drain(): Promise<void> {
    if (this.#traffic.open === 0) return Promise.resolve();
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, DRAIN_MS_MAX);
      this.#traffic.idle = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  #serve(route: Route): void {
    const serve = (wire: Wire, arriving: Arriving) => this.#handle(route, wire, arriving, false);
    switch (route.method) {
      case "GET":
        this.#app.get(route.path, serve);
        this.#app.head(route.path, (wire, arriving) => this.#handle(route, wire, arriving, true));
        break;
      case "POST":
        this.#app.post(route.path, serve);
        break;
      case "PUT":
        this.#app.put(route.path, serve);
        break;
      case "PATCH":
        this.#app.patch(route.path, serve);
        break;
      case "DELETE":
        this.#app.del(route.path, serve);
        break;
    }
  }

  #handle(route: Route, wire: Wire, arriving: Arriving, isHead: boolean): void {
    const isRead = route.method === "GET";
    const draft = draftOf(arriving, isHead ? "HEAD" : route.method, isRead);
    const params = paramsOf(route, arriving);
    const exchange = new Exchange(this.#traffic, wire, draft, isHead);
    if (this.#closing) exchange.refuse("busy");
    else if (params === null) exchange.refuse("not_found");
    else {
      draft.params = params;
      if (isRead) {
        exchange.run(route);
        return;
      }
      const bytesMax = route.bodyBytesMax ?? BODY_BYTES_MAX;
      const declared = arriving.getHeader("content-length");
      if (declared !== "" && Number(declared) > bytesMax) exchange.refuse("payload_too_large");
      else exchange.receive(route, draft, bytesMax);
    }
  }

  #refuseOthers(path: string, code: ProblemCode, headers: Record<string, string>): void {
    this.#app.any(path, (wire, arriving) => {
      const draft = draftOf(arriving, arriving.getMethod().toUpperCase(), true);
      const exchange = new Exchange(this.#traffic, wire, draft, draft.method === "HEAD");
      exchange.answer({ ...problem(code, draft.requestId), headers });
    });
  }

  #serveSockets(path: string): void {
    this.#app.ws<SocketData>(path, {
      compression: uws.DISABLED,
      maxPayloadLength: SOCKET_MESSAGE_BYTES_MAX,
      maxBackpressure: SOCKET_BACKLOG_BYTES_MAX,
      idleTimeout: SOCKET_IDLE_SECONDS_MAX,
      sendPingsAutomatically: true,
      upgrade: (wire, arriving, context) => {
        if (this.#closing || this.#connections.size >= SOCKETS_MAX) {
          wire.cork(() => wire.writeStatus("503 Service Unavailable").end());
          return;
        }
        this.#socketsTotal += 1;
        const token = arriving.getQuery("access_token") ?? "";
        const connection = new LiveConnection(this.#socketsTotal, token);
        const key = arriving.getHeader("sec-websocket-key");
        const extensions = arriving.getHeader("sec-websocket-extensions");
        // No subprotocol is spoken yet: offered ones are not accepted.
        wire.upgrade<SocketData>({ connection }, key, "", extensions, context);
      },
      open: (ws) => {
        const { connection } = ws.getUserData();
        connection.opened(ws);
        this.#connections.add(connection);
        this.#guard(connection, () => this.#live.open(connection));
      },
      message: (ws, message, isBinary) => {
        const { connection } = ws.getUserData();
        const text = isBinary ? null : Buffer.from(message).toString("utf8");
        this.#guard(connection, () => this.#live.message(connection, text));
      },
      dropped: (ws) => ws.getUserData().connection.cutOff(),
      drain: (ws) => ws.getUserData().connection.drained(),
      close: (ws) => {
        const { connection } = ws.getUserData();
        connection.closed();
        this.#connections.delete(connection);
        this.#guard(connection, () => this.#live.close(connection));
      },
    });
  }

  /** A bug in a room ends the one connection that met it. */
  #guard(connection: LiveConnection, work: () => void): void {
    try {
      work();
    } catch (error) {
      this.#traffic.log.error({ socket: connection.id, err: error }, "live handler failed");
      connection.end(1011, "internal error");
    }
  }
}

/** Copies what routes may want to know; a header costs a crossing, so only those that are used. */
function draftOf(arriving: Arriving, method: string, isRead: boolean): Draft {
  return {
    method,
    path: arriving.getUrl(),
    query: arriving.getQuery() ?? "",
    params: [],
    authorization: arriving.getHeader("authorization"),
    contentType: isRead ? "" : arriving.getHeader("content-type"),
    idempotencyKey: isRead ? "" : arriving.getHeader("idempotency-key"),
    ifNoneMatch: isRead ? arriving.getHeader("if-none-match") : "",
    requestId: requestIdOf(arriving.getHeader("x-request-id")),
    traceparent: traceparentOf(arriving.getHeader("traceparent")),
    body: NO_BODY,
  };
}

/** Values of the path's parameters; null when one is not percent-encoded UTF-8. */
function paramsOf(route: Route, arriving: Arriving): string[] | null {
  const params: string[] = [];
  for (let at = route.path.indexOf(":"); at !== -1; at = route.path.indexOf(":", at + 1)) {
    const raw = arriving.getParameter(params.length);
    if (!raw.includes("%")) params.push(raw);
    else {
      try {
        params.push(decodeURIComponent(raw));
      } catch (error) {
        if (error instanceof URIError) return null;
        throw error;
      }
    }
  }
  return params;
}
