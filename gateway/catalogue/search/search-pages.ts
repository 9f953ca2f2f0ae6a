import { FifoMap } from "../../../engine/fifo-map.ts";
import * as limits from "../../../engine/search-limits.ts";
import { systemClock } from "../../../workers/clock.ts";
import { etagOf } from "../../http/etag.ts";

export interface KeptPage {
  readonly body: string;
  readonly etag: string;
}

interface Slot {
  readonly page: Promise<KeptPage>;
  readonly bornMs: number;
  /** 0 while it is being read. */
  bytes: number;
}

/**
 * Pages of searches, kept for a moment: on the morning of a sale all ask for the same few.
 *
 * Invariants:
 * - No page is older than SEARCH_PAGES_TTL_MS, and none was begun before the last `clear`: whoever
 *   asks after a change of an event sees it.
 * - However many ask for a page at a time, it is read once.
 * - At most SEARCH_PAGES_MAX pages and SEARCH_PAGES_BYTES_MAX bytes; the oldest goes first.
 */
export class SearchPages {
  readonly #slots = new FifoMap<string, Slot>();
  readonly #now: () => number;
  #bytes = 0;

  /** `now`: ms since any moment, which never run backwards. */
  constructor(now: () => number = systemClock.monotonicMs) {
    this.#now = now;
  }

  get(key: string, read: () => Promise<string>): Promise<KeptPage> {
    const known = this.#slots.get(key);
    if (known !== undefined && this.#now() - known.bornMs < limits.SEARCH_PAGES_TTL_MS) {
      return known.page;
    }
    this.#drop(key);
    const page = read().then((body) => ({ body, etag: etagOf(body) }));
    const slot: Slot = { page, bornMs: this.#now(), bytes: 0 };
    this.#slots.set(key, slot);
    page.then(
      ({ body }) => this.#weigh(key, slot, body.length + key.length),
      () => {
        if (this.#slots.get(key) === slot) this.#drop(key);
      },
    );
    this.#shrink();
    return page;
  }

  /** Events have changed: what is known, and what is being read, is not asked for any more. */
  clear(): void {
    for (let key = this.#slots.oldestKey(); key !== undefined; key = this.#slots.oldestKey()) {
      this.#drop(key);
    }
  }

  get size(): number {
    return this.#slots.size;
  }

  #weigh(key: string, slot: Slot, bytes: number): void {
    if (this.#slots.get(key) !== slot) return;
    slot.bytes = bytes;
    this.#bytes += bytes;
    this.#shrink();
  }

  #shrink(): void {
    while (
      this.#slots.size > limits.SEARCH_PAGES_MAX ||
      this.#bytes > limits.SEARCH_PAGES_BYTES_MAX
    ) {
      const key = this.#slots.oldestKey();
      if (key === undefined) return;
      this.#drop(key);
    }
  }

  #drop(key: string): void {
    this.#bytes -= this.#slots.get(key)?.bytes ?? 0;
    this.#slots.delete(key);
  }
}
