import { connect, type Socket } from "node:net";
import { CLOSE, FrameReader, frameOf, LiveProtocolError, PING, PONG, TEXT } from "./live-frames.ts";

const READ_BYTES = 256 * 1024;
const HEAD_BYTES_MAX = 16 * 1024;
const HEAD_END = "\r\n\r\n";
/** Where the sockets of a thread read to, one after another: each is heard before the next. */
const shared = Buffer.allocUnsafeSlow(READ_BYTES);

export interface LiveSocketOptions {
  readonly url: string;
  /** Access token; "": none. */
  readonly token: string;
  /** A message: `bytes` from `start` to `end`, during the call only. */
  readonly heard: (bytes: Buffer, start: number, end: number) => void;
  /** It was open, and is not any more; called once. */
  readonly closed: (reason: string) => void;
  /** Address to come from: one address has some 28,000 ports. Default: the system's choice. */
  readonly localAddress?: string;
}

/** The server refused the upgrade, or could not be reached. */
export class LiveRefused extends Error {
  readonly code = "live_refused";
}

/**
 * A WebSocket that knows just enough to load a server: texts are ASCII, what is sent during one
 * turn leaves in one write, and nothing is copied or parsed that nobody asked for.
 *
 * Invariants:
 * - While `isCongested`, the kernel takes no more: what is sent then waits here, so whoever sends
 *   without a bound of their own must look at it.
 * - `closed` is called once, and only after `open` has resolved.
 */
export class LiveSocket {
  readonly #options: LiveSocketOptions;
  readonly #socket: Socket;
  readonly #frames: FrameReader;
  #head: string | null = "";
  #settle: ((refusal: LiveRefused | null) => void) | null;
  #unsent = "";
  #reason = "the connection ended";
  isCongested = false;
  readonly #flush = (): void => {
    const frames = this.#unsent;
    this.#unsent = "";
    if (!this.#socket.writable) return;
    this.isCongested = !this.#socket.write(frames, "latin1");
  };

  /** Rejects with LiveRefused. */
  static open(options: LiveSocketOptions): Promise<LiveSocket> {
    return new Promise((resolve, reject) => {
      const socket: LiveSocket = new LiveSocket(options, (refusal) => {
        if (refusal === null) resolve(socket);
        else reject(refusal);
      });
    });
  }

  private constructor(options: LiveSocketOptions, settle: (refusal: LiveRefused | null) => void) {
    this.#options = options;
    this.#settle = settle;
    this.#frames = new FrameReader((opcode, bytes, start, end) => {
      if (opcode === PING) this.#send(frameOf(PONG, bytes.toString("latin1", start, end)));
      else if (opcode === CLOSE) this.#closing(bytes.subarray(start, end));
      else if (opcode !== PONG) this.#options.heard(bytes, start, end);
    });
    const { host, hostname, port } = new URL(options.url);
    const { token, localAddress } = options;
    this.#socket = connect({
      host: hostname,
      port: Number(port === "" ? 80 : port),
      noDelay: true,
      ...(localAddress === undefined ? {} : { localAddress }),
      onread: { buffer: shared, callback: (count) => this.#read(shared.subarray(0, count)) },
    });
    this.#socket.on("drain", () => {
      this.isCongested = false;
    });
    this.#socket.on("error", (error) => {
      this.#reason = error.message;
    });
    this.#socket.on("close", () => this.#closed());
    const query = token === "" ? "" : `?access_token=${token}`;
    const upgrade = `GET /ws${query} HTTP/1.1\r\nHost: ${host}\r\nUpgrade: websocket\r\n`;
    const rest = "Connection: Upgrade\r\nSec-WebSocket-Key: MDEyMzQ1Njc4OWFiY2RlZg==\r\n";
    this.#socket.write(`${upgrade}${rest}Sec-WebSocket-Version: 13\r\n\r\n`);
  }

  /** ASCII. */
  send(text: string): void {
    this.#send(frameOf(TEXT, text));
  }

  /** At once, without a close frame. */
  close(): void {
    this.#reason = "closed by us";
    this.#socket.destroy();
  }

  #send(frame: string): void {
    if (this.#unsent === "") setImmediate(this.#flush);
    this.#unsent += frame;
  }

  /** True: more may be read. */
  #read(chunk: Buffer): boolean {
    try {
      if (this.#head === null) this.#frames.read(chunk);
      else this.#readHead(chunk);
    } catch (error) {
      if (!(error instanceof LiveProtocolError)) throw error;
      this.#socket.destroy(error);
    }
    return true;
  }

  #readHead(chunk: Buffer): void {
    const before = this.#head ?? "";
    const head = before + chunk.toString("latin1");
    const end = head.indexOf(HEAD_END);
    if (end < 0) {
      if (head.length > HEAD_BYTES_MAX) throw new LiveProtocolError("a head without an end");
      this.#head = head;
      return;
    }
    if (!head.startsWith("HTTP/1.1 101 ")) {
      this.#reason = head.slice(0, head.indexOf("\r\n"));
      this.#socket.destroy();
      return;
    }
    this.#head = null;
    this.#settle?.(null);
    this.#settle = null;
    const frames = chunk.subarray(end + HEAD_END.length - before.length);
    if (frames.length > 0) this.#frames.read(frames);
  }

  #closing(payload: Buffer): void {
    const code = payload.length >= 2 ? payload.readUInt16BE(0) : 1005;
    this.#reason = `the server closed it: ${code} ${payload.toString("latin1", 2)}`;
    this.#socket.destroy();
  }

  #closed(): void {
    const settle = this.#settle;
    this.#settle = null;
    if (settle === null) this.#options.closed(this.#reason);
    else settle(new LiveRefused(`no WebSocket: ${this.#reason}`));
  }
}
