import assert from "node:assert/strict";
import { test } from "node:test";
import { Random } from "../engine/testing/random.ts";
import { RequestTable } from "./request-table.ts";

const ID_MAX = 2 ** 30 - 1;

test("each request is taken out once, by its own id, however many there are", () => {
  for (let seed = 1; seed <= 20; seed += 1) {
    const random = new Random(seed);
    // Half of them pass the greatest id.
    const table = new RequestTable<{ readonly step: number }>(seed % 2 === 0 ? 0 : ID_MAX - 2_000);
    const model = new Map<number, { readonly step: number }>();
    const ended: number[] = [];
    const sizeMax = [3, 300, 3_000][seed % 3] ?? 0;
    for (let step = 0; step < 8_000; step += 1) {
      const isAdded = model.size === 0 || (model.size < sizeMax && random.below(3) > 0);
      if (isAdded) {
        const id = table.add({ step });
        assert.ok(id >= 1 && id <= ID_MAX && !model.has(id), `seed ${seed}, step ${step}: ${id}`);
        model.set(id, { step });
      } else {
        // The oldest mostly; those that are left become old.
        const ids = [...model.keys()];
        const id = ids[random.below(4) === 0 ? random.below(ids.length) : 0] ?? 0;
        assert.deepEqual(table.take(id), model.get(id));
        assert.equal(table.take(id), null);
        model.delete(id);
        ended.push(id);
      }
      assert.equal(table.size, model.size);
    }
    for (const id of ended.slice(-500)) assert.equal(table.take(id), null);
    const seen = new Map<number, { readonly step: number }>();
    table.forEach((request, id) => {
      seen.set(id, request);
    });
    const inOrder = (map: typeof seen) => [...map].sort(([a], [b]) => a - b);
    assert.deepEqual(inOrder(seen), inOrder(model));
  }
});

test("what is looked at may be taken out meanwhile", () => {
  const table = new RequestTable<{ readonly n: number }>();
  for (let n = 0; n < 1_000; n += 1) table.add({ n });
  let seen = 0;
  table.forEach(({ n }, id) => {
    seen += 1;
    if (n % 2 === 0) table.take(id);
  });
  assert.deepEqual([seen, table.size], [1_000, 500]);
});

test("what is looked at may bring so many others that the table grows", () => {
  // Some of them lie in other slots when there are twice as many.
  const table = new RequestTable<{ readonly isOld: boolean }>(200);
  for (let n = 0; n < 100; n += 1) table.add({ isOld: true });
  let taken = 0;
  table.forEach(({ isOld }, id) => {
    if (!isOld) return;
    assert.deepEqual(table.take(id), { isOld: true });
    taken += 1;
    for (let n = 0; n < 10; n += 1) table.add({ isOld: false });
  });
  assert.deepEqual([taken, table.size], [100, 1_000]);
});
