import { closeSync, openSync, readSync } from "node:fs";

const FILE = "/proc/thread-self/schedstat";
const BYTES_MAX = 64;

/**
 * How long this thread has waited for a processor that others had, by Linux's own account. It is
 * no time of what is measured, however long it takes by the clock; what the thread sleeps for, the
 * collector's helpers among it, is.
 */
export class ProcessorWaits {
  readonly #file: number | null;
  readonly #bytes = Buffer.alloc(BYTES_MAX);

  constructor() {
    let file: number | null = null;
    try {
      file = openSync(FILE, "r");
    } catch {
      // Where the system does not tell, the clock's word is all there is.
    }
    this.#file = file;
  }

  /** Since the thread began, µs; 0 where the system does not tell. */
  get us(): number {
    if (this.#file === null) return 0;
    const length = readSync(this.#file, this.#bytes, 0, BYTES_MAX, 0);
    const [, waitedNs] = this.#bytes.toString("latin1", 0, length).split(" ");
    return Number(waitedNs) / 1_000;
  }

  close(): void {
    if (this.#file !== null) closeSync(this.#file);
  }
}
