import type { ThreadHandle } from "./platform.ts";
import type { Port } from "./port.ts";

type Handler<Message> = (message: Message) => void;

/**
 * A thread as its spawner sees it: messages out, messages in by their kind, questions with an id.
 *
 * Invariant: a handler given to `next` or `ask` is called at most once.
 */
export class ThreadLink<To extends object, From extends { readonly kind: string }> {
  readonly #thread: ThreadHandle;
  readonly #handlers = new Map<string, Set<Handler<From>>>();
  #nextId = 1;

  constructor(thread: ThreadHandle) {
    this.#thread = thread;
    thread.on("message", (message: From) => {
      for (const handler of [...(this.#handlers.get(message.kind) ?? [])]) handler(message);
    });
  }

  send(message: To, transferList: readonly Port[] = []): void {
    this.#thread.postMessage(message, transferList);
  }

  on<Kind extends From["kind"]>(
    kind: Kind,
    handler: Handler<Extract<From, { kind: Kind }>>,
  ): () => void {
    const handlers = this.#handlers.get(kind) ?? new Set();
    this.#handlers.set(kind, handlers);
    // The map's key is the message's kind, so the handler gets what it asked for.
    const erased = handler as Handler<From>;
    handlers.add(erased);
    return () => handlers.delete(erased);
  }

  /** The next message of a kind. */
  next<Kind extends From["kind"]>(kind: Kind): Promise<Extract<From, { kind: Kind }>> {
    return new Promise((resolve) => {
      const off = this.on(kind, (message) => {
        off();
        resolve(message);
      });
    });
  }

  /** Sends a question with a fresh id and resolves with the message of that kind and id. */
  ask<Kind extends Extract<From, { id: number }>["kind"]>(
    kind: Kind,
    question: (id: number) => To,
  ): Promise<Extract<From, { kind: Kind }>> {
    const id = this.#nextId;
    this.#nextId += 1;
    return new Promise((resolve) => {
      const off = this.on(kind, (message) => {
        if (!("id" in message) || message.id !== id) return;
        off();
        resolve(message);
      });
      this.send(question(id));
    });
  }

  async terminate(): Promise<void> {
    await this.#thread.terminate();
  }
}
