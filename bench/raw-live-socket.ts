import { once } from "node:events";
import { connect, type Socket } from "node:net";
import type { Replied } from "./sale-door.ts";

const REPLY = /^\{"op":"reply","id":(\d+),"status":(\d+),"body":/;
/** Bit of the first byte: the last frame of its message; then the opcode of a text. */
const FINAL_TEXT = 0x81;
const TEXT_OR_CONTROL = 0x0f;
const PING = 0x9;
const FINAL_PONG = 0x8a;
const MASKED = 0x80;
const LENGTH_IN_TWO_BYTES = 126;
const NO_MASK = "\0\0\0\0";

/**
 * A WebSocket that knows just enough to load a server: requests of one turn leave in one write, the
 * mask is zero, and texts are ASCII.
 *
 * Invariant: each request is told exactly one reply.
 */
export class RawLiveSocket {
  readonly #socket: Socket;
  readonly #waiting = new Map<number, Replied>();
  #requests = 0;
  #received: Buffer = Buffer.alloc(0);
  /** Frames of this turn, a byte a letter: one string is cheaper than many buffers. */
  #unsent = "";

  constructor(socket: Socket) {
    this.#socket = socket;
    socket.on("data", (chunk: Buffer) => this.#read(chunk));
    socket.on("close", () => {
      for (const [id] of this.#waiting) this.#tell(id, 0, "");
    });
    // What is wrong with it shows in its close, which follows.
    socket.on("error", () => socket.destroy());
  }

  /** `fields` are the message's, but for its id. */
  request(fields: string, replied: Replied): void {
    this.#requests += 1;
    this.#waiting.set(this.#requests, replied);
    this.#write(FINAL_TEXT, `{"id":${this.#requests},${fields}}`);
  }

  close(): void {
    this.#socket.destroy();
  }

  #write(firstByte: number, text: string): void {
    if (this.#unsent === "") setImmediate(() => this.#flush());
    this.#unsent += frameHead(firstByte, text.length) + text;
  }

  #flush(): void {
    const frames = this.#unsent;
    this.#unsent = "";
    this.#socket.write(frames, "latin1");
  }

  #read(chunk: Buffer): void {
    const bytes = this.#received.length === 0 ? chunk : Buffer.concat([this.#received, chunk]);
    let at = 0;
    while (bytes.length - at >= 2) {
      const short = bytes[at + 1] ?? 0;
      const isLong = short === LENGTH_IN_TWO_BYTES;
      if (isLong && bytes.length - at < 4) break;
      const payloadAt = at + (isLong ? 4 : 2);
      const end = payloadAt + (isLong ? bytes.readUInt16BE(at + 2) : short);
      if (bytes.length < end) break;
      this.#hear((bytes[at] ?? 0) & TEXT_OR_CONTROL, bytes.toString("latin1", payloadAt, end));
      at = end;
    }
    this.#received = bytes.subarray(at);
  }

  #hear(opcode: number, text: string): void {
    if (opcode === PING) return this.#write(FINAL_PONG, text);
    const [head, id, status] = REPLY.exec(text) ?? [];
    if (head !== undefined) this.#tell(Number(id), Number(status), text.slice(head.length, -1));
  }

  #tell(id: number, status: number, body: string): void {
    const replied = this.#waiting.get(id);
    this.#waiting.delete(id);
    replied?.({ status, body, hasRetryAfter: true });
  }
}

/** First byte, length, and a mask of four zeros. */
function frameHead(firstByte: number, length: number): string {
  const first = String.fromCharCode(firstByte);
  if (length < LENGTH_IN_TWO_BYTES)
    return `${first}${String.fromCharCode(MASKED | length)}${NO_MASK}`;
  const bytes = [MASKED | LENGTH_IN_TWO_BYTES, length >> 8, length & 0xff];
  return first + String.fromCharCode(...bytes) + NO_MASK;
}

/** Rejects when the server refuses the upgrade. */
export async function openLiveSocket(url: string, token: string): Promise<RawLiveSocket> {
  const { host, hostname, port } = new URL(url);
  const socket = connect({ host: hostname, port: Number(port), noDelay: true });
  const head = `GET /ws?access_token=${token} HTTP/1.1\r\nHost: ${host}\r\nUpgrade: websocket\r\n`;
  const rest = "Connection: Upgrade\r\nSec-WebSocket-Key: MDEyMzQ1Njc4OWFiY2RlZg==\r\n";
  socket.write(`${head}${rest}Sec-WebSocket-Version: 13\r\n\r\n`);
  const [answer] = (await once(socket, "data")) as [Buffer];
  if (!answer.toString("latin1").startsWith("HTTP/1.1 101")) throw new Error("no WebSocket");
  return new RawLiveSocket(socket);
}
