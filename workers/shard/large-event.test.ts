/** What takes long for a large event is done in turns, and everybody else is served in between. */
import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import type { EventId } from "../../engine/ids.ts";
import { snapshotOf } from "../../engine/snapshot.ts";
import { snapshotHash } from "../../engine/snapshot-comparison.ts";
import { ALICE, EVENT_ID } from "../../engine/testing/fixtures.ts";
import { HostBench, hold, settled } from "./testing/host-bench.ts";

const HOLDS = 3_000;
const OTHER_EVENT = EVENT_ID.replace("c2d3", "c2d4") as EventId;
const LARGE = {
  areas: [{ key: "floor", category: 1, capacity: 3 * HOLDS }],
  perUserMax: 3 * HOLDS,
};

let bench: HostBench;
beforeEach(async () => {
  bench = await HostBench.selling(LARGE);
  bench.host.receive(Array.from({ length: HOLDS }, () => bench.request(hold([-1]))));
  bench.makeDurable();
  bench.project();
  bench.goesOn = false;
});

/** A hold of it is answered as soon as it is durable. */
function sell(eventId: EventId): void {
  const id = bench.ask(hold([-1]), { eventId });
  bench.makeDurable();
  assert.equal(bench.answerOf(id).kind, "done");
}

test("a large event sells between the turns of its audit, which compares exactly all the same", async () => {
  const id = bench.ask({ kind: "audit" });
  let turns = 0;
  do {
    sell(EVENT_ID);
    bench.project();
    await settled();
    turns += 1;
  } while (await bench.turn());
  const answer = bench.answerOf(id);
  assert.ok(answer.kind === "audit");
  const { ok, drift, memory, database } = answer.report;
  assert.deepEqual({ ok, drift }, { ok: true, drift: [] });
  assert.deepEqual(memory, database);
  assert.ok(turns > HOLDS / 200, `${turns} turns`);
  const { seq, held } = memory;
  assert.equal(held, seq - 1, "each fact but the first is a hold of one place");
  assert.ok(seq > HOLDS + 1, "what was sold meanwhile is in it");
});

test("what differs in a large event is named, wherever it is", async () => {
  const state = bench.database.states.get(EVENT_ID);
  assert.ok(state !== undefined);
  const [first, last] = [state.holds.active()[0], state.holds.active()[HOLDS - 1]];
  assert.ok(first !== undefined && last !== undefined);
  const { holdId, userId } = first;
  state.holds.end({ holdId, userId, end: "released", bookingId: null, atMs: 0, isOffer: false });
  state.holds.put({ ...last, extended: true });
  const id = bench.ask({ kind: "audit" });
  await settled();
  while (await bench.turn());
  const answer = bench.answerOf(id);
  assert.ok(answer.kind === "audit");
  const { ok, drift, memory, database } = answer.report;
  assert.equal(ok, false);
  assert.equal(drift.length, 2);
  assert.match(drift[0] ?? "", new RegExp(`^hold ${holdId} is in memory only: `));
  assert.match(drift[1] ?? "", new RegExp(`^hold ${last.holdId} differs: memory `));
  assert.notEqual(memory.hash, database.hash);
});

test("while a large event is loaded, others sell", async () => {
  const restarted = new HostBench({ database: bench.database });
  restarted.goesOn = false;
  const waits = restarted.ask({ kind: "getHold", holdId: hold([-1]).holdId, userId: ALICE });
  await settled();
  let turns = 0;
  do {
    const other = restarted.ask({ kind: "unwatch" }, { eventId: OTHER_EVENT });
    await settled();
    assert.equal(restarted.answerOf(other).kind, "unchanged");
    assert.deepEqual(restarted.answersOf(waits), []);
    turns += 1;
  } while ((await restarted.turn()) && restarted.answersOf(waits).length === 0);
  const answer = restarted.answerOf(waits);
  assert.ok(answer.kind === "refused" && answer.refusal.code === "hold_not_found");
  assert.ok(turns > HOLDS / 1_000, `${turns} turns`);
});

test("an inspection tells the event as it was when it was asked", async () => {
  const state = bench.database.states.get(EVENT_ID);
  assert.ok(state !== undefined);
  const before = snapshotHash(snapshotOf(state));
  const id = bench.ask({ kind: "inspect" });
  do {
    sell(EVENT_ID);
  } while (await bench.turn());
  const answer = bench.answerOf(id);
  assert.ok(answer.kind === "actor");
  assert.deepEqual([answer.report.hash, answer.report.holds], [before, HOLDS]);
});

test("who asks again hears the same inspection, unless the event has gone on", async () => {
  const first = bench.ask({ kind: "inspect" });
  const same = bench.ask({ kind: "inspect" });
  sell(EVENT_ID);
  const later = bench.ask({ kind: "inspect" });
  const refusal = bench.answerOf(later);
  assert.ok(refusal.kind === "refused" && refusal.refusal.code === "busy");
  while (await bench.turn());
  assert.deepEqual(bench.answerOf(same), bench.answerOf(first));
});
