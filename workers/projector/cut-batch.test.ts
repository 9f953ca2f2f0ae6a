import assert from "node:assert/strict";
import { test } from "node:test";
import type { Fact } from "../../engine/facts.ts";
import { BOB, EVENT_ID, EventBench } from "../../engine/testing/fixtures.ts";
import { Random } from "../../engine/testing/random.ts";
import { randomDomainStep } from "../../engine/testing/random-domain-step.ts";
import { randomStep } from "../../engine/testing/random-step.ts";
import { EntryWriter, forEachEntry } from "../journal/entry.ts";
import { packedAlone, unpackFact } from "../store/fact-bytes.ts";
import { PlainHold } from "../store/plain-hold.ts";
import { cutBatch } from "./cut-batch.ts";
import type { NetEffects } from "./effects.ts";
import { netEffectsOf } from "./net-effects.ts";
import { stepsOf } from "./projection-statements.ts";
import { ShardQueue } from "./shard-queue.ts";

const SHARD = 3;

function queueOf(facts: readonly Fact[]): ShardQueue {
  const writer = new EntryWriter();
  for (const [index, fact] of facts.entries()) {
    writer.write({ shard: SHARD, lsn: index + 1, epoch: 2, atMs: fact.atMs }, EVENT_ID, fact);
  }
  const bytes = Buffer.from(writer.take());
  const queue = new ShardQueue(SHARD, 2, 0);
  forEachEntry(bytes, (offset) => assert.ok(queue.push(bytes, offset)));
  return queue;
}

/** What is written, and nothing of where it came from. */
function written(effects: NetEffects): unknown {
  return stepsOf(effects).map((step) =>
    "copy" in step
      ? { name: step.name, text: step.copy.text, rows: step.copy.rows.toString("latin1") }
      : step,
  );
}

test("facts left where they lie become the same rows as facts that were read", () => {
  const seen = { left: 0, read: 0, changed: 0 };
  for (let seed = 1; seed <= 60; seed += 1) {
    const [bench, random] = [new EventBench(), new Random(seed)];
    const act = seed % 2 === 0 ? randomStep : randomDomainStep;
    for (let step = 0; step < 150; step += 1) act(random, bench, step);
    const queue = queueOf(bench.facts);
    for (let first = 0; queue.untaken > 0; ) {
      const { effects, slices } = cutBatch([queue], 1 + random.below(30));
      const [cut] = slices;
      assert.ok(cut);
      const facts = bench.facts.slice(first, first + cut.slice.facts);
      const read = facts.map((fact) => {
        const packed = packedAlone(fact);
        return { eventId: EVENT_ID, fact: unpackFact(packed.bytes), packed };
      });
      assert.deepEqual(written(effects), written(netEffectsOf(read)));
      first += cut.slice.facts;
      for (const made of effects.holdsMade) {
        if (made instanceof PlainHold) seen.left += 1;
        else if (made.ended === null && made.hold.terms === null) seen.changed += 1;
        else seen.read += 1;
      }
    }
  }
  assert.ok(seen.left > 50 && seen.read > 50 && seen.changed > 10, JSON.stringify(seen));
});

test("a hold that is left where it lies changes, ends and is booked like any other", () => {
  const bench = new EventBench();
  const from = bench.facts.length;
  const [kept, changed, ended, booked] = [0, 1, 2, 3].map((seat) => bench.held([seat], BOB));
  assert.ok(kept && changed && ended && booked);
  bench.nowMs += 1_000;
  bench.run({ kind: "extend", holdId: changed, userId: BOB, key: null });
  bench.run({ kind: "release", holdId: ended, userId: BOB });
  bench.run(bench.bookCommand(booked, BOB));
  const { effects } = cutBatch([queueOf(bench.facts)], 100);
  assert.equal(from, 1);
  assert.deepEqual(
    effects.holdsMade.map((made) => [made.hold.holdId, made.hold.extended, made.ended?.end.end]),
    [
      [kept, false, undefined],
      [changed, true, undefined],
      [ended, false, "released"],
    ],
  );
  assert.deepEqual(effects.holdChanges, []);
  assert.deepEqual(effects.holdsBooked, []);
});

test("a fact that follows none before it is not cut, and nothing is taken", () => {
  const bench = new EventBench();
  bench.held([0], BOB);
  bench.held([1], BOB);
  const [, first, second] = bench.facts;
  assert.ok(first && second);
  const queue = queueOf([first, { ...second, seq: second.seq + 1 }]);
  assert.throws(() => cutBatch([queue], 100), /in order, without gaps/);
  assert.equal(queue.untaken, 2);
});
