/** The short form of `npm run torture`: everything at once, and nothing that was told is untrue. */
import assert from "node:assert/strict";
import { randomInt } from "node:crypto";
import { test } from "node:test";
import { tableOf } from "../torture/report.ts";
import { torture } from "../torture/torture.ts";

const KINDS = ["hold", "hold.change", "book", "book.pay", "cancel", "cancel.part", "move"];
const LATER_KINDS = ["transfer", "checkIn", "waitlist.join", "webhook", "inventory.areas"];

test("forty clients do all that there is to do, and everything they were told holds", async (t) => {
  const seed = randomInt(2 ** 31);
  const options = { clients: 40, seconds: 7, seed, elsewhere: null };
  t.diagnostic(`npm run torture -- --clients 40 --seconds 7 --seed ${seed}`);
  const report = await torture({ ...options, log: (line) => t.diagnostic(line) });
  for (const line of tableOf(report).split("\n")) t.diagnostic(line);
  assert.deepEqual(report.faults, [], `${report.faultCount} faults with seed ${seed}`);
  for (const kind of [...KINDS, ...LATER_KINDS]) {
    assert.ok(report.tallies.has(kind), `somebody asked for ${kind}`);
  }
  const { verdict } = report;
  assert.ok(verdict !== null && verdict.money !== null);
  assert.ok(verdict.bookings > 30 && verdict.money.refunds > 5, "there was a load");
  assert.equal(verdict.audits, 6);
});
