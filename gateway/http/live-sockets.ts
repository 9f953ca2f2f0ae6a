import { SOCKETS_MAX } from "../../engine/limits.ts";
import type { Log } from "../log.ts";
import type { Door } from "./door.ts";
import type { LiveHandler, Said } from "./exchange.ts";
import { LiveConnection, type RawSocket, TOO_MANY_MESSAGES } from "./live-connection.ts";
import { isPackOffered, messagesIn } from "./message-pack.ts";
import type { Watch } from "./observation.ts";
import type { ProblemCode } from "./problem-codes.ts";

/** The library's request for a WebSocket, and its connection, as far as they are looked at here. */
interface Knocking {
  getHeader(lowerCaseName: string): string;
  getQuery(name: string): string | undefined;
  forEach(each: (name: string, value: string) => void): void;
}
interface Peer {
  getRemoteAddress(): ArrayBuffer;
}

const UNSUPPORTED: Said = {
  ok: false,
  code: "unsupported_frame",
  detail: "Send JSON in text frames.",
};

interface LiveSocketsPorts {
  readonly live: LiveHandler;
  readonly door: Door;
  readonly watch: Watch;
  readonly log: Log;
}

/** All live connections of a server: who is let in, what of it is heard, and their end. */
export class LiveSockets {
  readonly #ports: LiveSocketsPorts;
  readonly #connections = new Set<LiveConnection>();
  #connectionsEver = 0;

  constructor(ports: LiveSocketsPorts) {
    this.#ports = ports;
  }

  get size(): number {
    return this.#connections.size;
  }

  /** A connection that is to be opened, or why there is none. */
  enter(peer: Peer, knocking: Knocking): LiveConnection | ProblemCode {
    const { door } = this.#ports;
    if (this.#connections.size >= SOCKETS_MAX) return "busy";
    const network = door.networkOf(peer, knocking);
    const refusal = door.enterSocket(knocking, network);
    if (refusal !== null) return refusal;
    this.#connectionsEver += 1;
    return new LiveConnection({
      id: this.#connectionsEver,
      accessToken: knocking.getQuery("access_token") ?? "",
      network,
      messages: door.messages,
      isPacked: isPackOffered(knocking.getHeader("sec-websocket-protocol")),
    });
  }

  opened(connection: LiveConnection, ws: RawSocket): void {
    this.#ports.door.disconnected();
    connection.opened(ws);
    this.#connections.add(connection);
    this.#guard(connection, () => this.#ports.live.open(connection));
  }

  /** A frame came; it is the library's, and gone when this returns. */
  heard(connection: LiveConnection, frame: ArrayBuffer, isBinary: boolean): void {
    if (connection.isCutOff) return;
    // Of a frame that is one too many, nothing is read.
    if (!this.#mayRead(connection)) return;
    if (isBinary) return this.#heardPacked(connection, frame);
    const bytes = Buffer.from(frame);
    const refusal = this.#ports.live.refusalOf?.(bytes) ?? null;
    if (refusal !== null) connection.send(refusal);
    else this.#tell(connection, bytes.toString("utf8"));
  }

  /** The first message is counted by now, which is there whatever the frame has. */
  #heardPacked(connection: LiveConnection, frame: ArrayBuffer): void {
    if (connection.protocol === "") return this.#tell(connection, UNSUPPORTED);
    const messages = messagesIn(Buffer.from(frame));
    if (messages.length > 1) connection.takesSeveral();
    for (const [index, said] of messages.entries()) {
      if (index === 0 || this.#mayRead(connection)) this.#tell(connection, said);
    }
  }

  /** A reader is too slow. */
  dropped(connection: LiveConnection): void {
    if (connection.isCutOff) return;
    this.#ports.watch.meter.slowReaders += 1;
    connection.cutOff();
  }

  closed(connection: LiveConnection): void {
    const { door, live } = this.#ports;
    connection.closed();
    this.#connections.delete(connection);
    door.leaveSocket(connection.network);
    this.#guard(connection, () => live.close(connection));
  }

  /** Resolves when what was asked is answered; nothing more is. */
  finish(): Promise<void> {
    return this.#ports.live.finish?.() ?? Promise.resolve();
  }

  endAll(): void {
    for (const connection of [...this.#connections]) connection.end(1001, "going away");
  }

  /** Whether one more message of it is read; who says much too much is ended. */
  #mayRead(connection: LiveConnection): boolean {
    if (connection.isCutOff) return false;
    const verdict = connection.heard(performance.now());
    if (verdict === "taken") return true;
    this.#ports.watch.meter.refusals.add("rate_limited");
    if (verdict === "tooMany") connection.send(TOO_MANY_MESSAGES);
    else connection.end(1008, "too many messages");
    return false;
  }

  #tell(connection: LiveConnection, said: Said): void {
    this.#guard(connection, () => this.#ports.live.message(connection, said));
  }

  /** A bug in a room ends the one connection that met it. */
  #guard(connection: LiveConnection, work: () => void): void {
    try {
      work();
    } catch (error) {
      this.#ports.log.error({ socket: connection.id, err: error }, "live handler failed");
      connection.end(1011, "internal error");
    }
  }
}
