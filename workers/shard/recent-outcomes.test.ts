import assert from "node:assert/strict";
import { test } from "node:test";
import type { Fact } from "../../engine/facts.ts";
import { definition, NOON } from "../../engine/testing/fixtures.ts";
import { RecentOutcomes } from "./recent-outcomes.ts";

function fact(seq: number): Fact {
  return { kind: "configured", seq, atMs: NOON, key: null, definition: definition(), by: null };
}

test("an outcome is found by its seq until its lsn is projected", () => {
  const recent = new RecentOutcomes();
  for (const seq of [2, 3, 5, 9]) recent.add(100 + seq, fact(seq));
  for (const seq of [2, 3, 5, 9]) assert.equal(recent.find(seq)?.seq, seq);
  for (const seq of [1, 4, 8, 10]) assert.equal(recent.find(seq), null);
  recent.projected(104);
  assert.deepEqual(
    [2, 3, 5, 9].map((seq) => recent.find(seq)?.seq ?? null),
    [null, null, 5, 9],
  );
  recent.projected(200);
  assert.equal(recent.count, 0);
  recent.add(201, fact(11));
  assert.equal(recent.find(11)?.seq, 11);
});
