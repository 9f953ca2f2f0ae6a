/**
 * The short form of `npm run crash`: three kills of the real server under load, and everything that
 * its clients were told must have an order that explains it.
 */
import assert from "node:assert/strict";
import { randomInt } from "node:crypto";
import { test } from "node:test";
import { crash } from "./crash.ts";
import { scheduleOf } from "./schedule.ts";

test("nothing that was acknowledged is lost, sold twice or told otherwise over three kills", async (t) => {
  const report = await crash({
    seed: randomInt(2 ** 31),
    cycles: 3,
    buyersPerEvent: 6,
    ackMode: "journal",
    shardsVary: true,
    log: (line) => t.diagnostic(line),
  });
  t.diagnostic(JSON.stringify(report));
  assert.ok(report.kills >= 2, "it was killed");
  assert.ok(report.acknowledged > 50, "there was a load");
  assert.ok(report.keysRepeatedAtEnd > 50, "keys were repeated");
  assert.ok(report.checked.operations > 200, "a history was checked");
});

test("a seed repeats its schedule, and every kind of moment has its turn", () => {
  const options = { seed: 7, cycles: 12, shardsVary: true };
  const schedule = scheduleOf(options);
  assert.deepEqual(scheduleOf(options), schedule);
  assert.notDeepEqual(scheduleOf({ ...options, seed: 8 }), schedule);
  assert.equal(new Set(schedule.map(({ moment }) => moment.kind)).size, 6);
  assert.ok(new Set(schedule.map(({ shards }) => shards)).size > 1, "shards vary");
});
