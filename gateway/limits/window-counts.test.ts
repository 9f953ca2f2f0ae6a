import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { WindowCounts } from "./window-counts.ts";

describe("WindowCounts", () => {
  it("counts a key from its first use until the window is over, and then anew", () => {
    const counts = new WindowCounts(1_000);
    counts.at("a", 0).used += 1;
    counts.at("a", 999).used += 1;
    assert.deepEqual(counts.at("a", 999), { used: 2, endsMs: 1_000 });
    assert.deepEqual(counts.at("b", 999), { used: 0, endsMs: 1_999 });
    assert.deepEqual(counts.at("a", 1_000), { used: 0, endsMs: 2_000 });
  });

  it("looks without beginning a window", () => {
    const counts = new WindowCounts(1_000);
    assert.equal(counts.peek("a", 0), null);
    counts.at("a", 0);
    assert.notEqual(counts.peek("a", 999), null);
    assert.equal(counts.peek("a", 1_000), null);
    assert.equal(counts.size, 1);
  });

  it("keeps no more keys than it may, and forgets the oldest first", () => {
    const counts = new WindowCounts(1_000, 10);
    for (let n = 0; n < 100_000; n += 1) counts.at(n, 0).used += 1;
    assert.equal(counts.size, 10);
    assert.equal(counts.peek(99_989, 0), null);
    assert.deepEqual(counts.peek(99_990, 0)?.used, 1);
  });

  it("drops what is over as others come, without a timer", () => {
    const counts = new WindowCounts(1_000);
    for (let n = 0; n < 1_000; n += 1) counts.at(`old ${n}`, 0);
    for (let n = 0; n < 1_000; n += 1) counts.at(`new ${n}`, 5_000);
    assert.equal(counts.size, 1_000);
  });

  it("begins anew with a key that is forgotten", () => {
    const counts = new WindowCounts(1_000);
    counts.at("a", 0).used = 7;
    counts.forget("a");
    assert.equal(counts.at("a", 1).used, 0);
  });
});
