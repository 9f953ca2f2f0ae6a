import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { putBack, TokenBuckets, take, takeAnyway, tokensOut, waitMs } from "./token-buckets.ts";

const TEN = { count: 10, windowMs: 60_000 };

/** How many of `tries` at this time are let in. */
function letIn(bucket: { fullAtMs: number }, tries: number, nowMs: number): number {
  let count = 0;
  for (let n = 0; n < tries; n += 1) if (take(bucket, TEN, nowMs)) count += 1;
  return count;
}

describe("a token bucket", () => {
  it("gives at once what the bound says, and then one as each comes back", () => {
    const bucket = { fullAtMs: 0 };
    assert.equal(letIn(bucket, 100, 1_000_000.3), 10);
    assert.equal(Math.round(waitMs(bucket, TEN, 1_000_000.3) / 1_000), 6);
    assert.equal(letIn(bucket, 100, 1_005_900), 0);
    assert.equal(letIn(bucket, 100, 1_006_001), 1);
    assert.equal(letIn(bucket, 100, 1_060_001), 9);
    assert.equal(letIn(bucket, 100, 9_000_000), 10);
  });

  it("never gives more at once than the bound, wherever in time", () => {
    for (let gapMs = 0; gapMs <= 200_000; gapMs += 1_234) {
      const bucket = { fullAtMs: 0 };
      assert.equal(letIn(bucket, 5, 777), 5);
      letIn(bucket, 100, 777 + gapMs);
      const nowMs = 777 + gapMs;
      assert.equal(letIn(bucket, 100, nowMs), 0, `two bursts, ${gapMs} ms apart`);
      assert.ok(tokensOut(bucket, TEN, nowMs) <= 10);
    }
  });

  it("lets in who comes as often as the bound says, for ever", () => {
    const bucket = { fullAtMs: 0 };
    for (let n = 0; n < 10_000; n += 1) {
      assert.ok(take(bucket, TEN, 12.345 + n * 6_000), `the ${n}th`);
    }
  });

  it("counts whole tokens, whatever rounding makes of the time", () => {
    for (const count of [3, 7, 11, 60, 12_000]) {
      const bound = { count, windowMs: 60_000 };
      const bucket = { fullAtMs: 0 };
      const nowMs = 987_654_321.123_4;
      for (let n = 1; n <= count; n += 1) {
        assert.ok(take(bucket, bound, nowMs));
        assert.equal(tokensOut(bucket, bound, nowMs), n);
      }
      assert.ok(!take(bucket, bound, nowMs));
      putBack(bucket, bound);
      assert.ok(take(bucket, bound, nowMs));
      assert.ok(!take(bucket, bound, nowMs));
    }
  });

  it("is never more than full", () => {
    const bucket = { fullAtMs: 0 };
    takeAnyway(bucket, TEN, 0);
    for (let n = 0; n < 5; n += 1) putBack(bucket, TEN);
    assert.equal(letIn(bucket, 100, 0), 10);
  });
});

describe("TokenBuckets", () => {
  it("keeps no more keys than it may, and forgets the oldest first", () => {
    const buckets = new TokenBuckets(10);
    for (let n = 0; n < 100_000; n += 1) takeAnyway(buckets.at(n, 0), TEN, 0);
    assert.equal(buckets.size, 10);
    assert.equal(buckets.peek(99_989), null);
    assert.equal(buckets.peek(99_990)?.fullAtMs, 6_000);
  });

  it("drops what is full as others come, without a timer, whoever stays busy", () => {
    const buckets = new TokenBuckets();
    takeAnyway(buckets.at("busy", 0), { count: 1, windowMs: 1e9 }, 0);
    for (let n = 0; n < 1_000; n += 1) takeAnyway(buckets.at(`old ${n}`, 0), TEN, 0);
    for (let n = 0; n < 1_001; n += 1) takeAnyway(buckets.at(`new ${n}`, 7_000), TEN, 7_000);
    assert.equal(buckets.peek("old 0"), null);
    assert.ok(buckets.size < 1_100, String(buckets.size));
    assert.notEqual(buckets.peek("busy"), null);
  });

  it("looks without beginning, and begins anew with what is forgotten", () => {
    const buckets = new TokenBuckets();
    assert.equal(buckets.peek("a"), null);
    takeAnyway(buckets.at("a", 0), TEN, 0);
    buckets.forget("a");
    assert.equal(buckets.at("a", 5).fullAtMs, 5);
  });
});
