import { Packr, Unpackr } from "msgpackr";
import { decodeFact, encodeFact } from "../../engine/fact-codec.ts";
import type { Fact } from "../../engine/facts.ts";

// Records would make the bytes depend on what was packed before them.
const packr = new Packr({ useRecords: false, variableMapSize: true });
const unpackr = new Unpackr({ useRecords: false });

/** A fact as the column `idempotency_keys.fact` keeps it. */
export function packFact(fact: Fact): Buffer {
  return packr.pack(encodeFact(fact));
}

export function unpackFact(bytes: Uint8Array): Fact {
  return decodeFact(unpackr.unpack(bytes));
}
