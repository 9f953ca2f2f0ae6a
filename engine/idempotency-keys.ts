import { assert } from "./assert.ts";
import type { CommandKey } from "./facts.ts";
import { KEY_TTL_MS, KEYS_PER_EVENT_MAX } from "./limits.ts";
import { TextIndex, type TextRows } from "./text-index.ts";

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

  keep({ digest, fingerprint }: CommandKey, seq: number, atMs: number): void {
    this.#forgetBefore(atMs - KEY_TTL_MS);
    const before = this.#index.find(digest);
    if (before >= 0) this.#index.remove(before);
    const row = this.#index.add(digest);
    this.#rows.write(row, digest, fingerprint, seq, atMs);
  }

  #forgetBefore(horizonMs: number): void {
    let oldest = this.#index.oldest();
    while (oldest >= 0 && this.#rows.atMs(oldest) < horizonMs) {
      this.#index.remove(oldest);
      oldest = this.#index.oldest();
    }
  }
}

const DIGEST_CHARS = 22;
const FINGERPRINT_CHARS = 11;
const TEXT_BYTES = DIGEST_CHARS + FINGERPRINT_CHARS;
const NO_BYTES = new Uint8Array(0);
const NO_NUMBERS = new Float64Array(0);

/** Kept keys as bytes and numbers: there may be millions, and no collector has to look at them. */
class KeyRows implements TextRows {
  /** Digest and fingerprint, each filled up with zeros. */
  #texts = NO_BYTES;
  #seqs = NO_NUMBERS;
  #times = NO_NUMBERS;

  isOf(row: number, digest: string): boolean {
    const at = row * TEXT_BYTES;
    for (let n = 0; n < DIGEST_CHARS; n += 1) {
      if (this.#texts[at + n] !== (n < digest.length ? digest.charCodeAt(n) : 0)) return false;
    }
    return digest.length <= DIGEST_CHARS;
  }

  move(from: number, to: number): void {
    this.#texts.copyWithin(to * TEXT_BYTES, from * TEXT_BYTES, (from + 1) * TEXT_BYTES);
    this.#seqs[to] = this.#seqs[from] ?? 0;
    this.#times[to] = this.#times[from] ?? 0;
  }

  resize(count: number, capacity: number): void {
    if (capacity === this.#seqs.length) return;
    const [texts, seqs, times] = [this.#texts, this.#seqs, this.#times];
    this.#texts = new Uint8Array(capacity * TEXT_BYTES);
    this.#seqs = new Float64Array(capacity);
    this.#times = new Float64Array(capacity);
    this.#texts.set(texts.subarray(0, count * TEXT_BYTES));
    this.#seqs.set(seqs.subarray(0, count));
    this.#times.set(times.subarray(0, count));
  }

  atMs(row: number): number {
    return this.#times[row] ?? 0;
  }

  read(row: number): KeptKey {
    const at = row * TEXT_BYTES;
    const digest = this.#text(at, DIGEST_CHARS);
    const fingerprint = this.#text(at + DIGEST_CHARS, FINGERPRINT_CHARS);
    return { digest, fingerprint, seq: this.#seqs[row] ?? 0, atMs: this.atMs(row) };
  }

  write(row: number, digest: string, fingerprint: string, seq: number, atMs: number): void {
    const at = row * TEXT_BYTES;
    this.#put(digest, at, DIGEST_CHARS);
    this.#put(fingerprint, at + DIGEST_CHARS, FINGERPRINT_CHARS);
    this.#seqs[row] = seq;
    this.#times[row] = atMs;
  }

  #put(text: string, at: number, length: number): void {
    assert(text.length <= length, "a key's digests have their lengths");
    for (let n = 0; n < length; n += 1) {
      this.#texts[at + n] = n < text.length ? text.charCodeAt(n) : 0;
    }
  }

  #text(at: number, length: number): string {
    let end = at + length;
    while (end > at && this.#texts[end - 1] === 0) end -= 1;
    return String.fromCharCode(...this.#texts.subarray(at, end));
  }
}
