import uws, { type HttpRequest as Arriving } from "uWebSockets.js";
import { LISTENERS } from "../../engine/door-limits.ts";
import {
  BODY_BYTES_MAX,
  DRAIN_MS_MAX,
  SOCKET_BACKLOG_BYTES_MAX,
  SOCKET_IDLE_SECONDS_MAX,
  SOCKET_MESSAGE_BYTES_MAX,
} from "../../engine/limits.ts";
import { type Network, textOfNetwork } from "../limits/client-address.ts";
import type { LimitClass } from "../limits/limit-classes.ts";
import { quotaLines } from "../limits/quota.ts";
import type { Log } from "../log.ts";
import { Door, type DoorOptions, limitClassOf, OPEN_DOOR } from "./door.ts";
import type { LiveHandler, Route } from "./exchange.ts";
import { freePort, ListenError } from "./free-port.ts";
import {
  type BodyBounds,
  type Draft,
  Exchange,
  refuseAtDoor,
  refuseInTurn,
  type Traffic,
  type Wire,
} from "./http-exchange.ts";
import type { RouteMeter } from "./http-meter.ts";
import { type LiveConnection, packedTopicOf } from "./live-connection.ts";
import { LiveSockets } from "./live-sockets.ts";
import { packed } from "./message-pack.ts";
import { type Watch, watchOf } from "./observation.ts";
import { problem } from "./problem.ts";
import type { ProblemCode } from "./problem-codes.ts";
import { draftOf, headersOf, paramCountOf, paramsOf } from "./request-draft.ts";
import { requestIdOf } from "./request-id.ts";
import { SlowClients } from "./slow-clients.ts";

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

/** Several sockets listen at one port, each with a queue of its own. */
const SHARED_PORT = 0;

interface ServerOptions {
  readonly routes: readonly Route[];
  /** null: until `begin`, all but `routes` is `busy`. */
  readonly live: LiveHandler | null;
  readonly livePath: string;
  readonly log: Log;
  /** Default: open to all. */
  readonly door?: DoorOptions;
  /** Of slow clients, see there. */
  readonly slow?: SlowClients;
  /** Default: requests are counted and logged, and not traced. */
  readonly watch?: Watch;
}

/** A route, and what is known of it before anybody asks. */
interface Served {
  readonly route: Route;
  readonly limitClass: LimitClass | null;
  readonly meter: RouteMeter;
  /** Of its path. */
  readonly paramCount: number;
}

interface Incoming {
  readonly exchange: Exchange;
  readonly draft: Draft;
  readonly network: Network | null;
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
  readonly #livePath: string;
  readonly #methods = new Map<string, string[]>();
  #hasBegun = false;
  readonly #door: Door;
  /** null: not yet. */
  #sockets: LiveSockets | null = null;
  #listening: uws.us_listen_socket[] = [];
  #closing = false;

  constructor(options: ServerOptions) {
    const { log, slow = new SlowClients(), watch = watchOf(log) } = options;
    this.#door = new Door(options.door ?? OPEN_DOOR);
    const { bodies, pace } = this.#door;
    this.#traffic = { log, watch, slow, bodies, pace, open: 0, bytes: 0, idle: null };
    this.#livePath = options.livePath;
    this.#countConnections();
    this.#refuseOthers("/*", "not_found", []);
    this.#add(options.routes);
    if (options.live !== null) this.begin([], options.live);
  }

  /** From now on these are served, too, and what is nowhere is `not_found`. Called once. */
  begin(routes: readonly Route[], live: LiveHandler | null): void {
    this.#hasBegun = true;
    if (live !== null) this.#serveSockets(this.#livePath, live);
    this.#add(routes);
  }

  #add(routes: readonly Route[]): void {
    const methods = this.#methods;
    for (const route of routes) {
      this.#serve(route);
      const names = route.method === "GET" ? ["GET", "HEAD"] : [route.method];
      methods.set(route.path, [...(methods.get(route.path) ?? []), ...names]);
    }
    for (const path of new Set(routes.map((route) => route.path))) {
      this.#refuseOthers(path, "method_not_allowed", methods.get(path) ?? []);
    }
  }

  get openRequests(): number {
    return this.#traffic.open;
  }
  get bodyBytes(): number {
    return this.#traffic.bytes;
  }
  get openSockets(): number {
    return this.#sockets?.size ?? 0;
  }
  get openConnections(): number {
    return this.#door.openConnections;
  }

  /** Answers with the port, which is of interest when 0 was asked for. */
  async listen(host: string, port: number): Promise<number> {
    const free = await freePort(host, port);
    for (let count = 0; count < LISTENERS; count += 1) {
      this.#app.listen(host, free, SHARED_PORT, (token) => {
        if (token !== false) this.#listening.push(token);
      });
    }
    if (this.#listening.length === 0) throw new ListenError(host, port, null);
    return free;
  }

  /** To all subscribers of the topic, to each in its own form. */
  publish(topic: string, text: string): void {
    this.#app.publish(topic, text, false, false);
    const packedTopic = packedTopicOf(topic);
    if (this.#app.numSubscribers(packedTopic) === 0) return;
    this.#app.publish(packedTopic, packed(text), true, false);
  }

  subscriberCount(topic: string): number {
    return this.#app.numSubscribers(topic) + this.#app.numSubscribers(packedTopicOf(topic));
  }

  /** Takes nothing new, waits DRAIN_MS_MAX at most for what is open, then ends all connections. */
  async close(): Promise<void> {
    if (this.#closing) return;
    this.#closing = true;
    for (const token of this.#listening) uws.us_listen_socket_close(token);
    this.#door.pace.end();
    await this.#drain();
    this.#sockets?.endAll();
    await new Promise((resolve) => setImmediate(resolve));
    this.#app.close();
  }

  async #drain(): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const tooLate = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, DRAIN_MS_MAX);
    });
    await Promise.race([Promise.all([this.#answered(), this.#sockets?.finish()]), tooLate]);
    clearTimeout(timer);
  }

  /** Resolves when no request over HTTP is open. */
  #answered(): Promise<void> {
    if (this.#traffic.open === 0) return Promise.resolve();
    return new Promise((resolve) => {
      this.#traffic.idle = resolve;
    });
  }

  /** The library says that a connection has come, and that one has gone, but not which. */
  #countConnections(): void {
    const track = (peer: uws.HttpResponse, change: unknown): void => {
      if (Number(change) < 0) this.#door.disconnected();
      else if (!this.#door.connected(peer)) {
        this.#traffic.watch.meter.connectionsRefused += 1;
        peer.close();
      }
    };
    this.#app.filter(track);
  }

  #serve(route: Route): void {
    const limitClass = limitClassOf(route);
    const served = (method: string) => {
      const meter = this.#traffic.watch.meter.route(method, route.path);
      const it = { route, limitClass, meter, paramCount: paramCountOf(route.path) };
      return (wire: Wire, arriving: Arriving) => this.#handle(it, wire, arriving);
    };
    const serve = served(route.method);
    switch (route.method) {
      case "GET":
        this.#app.get(route.path, serve);
        this.#app.head(route.path, served("HEAD"));
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

  #handle(served: Served, wire: Wire, arriving: Arriving): void {
    const { route, limitClass, meter, paramCount } = served;
    const params = paramsOf(paramCount, arriving);
    const isBusy = params !== null && route.isBusy?.(params) === true;
    if (isBusy) return this.#refuseBusy(served, wire, arriving);
    const draft = draftOf(arriving, meter.method, route.method === "GET");
    draft.params = params ?? [];
    const { limits } = this.#door;
    const isCounted = limits !== null && limitClass !== null;
    const isKnown = isCounted || route.withAddress === true;
    const network = isKnown ? this.#door.networkOf(wire, arriving) : null;
    const exchange = new Exchange(this.#traffic, wire, draft, {
      doorLines: this.#door.linesFor(arriving),
      network: limits === null ? null : network,
      meter,
    });
    let isIn = !this.#closing;
    if (!isIn) exchange.refuse("busy");
    else if (isCounted && network !== null) {
      const asker = { network, userId: this.#door.userOf(draft.authorization) };
      isIn = exchange.admit(limits.admit(limitClass, asker));
    }
    if (isIn && params === null) exchange.refuse("not_found");
    else if (isIn) this.#letIn(route, { exchange, draft, network }, arriving);
    exchange.left();
  }

  #letIn(route: Route, { exchange, draft, network }: Incoming, arriving: Arriving): void {
    if (route.headers !== undefined) draft.headers = headersOf(route.headers, arriving);
    if (route.withAddress === true && network !== null) {
      draft.address = textOfNetwork(network);
      draft.showQuota = (quota) => exchange.show(quota);
    }
    if (route.method === "GET") return exchange.run(route);
    const bounds = this.#bodyBoundsOf(route, draft.authorization);
    const declared = arriving.getHeader("content-length");
    if (declared !== "" && Number(declared) > bounds.bytesMax) exchange.refuse(bounds.refusal);
    else exchange.receive(route, draft, bounds);
  }

  /** Who is nobody sends no long bodies: those are for people who may do something with them. */
  #bodyBoundsOf(route: Route, authorization: string): BodyBounds {
    const bytesMax = route.bodyBytesMax ?? BODY_BYTES_MAX;
    const isLong = bytesMax > BODY_BYTES_MAX && this.#door.limits !== null;
    if (isLong && this.#door.userOf(authorization) === null) {
      return { bytesMax: BODY_BYTES_MAX, refusal: "unauthenticated" };
    }
    return { bytesMax, refusal: "payload_too_large" };
  }

  /** Nearly all that is said under overload: it takes no more than has to be said. */
  #refuseBusy({ limitClass, meter }: Served, wire: Wire, arriving: Arriving): void {
    const quota = limitClass === null ? null : this.#door.peek(limitClass, wire, arriving);
    const doorLines = this.#door.linesFor(arriving) + (quota === null ? "" : quotaLines(quota));
    refuseInTurn(wire, this.#traffic, {
      code: "busy",
      requestId: requestIdOf(arriving.getHeader("x-request-id")),
      doorLines,
      meter,
    });
  }

  #refuseSocket(code: ProblemCode, wire: Wire, arriving: Arriving): void {
    const { watch } = this.#traffic;
    watch.meter.socketsRefused += 1;
    refuseAtDoor(wire, watch, {
      code,
      requestId: requestIdOf(arriving.getHeader("x-request-id")),
      doorLines: this.#door.linesFor(arriving),
      meter: watch.meter.route("GET", this.#livePath),
    });
  }

  /** Whatever no route takes; to OPTIONS it is told what the routes of the path take. */
  #refuseOthers(path: string, code: ProblemCode, allowed: readonly string[]): void {
    this.#app.any(path, (wire, arriving) => {
      const name = path === "/*" ? "unmatched" : path;
      const { method, draft, exchange } = this.#strayAt(name, wire, arriving);
      const allow = allowed.length === 0 ? {} : { Allow: [...allowed, "OPTIONS"].join(", ") };
      if (path === "/*" && !this.#hasBegun) exchange.refuse("busy");
      else if (method === "OPTIONS" && allowed.length > 0) {
        const preflight = this.#door.preflightHeaders(arriving, allowed);
        exchange.answer({ status: 204, body: null, headers: { ...allow, ...preflight } });
      } else {
        exchange.answer({ ...problem(code, draft.requestId), headers: allow });
      }
      exchange.left();
    });
  }

  /** What is answered without a route. */
  #strayAt(name: string, wire: Wire, arriving: Arriving) {
    const method = arriving.getMethod().toUpperCase();
    const draft = draftOf(arriving, method, true);
    const doorLines = this.#door.linesFor(arriving);
    const meter = this.#traffic.watch.meter.route(method, name);
    const arrival = { doorLines, network: null, meter };
    return { method, draft, exchange: new Exchange(this.#traffic, wire, draft, arrival) };
  }

  /** Who wants no WebSocket where there is nothing else. */
  #refusePlain(path: string): void {
    const refuse = (wire: Wire, arriving: Arriving): void => {
      const { draft, exchange } = this.#strayAt(path, wire, arriving);
      const headers = { Connection: "Upgrade", Upgrade: "websocket" };
      exchange.answer({ ...problem("upgrade_required", draft.requestId), headers });
      exchange.left();
    };
    this.#app.get(path, refuse).head(path, refuse);
  }

  #serveSockets(path: string, live: LiveHandler): void {
    const { watch, log } = this.#traffic;
    const sockets = new LiveSockets({ live, door: this.#door, watch, log });
    this.#sockets = sockets;
    this.#refusePlain(path);
    this.#app.ws<SocketData>(path, {
      compression: uws.DISABLED,
      maxPayloadLength: SOCKET_MESSAGE_BYTES_MAX,
      maxBackpressure: SOCKET_BACKLOG_BYTES_MAX,
      idleTimeout: SOCKET_IDLE_SECONDS_MAX,
      sendPingsAutomatically: true,
      upgrade: (wire, arriving, context) => {
        const connection = this.#closing ? "busy" : sockets.enter(wire, arriving);
        if (typeof connection === "string") {
          this.#refuseSocket(connection, wire, arriving);
          return;
        }
        const key = arriving.getHeader("sec-websocket-key");
        const extensions = arriving.getHeader("sec-websocket-extensions");
        const { protocol } = connection;
        wire.upgrade<SocketData>({ connection }, key, protocol, extensions, context);
      },
      open: (ws) => sockets.opened(ws.getUserData().connection, ws),
      message: (ws, message, isBinary) => {
        sockets.heard(ws.getUserData().connection, message, isBinary);
      },
      dropped: (ws) => sockets.dropped(ws.getUserData().connection),
      drain: (ws) => ws.getUserData().connection.drained(),
      close: (ws) => sockets.closed(ws.getUserData().connection),
    });
  }
}
