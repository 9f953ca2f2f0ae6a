import assert from "node:assert/strict";
import { test } from "node:test";
import type { EventId } from "../../engine/ids.ts";
import { BOB, EVENT_ID, EventBench } from "../../engine/testing/fixtures.ts";
import { Random } from "../../engine/testing/random.ts";
import { randomDomainStep } from "../../engine/testing/random-domain-step.ts";
import { randomStep } from "../../engine/testing/random-step.ts";
import { packedAlone, unpackFact } from "../store/fact-bytes.ts";
import { PlainHold } from "../store/plain-hold.ts";
import { entriesOf, queueOf } from "../testing/entries.ts";
import { cutBatch } from "./cut-batch.ts";
import type { EventFact, NetEffects } from "./effects.ts";
import { netEffectsOf } from "./net-effects.ts";
import { stepsOf } from "./projection-statements.ts";

const OTHER_SHARD = 1;
const OTHER_EVENT_ID = "018f3c9a-7b10-7000-8000-0007a4b1c2d4" as EventId;
const THIRD_EVENT_ID = "018f3c9a-7b10-7000-8000-0007a4b1c2d5" as EventId;

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
    const queue = queueOf(entriesOf(bench.facts));
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
  const { effects } = cutBatch([queueOf(entriesOf(bench.facts))], 100);
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

test("facts of several events in several shards become their own events' rows, as often as asked", () => {
  for (let seed = 1; seed <= 10; seed += 1) {
    const random = new Random(seed);
    const benches = [new EventBench(), new EventBench()];
    for (let step = 0; step < 60; step += 1) randomStep(random, random.pick(benches), step);
    const [first = [], second = []] = benches.map(({ facts }) => facts);
    // In one shard in turns, in another an event alone.
    const mixed: EventFact[] = [];
    for (let n = 0; n < Math.max(first.length, second.length); n += 1) {
      const [one, other] = [first[n], second[n]];
      if (one !== undefined) mixed.push({ eventId: EVENT_ID, fact: one });
      if (other !== undefined) mixed.push({ eventId: OTHER_EVENT_ID, fact: other });
    }
    const entries = mixed.map(({ eventId, fact }, n) =>
      entriesOf([fact], { eventId, firstLsn: n + 1 }),
    );
    const alone = { eventId: THIRD_EVENT_ID, shard: OTHER_SHARD };
    const queues = [queueOf(Buffer.concat(entries)), queueOf(entriesOf(first, alone))];
    const { effects } = cutBatch(queues, 10_000);
    const third = first.map((fact) => ({ eventId: THIRD_EVENT_ID, fact }));
    const read = [...mixed, ...third].map(({ eventId, fact }) => {
      const packed = packedAlone(fact);
      return { eventId, fact: unpackFact(packed.bytes), packed };
    });
    const once = written(effects);
    assert.deepEqual(once, written(netEffectsOf(read)));
    // What was read of a hold changes nothing, and a batch that is sent again is the same.
    for (const { hold } of effects.holdsMade) assert.ok(hold.holdId);
    assert.deepEqual(written(effects), once);
  }
});

test("a fact that can't be read is not cut, and nothing of the batch is taken", () => {
  const bench = new EventBench();
  bench.held([0], BOB);
  const good = queueOf(entriesOf(bench.facts));
  // The last fact's kind, and how many members it has: one more, which is none.
  for (const spoil of [
    (bytes: Buffer) => bytes.writeUInt8(99, bytes.lastIndexOf(Buffer.from([0x98, 2])) + 1),
    (bytes: Buffer) => bytes.writeUInt8(0x99, bytes.lastIndexOf(Buffer.from([0x98, 2]))),
  ]) {
    const spoilt = entriesOf(bench.facts, { shard: OTHER_SHARD });
    spoil(spoilt);
    const bad = queueOf(spoilt);
    assert.throws(() => cutBatch([good, bad], 100));
    good.putBack();
    assert.deepEqual([good.untaken, bad.untaken], [2, 2]);
  }
});

test("a fact that follows none before it is not cut, and nothing is taken", () => {
  const bench = new EventBench();
  bench.held([0], BOB);
  bench.held([1], BOB);
  const [, first, second] = bench.facts;
  assert.ok(first && second);
  const queue = queueOf(entriesOf([first, { ...second, seq: second.seq + 1 }]));
  assert.throws(() => cutBatch([queue], 100), /in order, without gaps/);
  assert.equal(queue.untaken, 2);
});
