import type { CommandKey } from "./facts.ts";
import { FifoMap } from "./fifo-map.ts";
import { KEY_TTL_MS, KEYS_PER_EVENT_MAX } from "./limits.ts";

export interface KeptKey {
  readonly digest: string;
  readonly fingerprint: string;
  /** seq of the fact that is the outcome. */
  readonly seq: number;
  readonly atMs: number;
}

/**
 * Which requests have had their outcome. Only the key's digest and the outcome's seq are kept here;
 * the outcome itself is a fact, in the store or still on its way there.
 *
 * Invariant: keys lie in the order of their time, so forgetting looks only at the oldest. It
 * happens when another key is kept, by that fact's own time, so a replay forgets the same keys.
 */
export class IdempotencyKeys {
  readonly #keys = new FifoMap<string, KeptKey>();

  get count(): number {
    return this.#keys.size;
  }

  /** The key, unless its time to live is over. */
  find(digest: string, nowMs: number): KeptKey | undefined {
    const kept = this.#keys.get(digest);
    return kept === undefined || kept.atMs < nowMs - KEY_TTL_MS ? undefined : kept;
  }

  /** Whether another key may be kept: the next one makes room by forgetting what is too old. */
  hasRoom(nowMs: number): boolean {
    if (this.#keys.size < KEYS_PER_EVENT_MAX) return true;
    const oldest = this.#oldest();
    return oldest === undefined || oldest.atMs < nowMs - KEY_TTL_MS;
  }

  all(): Iterable<KeptKey> {
    return this.#keys.values();
  }

  keep({ digest, fingerprint }: CommandKey, seq: number, atMs: number): void {
    this.#forgetBefore(atMs - KEY_TTL_MS);
    this.#keys.set(digest, { digest, fingerprint, seq, atMs });
  }

  #forgetBefore(horizonMs: number): void {
    let oldest = this.#oldest();
    while (oldest !== undefined && oldest.atMs < horizonMs) {
      this.#keys.delete(oldest.digest);
      oldest = this.#oldest();
    }
  }

  #oldest(): KeptKey | undefined {
    const digest = this.#keys.oldestKey();
    return digest === undefined ? undefined : this.#keys.get(digest);
  }
}
