import { randomBytes } from "node:crypto";
import { apply } from "../../engine/apply.ts";
import { EventState } from "../../engine/event-state.ts";
import { shardOf } from "../../engine/shard-of.ts";
import { snapshotOf } from "../../engine/snapshot.ts";
import { snapshotHash } from "../../engine/snapshot-comparison.ts";
import { EntryWriter, forEachEntry, readEntry } from "../../workers/journal/entry.ts";
import {
  CHAIN_START,
  ENTRIES,
  FRAME_HEADER_BYTES,
  readFrame,
  sealFrame,
} from "../../workers/journal/frame.ts";
import { SALT_BYTES } from "../../workers/journal/segment.ts";
import { check } from "../report/checking.ts";
import { factsOf } from "./event-run.ts";
import type { Finding } from "./finding.ts";
import { planSale } from "./sale-plan.ts";
import { warmUp } from "./warm-up.ts";

const SEATS = 18_000;
const SHARDS = 16;
const FACTS_IN_FRAME = 64;

/** Facts to entries, entries to frames, and all the way back. */
export function benchCodecs({ seconds, seed }: { seconds: number; seed: number }): Finding {
  const { definition, commands } = planSale({ seats: SEATS, floor: 0 }, seed);
  const { state, facts } = factsOf(definition, commands);
  const { eventId } = definition;
  const shard = shardOf(eventId, SHARDS);
  const writer = new EntryWriter();
  const encode = (): Buffer => {
    for (const fact of facts) {
      writer.write({ shard, lsn: fact.seq, epoch: 1, atMs: fact.atMs }, eventId, fact);
    }
    return Buffer.from(writer.take());
  };
  const entries = encode();
  const again = new EventState();
  const decode = (): void =>
    forEachEntry(entries, (at) => {
      if (again.seq < facts.length) apply(again, readEntry(entries, at).fact);
      else readEntry(entries, at);
    });
  decode();
  const hashes = [state, again].map((each) => snapshotHash(snapshotOf(each)));
  const salt = randomBytes(SALT_BYTES);
  const payloadBytes = Math.floor((entries.length / facts.length) * FACTS_IN_FRAME);
  const frame = Buffer.alloc(FRAME_HEADER_BYTES + payloadBytes);
  entries.copy(frame, FRAME_HEADER_BYTES, 0, payloadBytes);
  const content = { kind: ENTRIES, entryCount: FACTS_IN_FRAME } as const;
  const seal = () => sealFrame(frame, content, salt, CHAIN_START);
  seal();
  const isWhole = readFrame(frame, 0, salt)?.payload.equals(frame.subarray(FRAME_HEADER_BYTES));
  frame[FRAME_HEADER_BYTES] = (frame[FRAME_HEADER_BYTES] ?? 0) ^ 1;
  const isDamaged = readFrame(frame, 0, salt) === null;
  seal();
  const size = { name: "an encoded fact", value: entries.length / facts.length, unit: "bytes" };
  const unit = "facts a second, one thread";
  return {
    figures: [
      { name: "encode facts", value: rateOf(encode, seconds) * facts.length, unit },
      { name: "decode facts", value: rateOf(decode, seconds) * facts.length, unit },
      size,
      {
        name: `seal frames of ${FACTS_IN_FRAME} facts`,
        value: rateOf(seal, seconds),
        unit: "frames a second, one thread",
      },
      {
        name: `read frames of ${FACTS_IN_FRAME} facts`,
        value: rateOf(() => readFrame(frame, 0, salt), seconds),
        unit: "frames a second, one thread",
      },
    ],
    checks: [
      check(
        "facts that were encoded and decoded give the same state",
        hashes[0] === hashes[1],
        `${facts.length} facts, ${hashes.join(" and ")}`,
      ),
      check("a frame is read as it was sealed", isWhole === true, `${frame.length} bytes`),
      check("a frame with a flipped bit is not read", isDamaged, "one bit of its payload"),
    ],
  };
}

const CALLS_AT_ONCE_MS = 5;

/** Calls a second, after some that don't count. */
function rateOf(work: () => unknown, seconds: number): number {
  warmUp(work, seconds);
  let calls = 1;
  // As many at once as take long enough to be timed.
  for (;;) {
    const startMs = performance.now();
    for (let n = 0; n < calls; n += 1) work();
    if (performance.now() - startMs > CALLS_AT_ONCE_MS) break;
    calls *= 2;
  }
  let done = 0;
  const startMs = performance.now();
  while (performance.now() - startMs < seconds * 1_000) {
    for (let n = 0; n < calls; n += 1) work();
    done += calls;
  }
  return (done * 1_000) / (performance.now() - startMs);
}
