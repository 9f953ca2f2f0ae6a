import assert from "node:assert/strict";
import { test } from "node:test";
import type { EventId } from "./ids.ts";
import { shardOf } from "./shard-of.ts";

test("events spread evenly over any number of shards, and always to the same one", () => {
  for (const shardCount of [1, 2, 7, 16, 64]) {
    const counts = new Array<number>(shardCount).fill(0);
    for (let n = 0; n < 20_000; n += 1) {
      const id = `018f3c9a-7b10-7000-8000-${n.toString(16).padStart(12, "0")}` as EventId;
      const shard = shardOf(id, shardCount);
      assert.equal(shard, shardOf(id, shardCount));
      counts[shard] = (counts[shard] ?? 0) + 1;
    }
    const expected = 20_000 / shardCount;
    for (const count of counts) assert.ok(Math.abs(count - expected) < 0.3 * expected, `${counts}`);
  }
});
