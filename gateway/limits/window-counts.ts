import { LIMIT_KEYS_MAX } from "../../engine/door-limits.ts";
import { FifoMap } from "../../engine/fifo-map.ts";

/** So many within so long, from the first one on. */
export interface Bound {
  readonly count: number;
  readonly windowMs: number;
}

/** What was counted under a key. */
export interface Window {
  used: number;
  /** In the time of whoever counts. */
  endsMs: number;
}

/** An IPv4 address is a number; all else is text. */
export type CountKey = string | number;

/**
 * Windows of counts in this process.
 *
 * Synchronous, and nothing but a look-up for a known key: this is asked for every request. Measured
 * against rate-limiter-flexible's own memory, which makes a promise a count and a timer a key, and
 * has no bound on its keys (docs/LIMITS.md).
 *
 * Invariants:
 * - At most LIMIT_KEYS_MAX windows are kept. Past it the one that began first is forgotten, which
 *   lets somebody in who should wait, and keeps nobody out.
 * - Windows that are over are dropped as new ones come: no timer runs.
 */
export class WindowCounts {
  readonly #windowMs: number;
  readonly #keysMax: number;
  readonly #windows = new FifoMap<CountKey, Window>();

  constructor(windowMs: number, keysMax: number = LIMIT_KEYS_MAX) {
    this.#windowMs = windowMs;
    this.#keysMax = keysMax;
  }

  get size(): number {
    return this.#windows.size;
  }

  /** The key's window at `nowMs`, which begins now if there was none. */
  at(key: CountKey, nowMs: number): Window {
    const known = this.#windows.get(key);
    if (known !== undefined && nowMs < known.endsMs) return known;
    const fresh = { used: 0, endsMs: nowMs + this.#windowMs };
    this.#windows.set(key, fresh);
    this.#tidy(nowMs);
    return fresh;
  }

  /** The key's window, if there is one. */
  peek(key: CountKey, nowMs: number): Window | null {
    const known = this.#windows.get(key);
    return known !== undefined && nowMs < known.endsMs ? known : null;
  }

  forget(key: CountKey): void {
    this.#windows.delete(key);
  }

  /** For each window that comes, two may go: so all that are over go in time. */
  #tidy(nowMs: number): void {
    for (let looks = 0; looks < 2; looks += 1) {
      const oldest = this.#windows.oldestKey();
      if (oldest === undefined) return;
      const isOver = (this.#windows.get(oldest)?.endsMs ?? 0) <= nowMs;
      if (!isOver && this.#windows.size <= this.#keysMax) return;
      this.#windows.delete(oldest);
    }
  }
}
