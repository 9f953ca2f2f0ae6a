import { PROJECTION_BATCH_BYTES_MAX } from "../../engine/projection-limits.ts";
import { entryEnd, eventIdOf, factStart } from "../journal/entry.ts";
import { factIn } from "../store/fact-bytes.ts";
import { PlainHold } from "../store/plain-hold.ts";
import type { EventFact } from "./effects.ts";
import { EffectsFold } from "./net-effects.ts";
import type { ProjectionBatch } from "./projection-store.ts";
import type { ShardQueue, Slice } from "./shard-queue.ts";

export interface QueueSlice {
  readonly queue: ShardQueue;
  readonly slice: Slice;
}

/** Facts of some shards that go into PostgreSQL together, and what they amount to. */
export interface CutBatch extends ProjectionBatch {
  readonly slices: readonly QueueSlice[];
}

/**
 * Takes the first facts of the queues, `factsMax` at most. Throws, with facts taken, where one of
 * them can't be decoded or folded.
 */
export function cutBatch(queues: readonly ShardQueue[], factsMax: number): CutBatch {
  const slices: QueueSlice[] = [];
  const fold = new EffectsFold();
  let facts = factsMax;
  let bytes = PROJECTION_BATCH_BYTES_MAX;
  for (const queue of queues) {
    if (facts <= 0 || bytes <= 0) break;
    const slice = queue.take(facts, bytes, (entries, offset) => {
      const fact = factAt(entries, offset);
      if (fact instanceof PlainHold) fold.addPlain(fact);
      else fold.add(fact);
    });
    if (slice === null) continue;
    slices.push({ queue, slice });
    facts -= slice.facts;
    bytes -= slice.bytes;
  }
  return {
    slices,
    advances: slices.map(({ slice }) => slice.advance),
    effects: fold.finish(),
  };
}

/** The fact of the entry at `offset`. Throws when it can't be decoded. */
function factAt(bytes: Buffer, offset: number): EventFact | PlainHold {
  const packed = { bytes, start: factStart(bytes, offset), end: entryEnd(bytes, offset) };
  const eventId = eventIdOf(bytes, offset);
  return PlainHold.read(eventId, packed) ?? { eventId, fact: factIn(packed), packed };
}
