import { UNFINISHED_BODY_BYTES_MAX } from "../../engine/limits.ts";

/** What became of a chunk. */
export type Collected =
  | { readonly kind: "complete"; readonly body: Buffer }
  | { readonly kind: "more" }
  /** The body is over its own bound. */
  | { readonly kind: "tooLarge" }
  /** All unfinished bodies together are over theirs. */
  | { readonly kind: "noRoom" };

const MORE: Collected = { kind: "more" };

/** Bytes of unfinished bodies, shared by all collectors of a server. */
export interface UnfinishedBytes {
  bytes: number;
}

/**
 * Puts the chunks of one body together. A chunk is borrowed: it is copied, exactly once when it is
 * the whole body.
 *
 * Invariant: what this body has in `unfinished` is what `#chunks` holds; it is given back by the
 * last chunk or by `discard`.
 */
export class BodyCollector {
  readonly #bytesMax: number;
  readonly #unfinished: UnfinishedBytes;
  #chunks: Buffer[] = [];
  #bytes = 0;

  constructor(bytesMax: number, unfinished: UnfinishedBytes) {
    this.#bytesMax = bytesMax;
    this.#unfinished = unfinished;
  }

  add(chunk: ArrayBuffer, isLast: boolean): Collected {
    const total = this.#bytes + chunk.byteLength;
    if (total > this.#bytesMax) {
      this.discard();
      return { kind: "tooLarge" };
    }
    const copy = Buffer.from(new Uint8Array(chunk));
    if (isLast) {
      const body = this.#bytes === 0 ? copy : Buffer.concat([...this.#chunks, copy], total);
      this.discard();
      return { kind: "complete", body };
    }
    if (this.#unfinished.bytes + copy.length > UNFINISHED_BODY_BYTES_MAX) {
      this.discard();
      return { kind: "noRoom" };
    }
    if (copy.length > 0) this.#chunks.push(copy);
    this.#bytes = total;
    this.#unfinished.bytes += copy.length;
    return MORE;
  }

  /** Gives everything back; harmless when repeated. */
  discard(): void {
    this.#unfinished.bytes -= this.#bytes;
    this.#bytes = 0;
    this.#chunks = [];
  }
}
