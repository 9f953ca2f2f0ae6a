import uws, { type HttpRequest as Arriving } from "uWebSockets.js";
import {
  BODY_BYTES_MAX,
  DRAIN_MS_MAX,
  SOCKET_BACKLOG_BYTES_MAX,
  SOCKET_IDLE_SECONDS_MAX,
  SOCKET_MESSAGE_BYTES_MAX,
  SOCKETS_MAX,
} from "../../engine/limits.ts";
import type { Log } from "../log.ts";
import type { LiveHandler, Route } from "./exchange.ts";
import { type Draft, Exchange, refuseBusy, type Traffic, type Wire } from "./http-exchange.ts";
import { LiveConnection } from "./live-connection.ts";
import { problem } from "./problem.ts";
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

export class ListenError extends Error {
  readonly code = "listen_failed";
}

interface ServerOptions {
  readonly routes: readonly Route[];
  readonly live: LiveHandler;
  readonly livePath: string;
  readonly log: Log;
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
  get bodyBytes(): number {
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
    const params = paramsOf(route, arriving);
    if (params !== null && route.isBusy?.(params) === true) {
      refuseBusy(wire, requestIdOf(arriving.getHeader("x-request-id")));
      return;
    }
    const isRead = route.method === "GET";
    const draft = draftOf(arriving, isHead ? "HEAD" : route.method, isRead);
    const exchange = new Exchange(this.#traffic, wire, draft, isHead);
    if (this.#closing) exchange.refuse("busy");
    else if (params === null) exchange.refuse("not_found");
    else {
      draft.params = params;
      if (route.headers !== undefined) draft.headers = headersOf(route.headers, arriving);
      if (route.withAddress === true) {
        draft.address = Buffer.from(wire.getRemoteAddressAsText()).toString();
      }
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
        if (connection.isCutOff) return;
        const bytes = Buffer.from(message);
        const refusal = isBinary ? null : this.#live.refusalOf?.(bytes);
        if (refusal) {
          connection.send(refusal);
          return;
        }
        const text = isBinary ? null : bytes.toString("utf8");
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

function headersOf(names: readonly string[], arriving: Arriving): Record<string, string> {
  return Object.fromEntries(names.map((name) => [name, arriving.getHeader(name)]));
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
