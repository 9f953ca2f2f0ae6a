import {
  SLOW_BODY_MS_MAX,
  SLOW_CLIENT_BYTES_PER_SECOND_MIN,
  SLOW_CLIENT_LOOK_MS,
  SLOW_CLIENT_MS_MAX,
} from "../../engine/door-limits.ts";

/** Something that waits for its client. */
export interface Waiting {
  /** The client took too long. */
  tooSlow(): void;
}

/**
 * Who sends a body, or reads a long answer, and for how long that may go on.
 *
 * The library itself ends connections that send no whole head for 10 s, or less than 16 KiB of a
 * body a second, without an answer; it knows no end for those that are a little faster.
 *
 * Invariant: the timer runs exactly while somebody is waited for.
 */
export class SlowClients {
  readonly #waiting = new Map<Waiting, number>();
  readonly #graceMs: number;
  readonly #bytesPerSecond: number;
  #timer: NodeJS.Timeout | null = null;

  /** `graceMs`: what everybody has, whatever the size. */
  constructor(
    graceMs: number = SLOW_CLIENT_MS_MAX,
    bytesPerSecond: number = SLOW_CLIENT_BYTES_PER_SECOND_MIN,
  ) {
    this.#graceMs = graceMs;
    this.#bytesPerSecond = bytesPerSecond;
  }

  get size(): number {
    return this.#waiting.size;
  }

  /** Of who sends a body. */
  watchBody(waiting: Waiting, bytesMax: number): void {
    this.#watch(waiting, bytesMax, Math.min(this.#graceMs, SLOW_BODY_MS_MAX));
  }

  /** Of who reads an answer. */
  watch(waiting: Waiting, bytes: number): void {
    this.#watch(waiting, bytes, this.#graceMs);
  }

  /** Harmless when repeated: the time runs from the first call. */
  #watch(waiting: Waiting, bytes: number, graceMs: number): void {
    if (this.#waiting.has(waiting)) return;
    const allowedMs = graceMs + (bytes / this.#bytesPerSecond) * 1_000;
    this.#waiting.set(waiting, performance.now() + allowedMs);
    if (this.#timer !== null) return;
    this.#timer = setInterval(() => this.#look(), SLOW_CLIENT_LOOK_MS);
    this.#timer.unref();
  }

  done(waiting: Waiting): void {
    if (!this.#waiting.delete(waiting) || this.#waiting.size > 0) return;
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#timer = null;
  }

  #look(): void {
    const nowMs = performance.now();
    for (const [waiting, endsMs] of this.#waiting) {
      if (endsMs > nowMs) continue;
      this.done(waiting);
      waiting.tooSlow();
    }
  }
}
