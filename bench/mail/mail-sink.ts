import { spawnThread } from "../../workers/spawn-thread.ts";
import { ThreadLink } from "../../workers/thread-link.ts";

export interface ToMailSink {
  readonly id: number;
}

export interface SinkCount {
  readonly count: number;
  readonly bytes: number;
  readonly recipients: number;
  /** Recipients who got more than one. */
  readonly twice: number;
}

export type FromMailSink =
  | { readonly kind: "listening"; readonly port: number }
  | ({ readonly kind: "counted"; readonly id: number } & SinkCount);

const THREAD = new URL("./mail-sink-thread.ts", import.meta.url);

/** A mail server on this machine, in a thread of its own, that takes whatever comes. */
export class MailSink {
  readonly url: string;
  readonly #link: ThreadLink<ToMailSink, FromMailSink>;

  static async open(): Promise<MailSink> {
    const link = new ThreadLink<ToMailSink, FromMailSink>(spawnThread(THREAD, {}));
    const { port } = await link.next("listening");
    return new MailSink(link, port);
  }

  private constructor(link: ThreadLink<ToMailSink, FromMailSink>, port: number) {
    this.#link = link;
    this.url = `smtp://127.0.0.1:${port}`;
  }

  counted(): Promise<SinkCount> {
    return this.#link.ask("counted", (id) => ({ id }));
  }

  close(): Promise<void> {
    return this.#link.terminate();
  }
}
