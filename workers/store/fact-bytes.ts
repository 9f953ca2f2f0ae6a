import { Packr, Unpackr } from "msgpackr";
import { decodeFact, decodeHead, encodeFact } from "../../engine/fact-codec.ts";
import type { Fact, FactHead } from "../../engine/facts.ts";
import { RowReader } from "../journal/msgpack-row.ts";

// Records would make the bytes depend on what was packed before them.
const packr = new Packr({ useRecords: false, variableMapSize: true });
const unpackr = new Unpackr({ useRecords: false });

/** Bytes that packFact made, wherever they lie. */
export interface PackedPlace {
  readonly bytes: Buffer;
  readonly start: number;
  readonly end: number;
}

/** A fact as the column `key_blocks.facts` has it, and the journal. */
export function packFact(fact: Fact): Buffer {
  return packr.pack(encodeFact(fact));
}

/** The same, where nobody has packed it yet. */
export function packedAlone(fact: Fact): PackedPlace {
  const bytes = packFact(fact);
  return { bytes, start: 0, end: bytes.length };
}

export function unpackFact(bytes: Uint8Array): Fact {
  return decodeFact(unpackr.unpack(bytes));
}

/** The fact that lies there. */
export function factIn({ bytes, start, end }: PackedPlace): Fact {
  return unpackFact(bytes.subarray(start, end));
}

/** What all facts have, of the packed fact in `bytes` from `start` to `end`. */
export function skimFact(bytes: Buffer, start: number, end: number): FactHead {
  return keyedHead(bytes, start, end) ?? decodeHead(unpackr.unpack(bytes, { start, end }));
}

const reader = new RowReader();

/** That of a fact with a key, as nearly all are written; null: it is another one. */
function keyedHead(bytes: Buffer, start: number, end: number): FactHead | null {
  reader.begin(bytes, start, end);
  if (reader.array() < 0) return null;
  const [, seq, atMs] = [reader.number(), reader.number(), reader.number()];
  if (reader.array() !== 2) return null;
  const [digest, fingerprint] = [reader.text(), reader.text()];
  if (digest === null || fingerprint === null || Number.isNaN(seq + atMs)) return null;
  return { seq, atMs, key: { digest, fingerprint } };
}
