import { BODIES_BYTES_MAX } from "../../engine/limits.ts";

/** What became of a chunk. */
export type Collected =
  | { readonly kind: "complete"; readonly body: Buffer }
  | { readonly kind: "more" }
  /** The body is over its own bound. */
  | { readonly kind: "tooLarge" }
  /** The bodies of all unanswered requests together are over theirs. */
  | { readonly kind: "noRoom" };

const MORE: Collected = { kind: "more" };

/** Bytes of the bodies of unanswered requests, shared by all collectors of a server. */
export interface BodyBytes {
  bytes: number;
}

/**
 * Puts the chunks of one body together. A chunk is borrowed: it is copied, exactly once when it is
 * the whole body.
 *
 * Invariant: what came of this body is counted in `held` until `discard`, which whoever answers the
 * request calls: a body is in memory for as long as somebody may still look at it.
 */
export class BodyCollector {
  readonly #bytesMax: number;
  readonly #held: BodyBytes;
  #chunks: Buffer[] = [];
  #bytes = 0;

  constructor(bytesMax: number, held: BodyBytes) {
    this.#bytesMax = bytesMax;
    this.#held = held;
  }

  add(chunk: ArrayBuffer, isLast: boolean): Collected {
    const total = this.#bytes + chunk.byteLength;
    if (total > this.#bytesMax) {
      this.discard();
      return { kind: "tooLarge" };
    }
    if (this.#held.bytes + chunk.byteLength > BODIES_BYTES_MAX) {
      this.discard();
      return { kind: "noRoom" };
    }
    const copy = Buffer.from(new Uint8Array(chunk));
    const isWhole = isLast && this.#bytes === 0;
    this.#bytes = total;
    this.#held.bytes += copy.length;
    if (isWhole) return { kind: "complete", body: copy };
    if (copy.length > 0) this.#chunks.push(copy);
    if (!isLast) return MORE;
    const body = Buffer.concat(this.#chunks, total);
    this.#chunks = [];
    return { kind: "complete", body };
  }

  /** Gives everything back; harmless when repeated. */
  discard(): void {
    this.#held.bytes -= this.#bytes;
    this.#bytes = 0;
    this.#chunks = [];
  }
}
