/**
 * Messages between threads, many at a time. A MessagePort moves about 0.3 million single objects a
 * second and more than ten million records inside one transferred buffer, so whatever is sent
 * during one turn of the event loop leaves as one packed array.
 */
import { Packr, Unpackr } from "msgpackr";
import type { Clock } from "./clock.ts";
import type { Port } from "./port.ts";

const packr = new Packr();
const unpackr = new Unpackr();

/** Packs one message and transfers its bytes. */
export function postPacked(port: Port, message: unknown): void {
  const packed = packr.pack(message);
  const bytes = new Uint8Array(packed.length);
  bytes.set(packed);
  port.postMessage(bytes.buffer, [bytes.buffer]);
}

/** Reads what `postPacked` sent. The sender is this program's own code of the same version. */
export function unpackMessage<Message>(buffer: ArrayBuffer): Message {
  return unpackr.unpack(new Uint8Array(buffer)) as Message;
}

/**
 * Collects messages and posts them as one array at the end of the turn.
 *
 * Invariant: messages arrive in the order in which they were sent.
 */
export class BatchSender<Message> {
  readonly #port: Port;
  readonly #soon: Clock["soon"];
  readonly #flush = (): void => this.flush();
  #batch: Message[] = [];

  /** `soon` calls at the end of the turn. */
  constructor(port: Port, soon: Clock["soon"]) {
    this.#port = port;
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
    postPacked(this.#port, batch);
  }
}
