import assert from "node:assert/strict";
import { beforeEach, describe, it } from "node:test";
import { type Comparable, comparableOf } from "./snapshot.ts";
import { driftBetween, snapshotHash } from "./snapshot-comparison.ts";
import { ALICE, BOB, EventBench } from "./testing/fixtures.ts";

describe("comparing snapshots", () => {
  let snapshot: Comparable;
  beforeEach(() => {
    const bench = new EventBench();
    for (const seat of [0, 1, 2]) bench.hold([seat], seat === 2 ? BOB : ALICE);
    snapshot = comparableOf(bench.state);
  });

  it("finds no difference in the same records in another order", () => {
    const other = { ...snapshot, holds: snapshot.holds.toReversed() };
    assert.deepEqual(driftBetween(snapshot, other), []);
    assert.equal(snapshotHash(snapshot), snapshotHash(other));
  });

  it("tells apart what one record more, less or other is", () => {
    const [first, ...rest] = snapshot.holds;
    assert.ok(first !== undefined);
    const others: Comparable[] = [
      { ...snapshot, seq: snapshot.seq + 1 },
      { ...snapshot, definition: null },
      { ...snapshot, holds: rest },
      { ...snapshot, holds: [...rest, { ...first, userId: BOB }] },
      { ...snapshot, blocks: [{ place: 3, channel: "", quantity: 1 }] },
    ];
    const hashes = new Set(others.map(snapshotHash)).add(snapshotHash(snapshot));
    assert.equal(hashes.size, others.length + 1);
    for (const other of others) {
      assert.equal(driftBetween(snapshot, other).length, 1);
      assert.equal(driftBetween(other, snapshot).length, 1);
    }
  });

  it("does not let two equal differences cancel each other", () => {
    const swapped = snapshot.holds.map((hold) => ({
      ...hold,
      userId: hold.userId === BOB ? ALICE : BOB,
    }));
    assert.notEqual(snapshotHash(snapshot), snapshotHash({ ...snapshot, holds: swapped }));
    const twice = { ...snapshot, holds: [...snapshot.holds, ...snapshot.holds] };
    assert.notEqual(snapshotHash(snapshot), snapshotHash(twice));
  });
});
