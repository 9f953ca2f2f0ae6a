/**
 * Idempotency keys and what came of them, as table key_blocks has them: the facts of one event that
 * came with a key, in order, as many as fill a row. A fact's key is in the fact.
 *
 *   facts   length (u32, big-endian)  msgpack of the encoded fact   length …
 */
import { assert } from "../../engine/assert.ts";
import type { Fact } from "../../engine/facts.ts";
import type { EventId } from "../../engine/ids.ts";
import type { KeptKey } from "../../engine/key-rows.ts";
import { KEY_BLOCK_BYTES_MAX } from "../../engine/limits.ts";
import { type PackedPlace, skimFact, unpackFact } from "./fact-bytes.ts";

const LENGTH_BYTES = 4;

export interface KeyBlock {
  readonly eventId: EventId;
  readonly lastSeq: number;
  readonly lastMs: number;
  /** Where its facts lie, in order. */
  readonly places: readonly PackedPlace[];
  /** Of the column that they become. */
  readonly bytes: number;
}

/** Fills rows with the facts of one event, in order. */
export class KeyBlockWriter {
  readonly #eventId: EventId;
  readonly #blocks: KeyBlock[] = [];
  /** Those of the next row, and how many bytes it will have. */
  #places: PackedPlace[] = [];
  #bytes = 0;
  #lastSeq = 0;
  #lastMs = 0;

  constructor(eventId: EventId) {
    this.#eventId = eventId;
  }

  /** `packed`: where the fact lies as packFact makes it. */
  add({ seq, atMs }: Pick<Fact, "seq" | "atMs">, packed: PackedPlace): void {
    const bytes = LENGTH_BYTES + packed.end - packed.start;
    if (this.#bytes + bytes > KEY_BLOCK_BYTES_MAX) this.#end();
    this.#places.push(packed);
    this.#bytes += bytes;
    this.#lastSeq = seq;
    this.#lastMs = atMs;
  }

  finish(): KeyBlock[] {
    this.#end();
    return this.#blocks;
  }

  #end(): void {
    if (this.#bytes === 0) return;
    const [eventId, lastSeq, lastMs] = [this.#eventId, this.#lastSeq, this.#lastMs];
    this.#blocks.push({ eventId, lastSeq, lastMs, places: this.#places, bytes: this.#bytes });
    this.#places = [];
    this.#bytes = 0;
  }
}

/** Writes the column `facts` into `into` from `at` on; returns where it ends. */
export function writeFacts({ places }: KeyBlock, into: Buffer, at: number): number {
  let end = at;
  for (const place of places) {
    end = into.writeUInt32BE(place.end - place.start, end);
    end += place.bytes.copy(into, end, place.start, place.end);
  }
  return end;
}

/** The column `facts`. */
export function factsOf(block: KeyBlock): Buffer {
  const facts = Buffer.allocUnsafe(block.bytes);
  writeFacts(block, facts, 0);
  return facts;
}

/** Adds the keys of a block to `into`, without making facts of what it has. */
export function readKeys(facts: Buffer, into: KeptKey[]): void {
  forEachFact(facts, (start, end) => {
    const { seq, atMs, key } = skimFact(facts, start, end);
    assert(key !== null, "what is kept under a key has one");
    into.push({ digest: key.digest, fingerprint: key.fingerprint, seq, atMs });
  });
}

/** The fact with this seq; null: it is not in the block. */
export function findOutcome(facts: Buffer, seq: number): Fact | null {
  let found: Fact | null = null;
  forEachFact(facts, (start, end) => {
    if (skimFact(facts, start, end).seq !== seq) return;
    found = unpackFact(facts.subarray(start, end));
  });
  return found;
}

function forEachFact(facts: Buffer, visit: (start: number, end: number) => void): void {
  for (let at = 0; at < facts.length; ) {
    const start = at + LENGTH_BYTES;
    at = start + facts.readUInt32BE(at);
    visit(start, at);
  }
}
