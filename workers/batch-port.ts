/**
 * Messages between threads, many at a time. A MessagePort moves about 0.3 million single objects a
 * second and more than ten million records inside one transferred buffer, so whatever is sent
 * during one turn of the event loop leaves as one packed array.
 *
 * It is packed as JSON, which V8 reads in half the time that msgpack takes, and into texts of their
 * own: msgpackr's are windows into one large text, slow to hash and to compare, and keep it alive.
 * What has bytes in it, which is rare, is msgpack.
 */
import { Packr, Unpackr } from "msgpackr";
import type { Clock } from "./clock.ts";
import type { Port } from "./port.ts";

// Records would be defined anew in every message, and their readers compiled anew behind it.
const packr = new Packr({ useRecords: false, variableMapSize: true });
const unpackr = new Unpackr({ useRecords: false });

/** What is packed. */
export interface PackedMessage {
  readonly rows: readonly unknown[];
  /** A Uint8Array is somewhere in it. */
  readonly hasBytes: boolean;
}

const encoder = new TextEncoder();
/** An array in JSON begins with this; none in msgpack does. */
const BRACKET = 0x5b;

/** Packs one message and transfers its bytes. */
export function postPacked(port: Port, { rows, hasBytes }: PackedMessage): void {
  const { buffer } = hasBytes
    ? new Uint8Array(packr.pack(rows))
    : encoder.encode(JSON.stringify(rows));
  port.postMessage(buffer, [buffer]);
}

/** Reads what `postPacked` sent. The sender is this program's own code of the same version. */
export function unpackMessage(buffer: ArrayBuffer): unknown {
  const bytes = Buffer.from(buffer);
  return bytes[0] === BRACKET ? JSON.parse(bytes.toString()) : unpackr.unpack(bytes);
}

/**
 * Collects messages and posts them as one array at the end of the turn.
 *
 * Invariant: messages arrive in the order in which they were sent.
 */
export class BatchSender<Message> {
  readonly #port: Port;
  readonly #soon: Clock["soon"];
  readonly #encode: (batch: readonly Message[]) => PackedMessage;
  readonly #flush = (): void => this.flush();
  #batch: Message[] = [];

  /** `soon` calls at the end of the turn; `encode` makes of a batch what is posted. */
  constructor(
    port: Port,
    soon: Clock["soon"],
    encode: (batch: readonly Message[]) => PackedMessage,
  ) {
    this.#port = port;
    this.#encode = encode;
    this.#soon = soon;
  }

  send(message: Message): void {
    if (this.#batch.length === 0) this.#soon(this.#flush);
    this.#batch.push(message);
  }

  flush(): void {
    if (this.#batch.length === 0) return;
    const batch = this.#batch;
    this.#batch = [];
    postPacked(this.#port, this.#encode(batch));
  }
}
