/**
 * Idempotency keys and what came of them, as table key_blocks has them: the facts of one event that
 * came with a key, in order, as many as fill a row. A fact's key is in the fact.
 *
 *   facts   length (u32, big-endian)  msgpack of the encoded fact   length …
 */
import { assert } from "../../engine/assert.ts";
import type { Fact } from "../../engine/facts.ts";
import type { KeptKey } from "../../engine/idempotency-keys.ts";
import type { EventId } from "../../engine/ids.ts";
import { KEY_BLOCK_BYTES_MAX } from "../../engine/limits.ts";
import { packFact, skimFact, unpackFact } from "./fact-bytes.ts";

const LENGTH_BYTES = 4;

export interface Outcome {
  readonly eventId: EventId;
  readonly fact: Fact;
  /** The fact as packFact makes it; null: that is still to be done. */
  readonly packed: Uint8Array | null;
}

export interface KeyBlock {
  readonly eventId: EventId;
  readonly lastSeq: number;
  readonly lastMs: number;
  readonly facts: Buffer;
}

/** `outcomes`: those of an event together, in order. */
export function keyBlocksOf(outcomes: readonly Outcome[]): KeyBlock[] {
  const blocks: KeyBlock[] = [];
  let from = 0;
  let bytes = 0;
  const packed = outcomes.map((outcome) => outcome.packed ?? packFact(outcome.fact));
  for (const [at, { eventId, fact }] of outcomes.entries()) {
    bytes += LENGTH_BYTES + (packed[at]?.length ?? 0);
    const next = outcomes[at + 1];
    const nextBytes = LENGTH_BYTES + (packed[at + 1]?.length ?? 0);
    if (next?.eventId === eventId && bytes + nextBytes <= KEY_BLOCK_BYTES_MAX) continue;
    const facts = joined(packed.slice(from, at + 1), bytes);
    blocks.push({ eventId, lastSeq: fact.seq, lastMs: fact.atMs, facts });
    from = at + 1;
    bytes = 0;
  }
  return blocks;
}

function joined(facts: readonly Uint8Array[], bytes: number): Buffer {
  const block = Buffer.allocUnsafe(bytes);
  let end = 0;
  for (const fact of facts) {
    end = block.writeUInt32BE(fact.length, end);
    block.set(fact, end);
    end += fact.length;
  }
  return block;
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
