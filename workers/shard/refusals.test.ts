import assert from "node:assert/strict";
import { test } from "node:test";
import { ACTOR_MAILBOX_MAX } from "../../engine/limits.ts";
import { ALICE, BOB } from "../../engine/testing/fixtures.ts";
import { HostBench, hold, settled } from "./testing/host-bench.ts";

const BUSY = { kind: "refused", refusal: { code: "busy" } };

/** A round waits for the journal, which has no room for more. */
async function lateJournal(): Promise<{ bench: HostBench; held: ReturnType<typeof hold> }> {
  const bench = await HostBench.selling();
  const held = hold([0]);
  bench.ask(held);
  bench.host.setJournalFull(true);
  bench.released.length = 0;
  return { bench, held };
}

test("busy waits for no journal, and rests on none of its facts", async () => {
  const { bench } = await lateJournal();
  const late = bench.ask(hold([2]), { deadlineMs: bench.nowMs - 1 });
  const full = bench.ask(hold([1]));
  const lost = bench.ask(hold([1]), { shard: 99 });
  for (const id of [late, full, lost]) assert.deepEqual(bench.answerOf(id), BUSY);
  for (const { answers, changes, notices } of bench.released) {
    assert.deepEqual(
      answers.map(({ lsn }) => lsn),
      [0],
    );
    assert.deepEqual([changes, notices], [[], []]);
  }
  bench.makeDurable();
  assert.equal(bench.released.length, 4);
  assert.equal(bench.entries.length, 2);
});

test("the refused of a round leave together, and before what they were asked with", async () => {
  const bench = await HostBench.selling();
  bench.released.length = 0;
  const requests = [
    bench.request(hold([0])),
    bench.request(hold([1]), { deadlineMs: bench.nowMs - 1 }),
    bench.request(hold([2])),
    bench.request(hold([3]), { deadlineMs: bench.nowMs - 1 }),
  ];
  bench.host.receive(requests);
  const told = () => bench.released.map(({ answers }) => answers.map(({ id }) => id));
  const [first, second, third, fourth] = requests.map(({ id }) => id);
  assert.deepEqual(told(), [[second, fourth]]);
  bench.makeDurable();
  assert.deepEqual(told(), [
    [second, fourth],
    [first, third],
  ]);
});

test("a question that can't be answered truly while the journal is late is refused", async () => {
  const { bench, held } = await lateJournal();
  const { holdId } = held;
  const ask = () => bench.ask({ kind: "getHold", holdId, userId: ALICE });
  assert.deepEqual(bench.answerOf(ask()), BUSY);
  const unwatch = bench.ask({ kind: "unwatch" });
  assert.deepEqual(bench.answerOf(unwatch), BUSY);
  bench.makeDurable();
  // Nothing waits any more: what is in memory is what is durable, though nothing new is admitted.
  assert.equal(bench.answerOf(ask()).kind, "hold");
  assert.deepEqual(bench.answerOf(bench.ask(hold([1]))), BUSY);
});

test("a question waits for the facts of its own round, and tells nothing of them before", async () => {
  const bench = await HostBench.selling();
  const held = hold([0]);
  const { holdId } = held;
  const question = bench.request({ kind: "getHold", holdId, userId: ALICE });
  bench.host.receive([bench.request(held), question]);
  assert.deepEqual(bench.answersOf(question.id), []);
  const later = bench.ask({ kind: "getHold", holdId, userId: ALICE });
  assert.deepEqual(bench.answersOf(later), []);
  bench.makeDurable();
  for (const id of [question.id, later]) assert.equal(bench.answerOf(id).kind, "hold");
});

test("a hold that ends while the journal is late is not told of by a question", async () => {
  const bench = await HostBench.selling();
  const held = hold([0]);
  bench.ask(held);
  bench.makeDurable();
  bench.host.setJournalFull(true);
  bench.nowMs += 3_600_000;
  const question = bench.ask({ kind: "getHold", holdId: held.holdId, userId: ALICE });
  assert.deepEqual(bench.answerOf(question), BUSY);
});

test("a mailbox that is full refuses at once, as does an event that can't be loaded", async () => {
  const bench = await HostBench.selling();
  bench.ask(hold([0]));
  const eventId = "018f3c9a-7b10-7000-8000-0007a4b1c2d4" as typeof held.eventId;
  const held = bench.request(hold([1], { userId: BOB }));
  bench.database.answersLoads = false;
  const parked = Array.from({ length: ACTOR_MAILBOX_MAX }, () => {
    return bench.request({ kind: "watch" }, { eventId });
  });
  bench.host.receive(parked);
  const over = bench.ask({ kind: "watch" }, { eventId });
  assert.deepEqual(bench.answerOf(over), BUSY);
  bench.database.failure = new Error("away");
  bench.database.answerLoads();
  await settled();
  for (const { id } of parked.slice(0, 3)) assert.deepEqual(bench.answerOf(id), BUSY);
});

test("a replay that the store can't answer is refused though the journal is late", async () => {
  const bench = await HostBench.selling();
  const key = { digest: "k", fingerprint: "f" };
  const held = hold([0], { key });
  bench.ask(held);
  bench.makeDurable();
  bench.project();
  bench.database.failure = new Error("away");
  bench.ask(hold([1]));
  const again = bench.ask(held);
  await settled();
  assert.deepEqual(bench.answerOf(again), BUSY);
});
