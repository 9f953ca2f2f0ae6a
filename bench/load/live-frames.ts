/**
 * WebSocket frames (RFC 6455), as far as a client needs them:
 *
 *    0               1               2 …
 *   +-+-+-+-+-------+-+-------------+----------------------+- - - - - - +- - - - -+
 *   |F|R|R|R|opcode |M| length      | 2 bytes if it is 126 |  mask key   | payload
 *   |I|S|S|S| (4)   |A|     (7)     | 8 bytes if it is 127 |  if MASK    |
 *   |N|V|V|V|       |S|             |                      |             |
 *   +-+-+-+-+-------+-+-------------+----------------------+- - - - - - +- - - - -+
 *
 * A message may come in several frames, all but its first with opcode 0 and its last with FIN;
 * control frames (8 close, 9 ping, 10 pong) may stand between them. No extension is agreed upon, so
 * the RSV bits are 0. What a client sends is masked, here with zeros: the bytes stay as they are.
 */

export const TEXT = 0x1;
export const CLOSE = 0x8;
export const PING = 0x9;
export const PONG = 0xa;

const FINAL = 0x80;
const RESERVED = 0x70;
const OPCODE = 0x0f;
const MASKED = 0x80;
const LENGTH = 0x7f;
const TWO_BYTES = 126;
const EIGHT_BYTES = 127;
const CONTROL = 0x8;
const CONTINUATION = 0x0;
const CONTROL_BYTES_MAX = 125;
const NO_MASK = "\0\0\0\0";
/** A snapshot of SEATS_PER_EVENT_MAX seats is far below this. */
const MESSAGE_BYTES_MAX = 64 * 1024 * 1024;

/** What the server sent is no WebSocket frame that it may send. */
export class LiveProtocolError extends Error {
  readonly code = "live_protocol_error";
}

/** The message is `bytes` from `start` to `end`: valid during the call only. */
export type Heard = (opcode: number, bytes: Buffer, start: number, end: number) => void;

/**
 * Puts messages together from the bytes of a connection, however they are cut.
 *
 * Invariants:
 * - `heard` is told each whole message once, in order; a control frame when it comes.
 * - No byte of a chunk is kept by reference: its memory may be used again after `read`.
 * - A message of n bytes in k chunks costs O(n + k), however small the chunks are.
 */
export class FrameReader {
  readonly #heard: Heard;
  readonly #messageBytesMax: number;
  /** The beginning of a frame that is not whole yet. */
  #kept: Buffer[] = [];
  #keptBytes = 0;
  /** With fewer bytes than this nothing more can be read. */
  #wantedBytes = 0;
  /** Payloads of a message whose last frame has not come. */
  #fragments: Buffer[] = [];
  #fragmentsBytes = 0;
  /** Opcode of that message; 0: there is none. */
  #fragmented = 0;

  constructor(heard: Heard, messageBytesMax = MESSAGE_BYTES_MAX) {
    this.#heard = heard;
    this.#messageBytesMax = messageBytesMax;
  }

  /** Throws LiveProtocolError; the connection is of no use after that. */
  read(chunk: Buffer): void {
    if (this.#keptBytes === 0) return this.#readAll(chunk);
    this.#kept.push(Buffer.from(chunk));
    this.#keptBytes += chunk.length;
    if (this.#keptBytes < this.#wantedBytes) return;
    const bytes = Buffer.concat(this.#kept, this.#keptBytes);
    this.#kept = [];
    this.#keptBytes = 0;
    this.#readAll(bytes);
  }

  #readAll(bytes: Buffer): void {
    let at = 0;
    while (at < bytes.length) {
      const wanted = this.#readFrame(bytes, at);
      if (wanted > bytes.length - at) {
        this.#wantedBytes = wanted;
        this.#kept = [Buffer.from(bytes.subarray(at))];
        this.#keptBytes = bytes.length - at;
        return;
      }
      at += wanted;
    }
  }

  /** Bytes of the frame at `at`, which was read if they are all there; or at least so many. */
  #readFrame(bytes: Buffer, at: number): number {
    const there = bytes.length - at;
    if (there < 2) return 2;
    const first = bytes[at] ?? 0;
    const second = bytes[at + 1] ?? 0;
    if ((first & RESERVED) !== 0) throw new LiveProtocolError("a reserved bit is set");
    if ((second & MASKED) !== 0) throw new LiveProtocolError("a server masks nothing");
    let headBytes = 2;
    let payloadBytes = second & LENGTH;
    if (payloadBytes === TWO_BYTES) {
      headBytes = 4;
      if (there < headBytes) return headBytes;
      payloadBytes = bytes.readUInt16BE(at + 2);
    } else if (payloadBytes === EIGHT_BYTES) {
      headBytes = 10;
      if (there < headBytes) return headBytes;
      payloadBytes = bytes.readUInt32BE(at + 2) * 2 ** 32 + bytes.readUInt32BE(at + 6);
    }
    if (payloadBytes + this.#fragmentsBytes > this.#messageBytesMax) {
      throw new LiveProtocolError(`a message of ${payloadBytes} bytes and more`);
    }
    const start = at + headBytes;
    const end = start + payloadBytes;
    if (end <= bytes.length) this.#take(first, { bytes, start, end });
    return headBytes + payloadBytes;
  }

  #take(first: number, { bytes, start, end }: { bytes: Buffer; start: number; end: number }): void {
    const opcode = first & OPCODE;
    const isFinal = (first & FINAL) !== 0;
    if (opcode >= CONTROL) {
      if (!isFinal || end - start > CONTROL_BYTES_MAX) {
        throw new LiveProtocolError("a control frame is short and whole");
      }
      return this.#heard(opcode, bytes, start, end);
    }
    if ((opcode === CONTINUATION) !== (this.#fragmented !== 0)) {
      throw new LiveProtocolError("a message begins before the last one has ended, or never began");
    }
    if (opcode !== CONTINUATION && isFinal) return this.#heard(opcode, bytes, start, end);
    if (opcode !== CONTINUATION) this.#fragmented = opcode;
    this.#fragments.push(Buffer.from(bytes.subarray(start, end)));
    this.#fragmentsBytes += end - start;
    if (!isFinal) return;
    const message = Buffer.concat(this.#fragments, this.#fragmentsBytes);
    const messageOpcode = this.#fragmented;
    this.#fragments = [];
    this.#fragmentsBytes = 0;
    this.#fragmented = 0;
    this.#heard(messageOpcode, message, 0, message.length);
  }
}

/** A whole frame of a client, a byte a letter: one string is cheaper than many buffers. */
export function frameOf(opcode: number, payload: string): string {
  const first = String.fromCharCode(FINAL | opcode);
  return first + lengthOf(payload.length) + NO_MASK + payload;
}

function lengthOf(bytes: number): string {
  if (bytes < TWO_BYTES) return String.fromCharCode(MASKED | bytes);
  if (bytes < 2 ** 16) return String.fromCharCode(MASKED | TWO_BYTES, bytes >> 8, bytes & 0xff);
  const head = Buffer.alloc(9);
  head[0] = MASKED | EIGHT_BYTES;
  head.writeBigUInt64BE(BigInt(bytes), 1);
  return head.toString("latin1");
}
