import assert from "node:assert/strict";
import { test } from "node:test";
import { OrderedRecords } from "./ordered-records.ts";
import { Random } from "./testing/random.ts";

interface Named {
  readonly name: string;
  readonly step: number;
}

const TEXTS = ["", "a", "ab", "abc", "abcd", "abcde", "018f3c9a-7b10-7000-8000-00000000a11c"];

test("records are found and lie in their order, whatever was put and deleted meanwhile", () => {
  for (let seed = 1; seed <= 20; seed += 1) {
    const random = new Random(seed);
    const records = new OrderedRecords<Named>(({ name }) => name);
    const model = new Map<string, Named>();
    const names = [...TEXTS, ...Array.from({ length: 10 * seed }, (_, n) => `name ${n}`)];
    for (let step = 0; step < 2_000; step += 1) {
      const name = random.pick(names);
      assert.equal(records.get(name), model.get(name), `seed ${seed}, step ${step}`);
      const [oldest] = model.keys();
      let record: Named;
      switch (random.below(5)) {
        case 0:
          assert.equal(records.delete(name), model.get(name));
          model.delete(name);
          break;
        case 1:
          records.deleteOldest();
          if (oldest !== undefined) model.delete(oldest);
          break;
        default:
          record = { name, step };
          assert.equal(records.put(record), model.get(name));
          model.set(name, record);
      }
      assert.equal(records.size, model.size);
    }
    assert.deepEqual(records.all(), [...model.values()], `seed ${seed}`);
  }
});

test("many records come and go, and each is found as long as it is there", () => {
  const records = new OrderedRecords<Named>(({ name }) => name);
  const count = 50_000;
  for (let step = 0; step < count; step += 1) {
    records.put({ name: `018f3c9a-7b10-7000-8000-${step}`, step });
    if (step % 2 === 0) records.delete(`018f3c9a-7b10-7000-8000-${step / 2}`);
  }
  let found = 0;
  for (let step = 0; step < count; step += 1) {
    if (records.get(`018f3c9a-7b10-7000-8000-${step}`)?.step === step) found += 1;
  }
  assert.equal(found, count / 2);
  assert.equal(records.size, count / 2);
  assert.equal(records.all()[0]?.step, count / 2);
});
