import {
  SLOW_READ_BYTES,
  SOCKET_FLOOD_FACTOR,
  SOCKET_UNSENT_MAX,
} from "../../engine/door-limits.ts";
import { SOCKET_CUT_OFF_MS_MAX } from "../../engine/limits.ts";
import type { Network } from "../limits/client-address.ts";
import { type Bound, take } from "../limits/token-buckets.ts";
import type { LiveSocket } from "./exchange.ts";
import { MESSAGE_PACK, packed } from "./message-pack.ts";

/** The library's socket, as far as it is used here. It must not be touched after its close. */
export interface RawSocket {
  send(text: string | Uint8Array, isBinary: boolean, compress: boolean): unknown;
  /** What is sent meanwhile leaves in one write. */
  cork(send: () => void): unknown;
  subscribe(topic: string): boolean;
  unsubscribe(topic: string): boolean;
  getTopics(): string[];
  /** Bytes that the client has not read, beyond what the kernel keeps. */
  getBufferedAmount(): number;
  end(code: number, reason: string): void;
  /** At once, without a close frame. */
  close(): void;
}

/** Written once: whoever floods is answered without a look at what was said. */
export const TOO_MANY_MESSAGES = Buffer.from(
  JSON.stringify({
    op: "error",
    code: "rate_limited",
    detail: "Too many messages; wait before the next one",
  }),
);

export interface LiveConnectionOptions {
  readonly id: number;
  readonly accessToken: string;
  readonly network: Network;
  /** null: it may say as much as it likes. */
  readonly messages: Bound | null;
  /** It speaks MessagePack in binary frames. */
  readonly isPacked: boolean;
}

/** Where those hear of a topic who speak MessagePack. */
export const packedTopicOf = (topic: string): string => `${topic}:packed`;

/**
 * A live connection as the rooms see it.
 *
 * Invariants:
 * - Of what is said beyond its bound nothing is read; beyond a multiple of it, it is closed.
 * - What is sent during a turn leaves in order and in as few writes as the library needs, at the
 *   turn's end, or before the connection hears of another topic or ends. A write costs as much as
 *   all else that is done for an answer. Only a reader who is cut off does not hear it.
 * - `#ws` is null before the opening and from the close on: no call reaches a socket that is gone.
 * - A slow reader gets nothing more but the 1013 behind its backlog. The library drops a close
 *   frame that finds no room, and looks after nobody once it was sent: so it waits until all of the
 *   backlog is read. Who reads less of it than SLOW_READ_BYTES in SOCKET_CUT_OFF_MS_MAX is cut off
 *   without it.
 */
export class LiveConnection implements LiveSocket {
  readonly id: number;
  readonly accessToken: string;
  readonly network: Network;
  /** The subprotocol; "" for JSON in text frames. */
  readonly protocol: string;
  readonly #messages: Bound | null;
  readonly #flood: Bound | null;
  #ws: RawSocket | null = null;
  #unsent: (string | Uint8Array)[] = [];
  #takesSeveral = false;
  #cutOff: NodeJS.Timeout | null = null;
  /** Of the backlog, when the cut-off's time began. */
  #leftBytes = 0;
  /** What may be read, and what may be said at all. */
  readonly #read = { fullAtMs: 0 };
  readonly #said = { fullAtMs: 0 };

  constructor({ id, accessToken, network, messages, isPacked }: LiveConnectionOptions) {
    this.id = id;
    this.accessToken = accessToken;
    this.network = network;
    this.protocol = isPacked ? MESSAGE_PACK : "";
    this.#messages = messages;
    this.#flood =
      messages === null ? null : { ...messages, count: messages.count * SOCKET_FLOOD_FACTOR };
  }

  /** Counts one message. `tooMany`: it is not to be read; `flood`: nor is any other. */
  heard(nowMs: number): "taken" | "tooMany" | "flood" {
    if (this.#messages === null || this.#flood === null) return "taken";
    if (!take(this.#said, this.#flood, nowMs)) return "flood";
    return take(this.#read, this.#messages, nowMs) ? "taken" : "tooMany";
  }

  opened(ws: RawSocket): void {
    this.#ws = ws;
  }

  /** It is gone or going: what it still says is not listened to. */
  get isCutOff(): boolean {
    return this.#ws === null || this.#cutOff !== null;
  }

  send(text: string | Uint8Array): void {
    if (this.isCutOff) return;
    this.#unsent.push(text);
    if (this.#unsent.length === 1) queueMicrotask(() => this.#flush());
    else if (this.#unsent.length >= SOCKET_UNSENT_MAX) this.#flush();
  }

  /** From now on it hears several messages in one frame, as it has said several in one. */
  takesSeveral(): void {
    this.#takesSeveral = true;
  }

  subscribe(topic: string): void {
    this.#flush();
    if (this.#cutOff === null) this.#ws?.subscribe(this.#topicOf(topic));
  }

  unsubscribe(topic: string): void {
    this.#ws?.unsubscribe(this.#topicOf(topic));
  }

  end(code: number, reason: string): void {
    this.#flush();
    this.#ws?.end(code, reason);
  }

  /** A message was dropped. Topics must not change inside a publication, so that comes after it. */
  cutOff(): void {
    if (this.#ws === null || this.#cutOff !== null) return;
    this.#giveTime(this.#ws.getBufferedAmount());
    setImmediate(() => {
      for (const topic of this.#ws?.getTopics() ?? []) this.#ws?.unsubscribe(topic);
    });
  }

  /** The client has read something. */
  drained(): void {
    if (this.#cutOff === null || this.#ws === null) return;
    const leftBytes = this.#ws.getBufferedAmount();
    if (leftBytes === 0) return this.end(1013, "slow reader");
    if (this.#leftBytes - leftBytes >= SLOW_READ_BYTES) this.#giveTime(leftBytes);
  }

  closed(): void {
    this.#ws = null;
    if (this.#cutOff !== null) clearTimeout(this.#cutOff);
  }

  #giveTime(leftBytes: number): void {
    this.#leftBytes = leftBytes;
    if (this.#cutOff !== null) clearTimeout(this.#cutOff);
    this.#cutOff = setTimeout(() => this.#ws?.close(), SOCKET_CUT_OFF_MS_MAX);
  }

  #topicOf(topic: string): string {
    return this.protocol === "" ? topic : packedTopicOf(topic);
  }

  #flush(): void {
    const texts = this.#unsent;
    if (texts.length === 0) return;
    this.#unsent = [];
    this.#ws?.cork(() => {
      // Any of them may be one too many for a slow reader, and cut it off.
      for (const part of this.#framesOf(texts)) {
        if (!this.isCutOff) this.#ws?.send(part, this.protocol !== "", false);
      }
    });
  }

  #framesOf(texts: readonly (string | Uint8Array)[]): readonly (string | Uint8Array)[] {
    if (this.protocol === "") return texts;
    const messages = texts.map(packed);
    return this.#takesSeveral ? [Buffer.concat(messages)] : messages;
  }
}
