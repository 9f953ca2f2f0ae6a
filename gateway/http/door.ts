import { CONNECTIONS_MAX } from "../../engine/door-limits.ts";
import { SOCKETS_MAX } from "../../engine/limits.ts";
import { type Network, networkOfBytes, TrustedProxies } from "../limits/client-address.ts";
import type { LimitClass } from "../limits/limit-classes.ts";
import type { Quota } from "../limits/quota.ts";
import type { RequestLimits } from "../limits/request-limits.ts";
import { type Bound, TokenBuckets, take } from "../limits/token-buckets.ts";
import { STRICT_TRANSPORT } from "./answer-head.ts";
import type { Route } from "./exchange.ts";
import { Origins } from "./origins.ts";
import type { ProblemCode } from "./problem-codes.ts";
import { RefusalPace } from "./refusal-pace.ts";

/** The library's request and connection, as far as they are looked at here. */
interface Heard {
  getHeader(lowerCaseName: string): string;
  forEach(each: (name: string, value: string) => void): void;
}
interface Peer {
  getRemoteAddress(): ArrayBuffer;
}

export interface DoorOptions {
  /** null: nobody is counted, and no address has a bound of its own. */
  readonly limits: RequestLimits | null;
  /** The user of an `Authorization` header; null: nobody. */
  readonly userOf: (authorization: string) => string | null;
  readonly proxies: TrustedProxies;
  /** Pages of other origins that may ask, and open WebSockets. */
  readonly origins: Origins;
  /** Whether people come over HTTPS: then browsers are told to stay there. */
  readonly isHttps: boolean;
  /** HTTP connections that one address may open; null: any number. */
  readonly connects: Bound | null;
  /** Messages that one WebSocket may send; null: any number. */
  readonly messages: Bound | null;
  /** WebSockets that one address may have open. */
  readonly socketsPerAddressMax: number;
  /** Default: by the machine's clock. */
  readonly pace?: RefusalPace;
}

/** Open to all: what tests and tools begin with. */
export const OPEN_DOOR: DoorOptions = {
  limits: null,
  userOf: () => null,
  proxies: new TrustedProxies([]),
  origins: new Origins([]),
  isHttps: false,
  connects: null,
  messages: null,
  socketsPerAddressMax: SOCKETS_MAX,
};

/** What a route is to the limits; null: it has none. */
export function limitClassOf({ limit, method, path }: Route): LimitClass | null {
  if (limit !== undefined) return limit === "none" ? null : limit;
  if (!path.startsWith("/api/")) return null;
  return method === "GET" ? "read" : "write";
}

/** How many of something each address has. */
class PerAddress {
  readonly #counts = new Map<Network, number>();

  /** False: the address has as many as it may, and this one does not count. */
  enter(network: Network, max: number): boolean {
    const count = this.#counts.get(network) ?? 0;
    if (count >= max) return false;
    this.#counts.set(network, count + 1);
    return true;
  }

  leave(network: Network): void {
    const count = this.#counts.get(network) ?? 0;
    if (count > 1) this.#counts.set(network, count - 1);
    else this.#counts.delete(network);
  }
}

/**
 * Who comes in: connections, addresses, origins.
 *
 * Invariants:
 * - `#connections` counts HTTP connections; a WebSocket is none from its opening on.
 * - A proxy's own connections have no bound but the one for all.
 */
export class Door {
  readonly limits: RequestLimits | null;
  readonly userOf: (authorization: string) => string | null;
  readonly messages: Bound | null;
  /** Bodies on their way; without limits nobody is in it. */
  readonly bodies = new PerAddress();
  /** Of what is refused before it is read. */
  readonly pace: RefusalPace;
  readonly #options: DoorOptions;
  readonly #transport: string;
  readonly #sockets = new PerAddress();
  readonly #connects = new TokenBuckets();
  #connections = 0;

  constructor(options: DoorOptions) {
    this.#options = options;
    this.limits = options.limits;
    this.userOf = options.userOf;
    this.messages = options.messages;
    this.pace = options.pace ?? new RefusalPace();
    this.#transport = options.isHttps ? STRICT_TRANSPORT : "";
  }

  get openConnections(): number {
    return this.#connections;
  }

  /** A connection has come. False: it is to be closed at once. */
  connected(peer: Peer): boolean {
    this.#connections += 1;
    if (this.#connections > CONNECTIONS_MAX) return false;
    const { connects, proxies } = this.#options;
    if (connects === null) return true;
    const address = peer.getRemoteAddress();
    if (proxies.trusts(address)) return true;
    const nowMs = performance.now();
    return take(this.#connects.at(networkOfBytes(address), nowMs), connects, nowMs);
  }

  /** A connection has gone, or become a WebSocket. */
  disconnected(): void {
    this.#connections -= 1;
  }

  /** Whom a request comes from. */
  networkOf(peer: Peer, heard: Heard): Network {
    const { proxies } = this.#options;
    const address = peer.getRemoteAddress();
    if (!proxies.trusts(address)) return networkOfBytes(address);
    // All lines of that name: some proxies add one of their own behind the client's.
    const lines: string[] = [];
    heard.forEach((name, value) => {
      if (name === proxies.header) lines.push(value);
    });
    return proxies.clientOf(address, lines);
  }

  /** Header lines that an answer to this request has, whatever it says. */
  linesFor(heard: Heard): string {
    const { origins } = this.#options;
    if (!origins.isAny) return this.#transport;
    return this.#transport + origins.linesFor(heard.getHeader("origin"));
  }

  preflightHeaders(heard: Heard, methods: readonly string[]): Record<string, string> {
    return this.#options.origins.preflightHeaders(heard.getHeader("origin"), methods);
  }

  /** What is left for who asks, although this request is refused uncounted. */
  peek(limitClass: LimitClass, peer: Peer, heard: Heard): Quota | null {
    if (this.limits === null) return null;
    const userId = this.userOf(heard.getHeader("authorization"));
    // An address costs as much to ask for as all else here, and who has a token does not need it.
    const network = userId === null ? this.networkOf(peer, heard) : 0;
    return this.limits.peek(limitClass, { network, userId });
  }

  /** Lets a WebSocket in, which has to leave again; or says why not. */
  enterSocket(heard: Heard, network: Network): ProblemCode | null {
    if (!this.#maySpeak(heard.getHeader("origin"), heard.getHeader("host"))) {
      return "origin_not_allowed";
    }
    const max = this.#options.socketsPerAddressMax;
    return this.#sockets.enter(network, max) ? null : "too_many_connections";
  }

  leaveSocket(network: Network): void {
    this.#sockets.leave(network);
  }

  /** Browsers always say their origin here: who says none is no page of somebody else's. */
  #maySpeak(origin: string, host: string): boolean {
    if (origin === "" || this.#options.origins.allows(origin)) return true;
    return origin === `http://${host}` || origin === `https://${host}`;
  }
}
