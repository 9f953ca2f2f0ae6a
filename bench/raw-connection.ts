import { connect, type Socket } from "node:net";
import type { DoorReply, Replied } from "./sale-door.ts";

/** The server ends connections that were idle for ten seconds; none is used that comes near. */
const IDLE_MS_MAX = 5_000;

/**
 * One kept-alive HTTP connection that knows just enough of HTTP to load a server: a general client
 * would take more of the machine than the server that it measures.
 *
 * Invariant: at most one request is on its way; its reply is told exactly once, never at once.
 */
export class RawConnection {
  readonly #host: string;
  readonly #port: number;
  #socket: Socket | null = null;
  #usedMs = 0;
  #replied: Replied | null = null;
  #received = "";

  constructor(host: string, port: number) {
    this.#host = host;
    this.#port = port;
  }

  send(request: string, replied: Replied): void {
    this.#replied = replied;
    const nowMs = performance.now();
    if (nowMs - this.#usedMs > IDLE_MS_MAX) this.close();
    this.#usedMs = nowMs;
    this.#socket ??= this.#connected();
    this.#socket.write(request, "latin1");
  }

  close(): void {
    this.#socket?.destroy();
    this.#socket = null;
  }

  #connected(): Socket {
    const socket = connect({ host: this.#host, port: this.#port, noDelay: true });
    this.#received = "";
    socket.on("data", (chunk: Buffer) => this.#read(chunk));
    // What is wrong with it shows in its close, which follows.
    socket.on("error", () => socket.destroy());
    socket.on("close", () => {
      if (this.#socket !== socket) return;
      this.#socket = null;
      this.#tell({ status: 0, hasRetryAfter: false, body: "" });
    });
    return socket;
  }

  #read(chunk: Buffer): void {
    this.#received += chunk.toString("latin1");
    const head = this.#received.indexOf("\r\n\r\n");
    if (head === -1) return;
    const length = this.#received.indexOf("Content-Length: ");
    const bodyBytes =
      length === -1 || length > head ? 0 : Number.parseInt(this.#received.slice(length + 16), 10);
    if (this.#received.length < head + 4 + bodyBytes) return;
    const status = Number(this.#received.slice(9, 12));
    const retryAfter = this.#received.indexOf("Retry-After: ");
    const body = this.#received.slice(head + 4);
    this.#received = "";
    this.#tell({ status, hasRetryAfter: retryAfter !== -1 && retryAfter < head, body });
  }

  #tell(reply: DoorReply): void {
    const replied = this.#replied;
    this.#replied = null;
    replied?.(reply);
  }
}
