/**
 * Messages between threads, many at a time. A MessagePort moves about 0.3 million single objects a
 * second and more than ten million records inside one transferred buffer, so whatever is sent
 * during one turn of the event loop leaves as one.
 */
import type { Clock } from "./clock.ts";
import { MessageWriter } from "./packed-message.ts";
import type { Port } from "./port.ts";

/** Posts what was written, and transfers its bytes. */
export function postWritten(port: Port, writer: MessageWriter): void {
  const buffer = writer.take();
  port.postMessage(buffer, [buffer]);
}

/**
 * Collects messages and posts them as one at the end of the turn.
 *
 * Invariant: messages arrive in the order in which they were sent.
 */
export class BatchSender<Message> {
  readonly #port: Port;
  readonly #soon: Clock["soon"];
  readonly #write: (to: MessageWriter, batch: readonly Message[]) => void;
  readonly #flush = (): void => this.flush();
  readonly #writer = new MessageWriter();
  #batch: Message[] = [];

  /** `soon` calls at the end of the turn; `write` makes of a batch what is posted. */
  constructor(
    port: Port,
    soon: Clock["soon"],
    write: (to: MessageWriter, batch: readonly Message[]) => void,
  ) {
    this.#port = port;
    this.#write = write;
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
    this.#write(this.#writer, batch);
    postWritten(this.#port, this.#writer);
  }
}
