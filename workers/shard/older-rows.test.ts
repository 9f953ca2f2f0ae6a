import assert from "node:assert/strict";
import { test } from "node:test";
import { ACTOR_IDLE_MS } from "../../engine/limits.ts";
import { ALICE, BOB } from "../../engine/testing/fixtures.ts";
import { EPOCH, HostBench, hold, settled } from "./testing/host-bench.ts";

const BUSY = { kind: "refused", refusal: { code: "busy" } };

/** Its actor has been let go, and PostgreSQL has all of it. */
async function quietEvent(): Promise<HostBench> {
  const bench = await HostBench.selling();
  const held = hold([0]);
  bench.ask(held);
  bench.ask({ kind: "release", holdId: held.holdId, userId: ALICE });
  bench.makeDurable();
  bench.project();
  bench.nowMs += ACTOR_IDLE_MS + 1;
  bench.host.tick();
  assert.equal(bench.host.reports(0)[0]?.actorCount, 0);
  return bench;
}

for (const [what, older] of [
  ["of an older state", { appliedLsn: 2 }],
  ["under another epoch", { epoch: EPOCH + 1 }],
] as const) {
  test(`no actor is built from rows ${what}; whoever asks is told busy, and may try again`, async () => {
    const bench = await quietEvent();
    const { stored } = bench.database;
    bench.database.stored = { ...stored, ...older };
    const refused = bench.ask(hold([0], { userId: BOB }));
    await settled();
    assert.deepEqual(bench.answerOf(refused), BUSY);
    assert.deepEqual(bench.warnings, ["an event could not be loaded"]);
    assert.equal(bench.entries.length, 3);
    bench.database.stored = stored;
    bench.ask(hold([0], { userId: BOB }));
    await settled();
    assert.equal(bench.entries.length, 4);
  });
}

test("an audit does not compare with rows of an older state", async () => {
  const bench = await HostBench.selling();
  bench.database.stored = { ...bench.database.stored, appliedLsn: 0 };
  const audit = bench.ask({ kind: "audit" });
  await settled();
  assert.deepEqual(bench.answerOf(audit), BUSY);
});
