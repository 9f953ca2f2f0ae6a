import { assert } from "./assert.ts";
import type { CommandKey } from "./facts.ts";
import type { TextRows } from "./text-index.ts";

export interface KeptKey extends CommandKey {
  /** seq of the fact that is the outcome. */
  readonly seq: number;
  readonly atMs: number;
}

const DIGEST_CHARS = 22;
const FINGERPRINT_CHARS = 11;
const TEXT_BYTES = DIGEST_CHARS + FINGERPRINT_CHARS;

const CHUNK_BITS = 12;
const CHUNK_ROWS = 1 << CHUNK_BITS;
const CHUNK_MASK = CHUNK_ROWS - 1;
const ROWS_MIN = 8;

/** Kept keys as bytes and numbers: there may be millions, and no collector has to look at them. */
export class KeyRows implements TextRows {
  readonly #chunks: KeyChunk[] = [];

  isOf(row: number, digest: string): boolean {
    return this.#chunkOf(row).isOf(row & CHUNK_MASK, digest);
  }

  atMs(row: number): number {
    return this.#chunkOf(row).atMs(row & CHUNK_MASK);
  }

  read(row: number): KeptKey {
    return this.#chunkOf(row).read(row & CHUNK_MASK);
  }

  /** There is a key, or has been one, in each row before it. */
  write(row: number, key: CommandKey, seq: number, atMs: number): void {
    if (row >>> CHUNK_BITS === this.#chunks.length) this.#chunks.push(new KeyChunk());
    this.#chunkOf(row).write(row & CHUNK_MASK, key, seq, atMs);
  }

  #chunkOf(row: number): KeyChunk {
    const chunk = this.#chunks[row >>> CHUNK_BITS];
    assert(chunk !== undefined, "a row that is read was written");
    return chunk;
  }
}

/** At most 4,096 of them: to make room for more, no more than these are copied. */
class KeyChunk {
  /** Digest and fingerprint, each filled up with zeros. */
  #texts = new Uint8Array(ROWS_MIN * TEXT_BYTES);
  #seqs = new Float64Array(ROWS_MIN);
  #times = new Float64Array(ROWS_MIN);

  isOf(row: number, digest: string): boolean {
    const at = row * TEXT_BYTES;
    for (let n = 0; n < DIGEST_CHARS; n += 1) {
      if (this.#texts[at + n] !== (n < digest.length ? digest.charCodeAt(n) : 0)) return false;
    }
    return digest.length <= DIGEST_CHARS;
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

  write(row: number, { digest, fingerprint }: CommandKey, seq: number, atMs: number): void {
    if (row === this.#seqs.length) this.#makeRoom();
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

  #makeRoom(): void {
    const rows = Math.min(2 * this.#seqs.length, CHUNK_ROWS);
    const [texts, seqs, times] = [this.#texts, this.#seqs, this.#times];
    this.#texts = new Uint8Array(rows * TEXT_BYTES);
    this.#seqs = new Float64Array(rows);
    this.#times = new Float64Array(rows);
    this.#texts.set(texts);
    this.#seqs.set(seqs);
    this.#times.set(times);
  }
}
