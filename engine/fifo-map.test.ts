import assert from "node:assert/strict";
import { test } from "node:test";
import { FifoMap } from "./fifo-map.ts";
import { Random } from "./testing/random.ts";

test("the oldest is what was set longest ago, whatever was set and deleted meanwhile", () => {
  for (let seed = 1; seed <= 20; seed += 1) {
    const random = new Random(seed);
    const map = new FifoMap<number, number>();
    const model = new Map<number, number>();
    for (let step = 0; step < 2_000; step += 1) {
      const key = random.below(40);
      const [oldest] = model.keys();
      switch (random.below(4)) {
        case 0:
          assert.equal(map.delete(key), model.delete(key));
          break;
        case 1:
          assert.equal(map.oldestKey(), oldest, `seed ${seed}, step ${step}`);
          break;
        case 2:
          if (oldest !== undefined) {
            assert.equal(map.oldestKey(), oldest);
            map.delete(oldest);
            model.delete(oldest);
          }
          break;
        default:
          map.set(key, step);
          model.delete(key);
          model.set(key, step);
      }
      assert.equal(map.size, model.size);
    }
    assert.deepEqual([...map.values()], [...model.values()]);
  }
});

test("a map that was emptied begins anew", () => {
  const map = new FifoMap<string, number>();
  assert.equal(map.oldestKey(), undefined);
  map.set("a", 1);
  assert.equal(map.oldestKey(), "a");
  map.delete("a");
  assert.equal(map.oldestKey(), undefined);
  map.set("b", 2);
  map.set("c", 3);
  map.set("b", 4);
  assert.equal(map.oldestKey(), "c");
  assert.equal(map.get("b"), 4);
  assert.equal(map.get("a"), undefined);
});
