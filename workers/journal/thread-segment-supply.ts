import type { Worker } from "node:worker_threads";
import { assert } from "../../engine/assert.ts";
import { spawnThread } from "../spawn-thread.ts";
import type { JournalThreadData } from "./journal-thread-data.ts";
import type { SegmentSupply, SupplyOutcome } from "./segment-supply.ts";
import type { PreparedMessage, ToAllocator } from "./segment-supply-messages.ts";

/** The supply of segments by a thread of its own, segment-allocator.ts. */
export class ThreadSegmentSupply implements SegmentSupply {
  readonly #thread: Worker;
  /** Resolves once the thread has done everything it was told and is gone. */
  readonly whenClosed: Promise<void>;
  #done: ((outcome: SupplyOutcome) => void) | null = null;
  #isClosing = false;

  constructor(data: JournalThreadData, die: (reason: string, cause: unknown) => never) {
    this.#thread = spawnThread(new URL("./segment-allocator.ts", import.meta.url), data);
    this.#thread.on("error", (cause) => die("the segment allocator failed", cause));
    this.#thread.on("message", ({ outcome }: PreparedMessage) => {
      const done = this.#done;
      this.#done = null;
      assert(done !== null, "the allocator answers what it was asked");
      done(outcome);
    });
    this.whenClosed = new Promise((resolve) => {
      this.#thread.on("exit", () => {
        if (!this.#isClosing) die("the segment allocator ended", null);
        resolve();
      });
    });
  }

  prepare(sequence: number, done: (outcome: SupplyOutcome) => void): void {
    assert(this.#done === null, "one segment is prepared at a time");
    this.#done = done;
    this.#tell({ kind: "prepare", sequence });
  }

  discard(sequences: readonly number[]): void {
    this.#tell({ kind: "discard", sequences });
  }

  close(): void {
    this.#isClosing = true;
    this.#tell({ kind: "close" });
  }

  #tell(message: ToAllocator): void {
    this.#thread.postMessage(message);
  }
}
