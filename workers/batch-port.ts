/**
 * Messages between threads, many at a time. A MessagePort moves about 0.3 million single objects a
 * second and more than ten million records inside one transferred buffer, so whatever is sent
 * during one turn of the event loop leaves as one packed array.
 */
import { Packr, Unpackr } from "msgpackr";
import type { Clock } from "./clock.ts";
import type { Port } from "./port.ts";

// Records would be defined anew in every message, and their readers compiled anew behind it.
const packr = new Packr({ useRecords: false, variableMapSize: true });
const unpackr = new Unpackr({ useRecords: false });

/** Packs one message and transfers its bytes. */
export function postPacked(port: Port, message: unknown): void {
  const packed = packr.pack(message);
  const bytes = new Uint8Array(packed.length);
  bytes.set(packed);
  port.postMessage(bytes.buffer, [bytes.buffer]);
}

/** Reads what `postPacked` sent. The sender is this program's own code of the same version. */
export function unpackMessage(buffer: ArrayBuffer): unknown {
  return unpackr.unpack(new Uint8Array(buffer));
}

/**
 * Collects messages and posts them as one array at the end of the turn.
 *
 * Invariant: messages arrive in the order in which they were sent.
 */
export class BatchSender<Message> {
  readonly #port: Port;
  readonly #soon: Clock["soon"];
  readonly #encode: (batch: readonly Message[]) => unknown;
  readonly #flush = (): void => this.flush();
  #batch: Message[] = [];

  /** `soon` calls at the end of the turn; `encode` makes of a batch what is posted. */
  constructor(
    port: Port,
    soon: Clock["soon"],
    encode: (batch: readonly Message[]) => unknown = (batch) => batch,
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
