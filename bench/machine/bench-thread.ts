import { once } from "node:events";
import type { Worker } from "node:worker_threads";
import { spawnThread } from "../../workers/spawn-thread.ts";
import { endsWith } from "../clean-up.ts";

/** A thread that answers one message for each that it gets, and says first that it is there. */
export class BenchThread {
  readonly #worker: Worker;
  readonly stop: () => Promise<void>;

  private constructor(worker: Worker) {
    this.#worker = worker;
    this.stop = endsWith(async () => {
      await worker.terminate();
    });
  }

  static async start(entry: URL): Promise<BenchThread> {
    const thread = new BenchThread(spawnThread(entry, {}));
    await thread.#next();
    return thread;
  }

  async ask<Answer>(message: unknown): Promise<Answer> {
    this.#worker.postMessage(message);
    return (await this.#next()) as Answer;
  }

  /** Rejects when the thread fails. */
  async #next(): Promise<unknown> {
    const [message] = await once(this.#worker, "message");
    return message;
  }
}
