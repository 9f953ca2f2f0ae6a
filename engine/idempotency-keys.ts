import type { CommandKey } from "./facts.ts";
import { type KeptKey, KeyRows } from "./key-rows.ts";
import { KEY_TTL_MS, KEYS_PER_EVENT_MAX } from "./limits.ts";
import { TextIndex } from "./text-index.ts";

/**
 * Which requests have had their outcome. Only the key's digest and the outcome's seq are kept here;
 * the outcome itself is a fact, in the store or still on its way there.
 *
 * Invariant: keys lie in the order of their time, so forgetting looks only at the oldest. It
 * happens when another key is kept, by that fact's own time, so a replay forgets the same keys.
 */
export class IdempotencyKeys {
  readonly #rows = new KeyRows();
  readonly #index = new TextIndex(this.#rows);

  get count(): number {
    return this.#index.count;
  }

  /** The key, unless its time to live is over. */
  find(digest: string, nowMs: number): KeptKey | undefined {
    const row = this.#index.find(digest);
    if (row < 0 || this.#rows.atMs(row) < nowMs - KEY_TTL_MS) return undefined;
    return this.#rows.read(row);
  }

  /** Whether another key may be kept: the next one makes room by forgetting what is too old. */
  hasRoom(nowMs: number): boolean {
    if (this.#index.count < KEYS_PER_EVENT_MAX) return true;
    return this.#rows.atMs(this.#index.oldest()) < nowMs - KEY_TTL_MS;
  }

  /** Oldest first. */
  all(): KeptKey[] {
    const all: KeptKey[] = [];
    for (let row = this.#index.oldest(); row >= 0; row = this.#index.after(row)) {
      all.push(this.#rows.read(row));
    }
    return all;
  }

  keep(key: CommandKey, seq: number, atMs: number): void {
    const { digest } = key;
    this.#forgetBefore(atMs - KEY_TTL_MS);
    const before = this.#index.find(digest);
    if (before >= 0) this.#index.remove(before);
    const row = this.#index.add(digest);
    this.#rows.write(row, key, seq, atMs);
  }

  #forgetBefore(horizonMs: number): void {
    let oldest = this.#index.oldest();
    while (oldest >= 0 && this.#rows.atMs(oldest) < horizonMs) {
      this.#index.remove(oldest);
      oldest = this.#index.oldest();
    }
  }
}
