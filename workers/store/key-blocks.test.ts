import assert from "node:assert/strict";
import { test } from "node:test";
import type { Fact } from "../../engine/facts.ts";
import type { KeptKey } from "../../engine/key-rows.ts";
import { KEY_BLOCK_BYTES_MAX } from "../../engine/limits.ts";
import { BOB, EVENT_ID, EventBench } from "../../engine/testing/fixtures.ts";
import { packedAlone, skimFact, unpackFact } from "./fact-bytes.ts";
import { factsOf, findOutcome, KeyBlockWriter, readKeys } from "./key-blocks.ts";

const HOLDS = 200;

/** Facts with keys of the lengths that keys have, and others. */
function keyedFacts(): Fact[] {
  const areas = [{ key: "floor", category: 1, capacity: HOLDS }];
  const bench = new EventBench({ areas, perUserMax: HOLDS });
  for (let n = 0; n < HOLDS; n += 1) {
    const digest = `k${n}`.padEnd(n % 23, "x");
    bench.hold([-1], BOB, { digest, fingerprint: `f${n}` });
  }
  return bench.facts.filter(({ key }) => key !== null);
}

test("rows have as many outcomes as they may, in order, and each is found by its seq", () => {
  const facts = keyedFacts();
  assert.equal(facts.length, HOLDS);
  const writer = new KeyBlockWriter(EVENT_ID);
  for (const fact of facts) writer.add(fact, packedAlone(fact));
  const blocks = writer.finish().map((block) => ({ ...block, facts: factsOf(block) }));
  assert.ok(blocks.length > 2);
  for (const [index, { eventId, facts: bytes }] of blocks.entries()) {
    assert.equal(eventId, EVENT_ID);
    assert.ok(bytes.length <= KEY_BLOCK_BYTES_MAX);
    assert.equal(bytes.length, blocks[index]?.bytes);
    const next = blocks[index + 1];
    const nextBytes = next === undefined ? KEY_BLOCK_BYTES_MAX : 4 + next.facts.readUInt32BE(0);
    assert.ok(bytes.length + nextBytes > KEY_BLOCK_BYTES_MAX, "there was no room for another");
  }
  const kept: KeptKey[] = [];
  for (const { facts: bytes } of blocks) readKeys(bytes, kept);
  assert.deepEqual(
    kept,
    facts.map(({ key, seq, atMs }) => ({ ...key, seq, atMs })),
  );
  for (const fact of facts) {
    const block = blocks.find(({ lastSeq }) => lastSeq >= fact.seq);
    assert.deepEqual(findOutcome(block?.facts ?? Buffer.alloc(0), fact.seq), fact);
  }
  const [last, lastBlock] = [facts.at(-1), blocks.at(-1)];
  assert.deepEqual([lastBlock?.lastSeq, lastBlock?.lastMs], [last?.seq, last?.atMs]);
});

test("an outcome that is larger than a row has one of its own; none at all have none", () => {
  const [first, second] = keyedFacts();
  assert.ok(first !== undefined && second !== undefined);
  const large = { ...second, key: { digest: "d".repeat(KEY_BLOCK_BYTES_MAX), fingerprint: "f" } };
  const writer = new KeyBlockWriter(EVENT_ID);
  for (const fact of [first, large, first]) writer.add(fact, packedAlone(fact));
  assert.deepEqual(
    writer.finish().map((block) => findOutcome(factsOf(block), block.lastSeq)),
    [first, large, first],
  );
  assert.deepEqual(new KeyBlockWriter(EVENT_ID).finish(), []);
});

test("what is skimmed of a fact is what it says when it is read, wherever it lies", () => {
  const bench = new EventBench({ perOrderMax: 10, perUserMax: 1_000 });
  bench.run(bench.bookCommand(bench.held([0, -1])));
  bench.hold([1], BOB, { digest: "schlüssel", fingerprint: "☃" });
  const fresh = { digest: "d".repeat(22), fingerprint: "f".repeat(11) };
  const facts = [...bench.facts, ...bench.facts.map((fact) => ({ ...fact, key: fresh }))];
  for (const fact of [...facts, ...facts.map((each) => ({ ...each, seq: 2 ** 40 }))]) {
    const { bytes } = packedAlone(fact);
    const { seq, atMs, key } = unpackFact(bytes);
    const within = Buffer.concat([Buffer.from([0x91]), bytes, bytes]);
    assert.deepEqual(skimFact(within, 1, 1 + bytes.length), { seq, atMs, key });
  }
});
