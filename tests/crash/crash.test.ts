/**
 * The short form of `npm run crash`: the real server killed under load a few times, and everything
 * that its clients were told must have an order that explains it.
 */
import assert from "node:assert/strict";
import { randomInt } from "node:crypto";
import { test } from "node:test";
import { crash } from "./crash.ts";
import { scheduleOf } from "./schedule.ts";

for (const ackMode of ["journal", "postgres"]) {
  test(`acknowledged by ${ackMode}, nothing is lost, sold twice or told otherwise over kills`, async (t) => {
    const report = await crash({
      seed: randomInt(2 ** 31),
      cycles: 2,
      buyersPerEvent: 6,
      ackMode,
      shardsVary: true,
      log: (line) => t.diagnostic(line),
    });
    t.diagnostic(JSON.stringify(report));
    assert.ok(report.acknowledged > 50, "there was a load");
    assert.ok(report.keysRepeatedAtEnd > 50, "keys were repeated");
    assert.ok(report.checked.operations > 200, "a history was checked");
  });
}

test("a seed repeats its schedule, and every kind of moment has its turn", () => {
  const options = { seed: 7, cycles: 12, shardsVary: true };
  const schedule = scheduleOf(options);
  assert.deepEqual(scheduleOf(options), schedule);
  assert.notDeepEqual(scheduleOf({ ...options, seed: 8 }), schedule);
  assert.equal(new Set(schedule.map(({ moment }) => moment.kind)).size, 6);
  assert.ok(new Set(schedule.map(({ shards }) => shards)).size > 1, "shards vary");
});
