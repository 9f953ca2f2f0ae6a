import assert from "node:assert/strict";
import { test } from "node:test";
import type { UserId } from "../../engine/ids.ts";
import { ALICE, BOB } from "../../engine/testing/fixtures.ts";
import { RecentWrites } from "./recent-writes.ts";

function writes(): { recent: RecentWrites; projected: Map<number, number> } {
  const projected = new Map<number, number>();
  const recent = new RecentWrites((shard, lsn) => lsn <= (projected.get(shard) ?? 0));
  return { recent, projected };
}

test("a buyer without bookings waits for nothing", () => {
  assert.deepEqual(writes().recent.pendingOf(ALICE), []);
});

test("a read waits for the buyer's own last write in every shard", () => {
  const { recent } = writes();
  recent.note(ALICE, 1, 10);
  recent.note(ALICE, 1, 12);
  recent.note(ALICE, 1, 11);
  recent.note(ALICE, 2, 5);
  recent.note(BOB, 3, 99);
  assert.deepEqual(recent.pendingOf(ALICE), [
    [1, 12],
    [2, 5],
  ]);
});

test("what is projected is waited for no longer", () => {
  const { recent, projected } = writes();
  recent.note(ALICE, 1, 10);
  recent.note(ALICE, 2, 5);
  projected.set(1, 10);
  assert.deepEqual(recent.pendingOf(ALICE), [[2, 5]]);
  projected.set(2, 6);
  assert.deepEqual(recent.pendingOf(ALICE), []);
});

test("forgetting buyers who are projected forgets nobody else", () => {
  const { recent, projected } = writes();
  projected.set(1, 1_000_000);
  recent.note(ALICE, 2, 7);
  for (let n = 0; n < 5_000; n += 1) recent.note(`user-${n}` as UserId, 1, n);
  assert.deepEqual(recent.pendingOf(ALICE), [[2, 7]]);
});
