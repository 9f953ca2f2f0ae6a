import assert from "node:assert/strict";
import { test } from "node:test";
import { type EventId, eventTagOf, IdMinter, type UserId } from "../../engine/ids.ts";
import {
  ACTOR_IDLE_MS,
  ACTOR_MAILBOX_MAX,
  OFFERS_PER_TURN_MAX,
  PASSED_ENTRIES_PER_TURN_MAX,
} from "../../engine/limits.ts";
import { ALICE, BOB, definition, EVENT_ID, NOON } from "../../engine/testing/fixtures.ts";
import type { Operation } from "../shard-messages.ts";
import { HostBench, hold, settled } from "./testing/host-bench.ts";

const OTHER = "018f3c9a-7b10-7000-8000-0007a4b1c2d4" as EventId;
const IDS = new IdMinter(5);
const FLOOR = -1;
const BUSY = { kind: "refused", refusal: { code: "busy" } };

const userOf = (n: number): UserId =>
  `018f3c9a-7b10-7000-9000-${String(n).padStart(12, "0")}` as UserId;

const join = (n: number): Operation => ({
  kind: "joinWaitlist",
  entryId: IDS.mintEntry(NOON, eventTagOf(EVENT_ID)),
  userId: userOf(n),
  quantity: 1,
  categories: null,
  priority: 0,
  key: null,
});

const enlarge = (capacity: number): Operation => ({
  kind: "changePlaces",
  by: ALICE,
  block: [],
  unblock: [],
  allotments: [],
  capacities: [{ area: 0, capacity }],
  key: null,
});

/** A floor that is full, for which so many wait. What goes on later goes on when `turn` says so. */
async function fullFloor(waiting: number, changes: { salesOpenMs?: number } = {}) {
  const bench = new HostBench();
  const base = definition({ perUserMax: 1_000, perOrderMax: 10 });
  const areas = base.areas.map((area) => ({ ...area, capacity: 1 }));
  const hall = { ...base, seatCategories: new Uint8Array(0), areas, ...changes };
  bench.ask({ kind: "configure", definition: hall });
  bench.ask({ kind: "configure", definition: definition({ eventId: OTHER }) }, { eventId: OTHER });
  await settled();
  if (changes.salesOpenMs === undefined) bench.ask(hold([FLOOR], { userId: BOB }));
  bench.host.receive(Array.from({ length: waiting }, (_, n) => bench.request(join(n))));
  bench.makeDurable();
  bench.released.length = 0;
  bench.entries.length = 0;
  bench.goesOn = false;
  return bench;
}

/** Who was offered something, in order, as far as the journal was given it. */
function offered({ entries }: HostBench): UserId[] {
  return entries.flatMap(({ fact }) =>
    fact.kind === "held" && fact.terms?.source === "waitlist" ? [fact.userId] : [],
  );
}

const users = (count: number): UserId[] => Array.from({ length: count }, (_, n) => userOf(n));

test("a long line is offered what is free in portions; others are served in between", async () => {
  const count = 2 * OFFERS_PER_TURN_MAX + 10;
  const bench = await fullFloor(count + 5);
  const change = bench.ask(enlarge(1 + count));
  assert.equal(offered(bench).length, OFFERS_PER_TURN_MAX);
  const other = bench.ask(hold([0]), { eventId: OTHER });
  bench.makeDurable();
  assert.equal(bench.answerOf(other).kind, "done");
  assert.equal(await bench.turn(), true);
  assert.equal(offered(bench).length, 2 * OFFERS_PER_TURN_MAX);
  bench.makeDurable();
  // What is free is the line's, so nobody is told that it was freed before the line has it.
  assert.deepEqual(bench.answersOf(change), []);
  assert.equal(await bench.turn(), true);
  bench.makeDurable();
  assert.deepEqual(offered(bench), users(count));
  assert.equal(bench.answerOf(change).kind, "done");
  assert.equal(await bench.turn(), false);
  assert.deepEqual(bench.deaths, []);
});

test("who asks for the event meanwhile waits, in order, until the line has what is free", async () => {
  const count = OFFERS_PER_TURN_MAX + 1;
  const bench = await fullFloor(count + 1);
  bench.ask(enlarge(2 + count));
  const last = bench.request(hold([FLOOR], { userId: BOB }));
  const view = bench.request({ kind: "getWaitlist", from: 0, limit: 10 });
  bench.host.receive([last, view]);
  const late = bench.ask(hold([FLOOR], { userId: BOB }), { deadlineMs: bench.nowMs });
  bench.host.tick();
  bench.makeDurable();
  for (const id of [last.id, view.id, late]) assert.deepEqual(bench.answersOf(id), []);
  assert.equal(bench.host.vitals().shards[0]?.mailboxDepth, 3);
  bench.nowMs += 1;
  await bench.turn();
  bench.makeDurable();
  assert.deepEqual(offered(bench), users(count + 1));
  assert.equal(bench.answerOf(last.id).kind, "refused");
  const line = bench.answerOf(view.id);
  assert.ok(line.kind === "waitlist");
  assert.equal(line.count, 0);
  assert.deepEqual(bench.answerOf(late), BUSY);
});

test("the sale opens: who comes then is behind everybody who waited", async () => {
  const salesOpenMs = NOON + 60_000;
  const count = OFFERS_PER_TURN_MAX + 3;
  const bench = await fullFloor(count, { salesOpenMs });
  bench.ask(enlarge(count + 1));
  bench.makeDurable();
  assert.deepEqual(offered(bench), []);
  bench.nowMs = salesOpenMs;
  const first = bench.ask(hold([FLOOR], { userId: BOB }));
  const second = bench.ask(hold([FLOOR], { userId: BOB }));
  assert.deepEqual(bench.answersOf(first), []);
  await bench.turn();
  bench.makeDurable();
  assert.deepEqual(offered(bench), users(count));
  const held = bench.entries.findLast(({ fact }) => fact.kind === "held");
  assert.ok(held?.fact.kind === "held" && held.fact.userId === BOB);
  assert.equal(bench.answerOf(first).kind, "done");
  assert.equal(bench.answerOf(second).kind, "refused");
});

test("holds that are due end between two portions, and what they free is offered too", async () => {
  const count = OFFERS_PER_TURN_MAX + 1;
  const bench = await fullFloor(count + 1);
  const { holdTtlMs } = definition({});
  bench.nowMs = NOON + holdTtlMs - 1;
  bench.ask(enlarge(1 + count));
  const made = bench.entries.length;
  bench.nowMs += 1;
  await bench.turn();
  assert.equal(bench.entries[made]?.fact.kind, "holdEnded", "Bob's, in time");
  assert.deepEqual(offered(bench), users(count + 1));
});

test("an event stays while it makes offers, even if the first ones have ended unused", async () => {
  const bench = await fullFloor(OFFERS_PER_TURN_MAX + 1);
  bench.ask(enlarge(2 + OFFERS_PER_TURN_MAX));
  const holds = () => bench.host.vitals().shards[0]?.holds;
  for (const ms of [definition({}).holdTtlMs + ACTOR_IDLE_MS, 1_001, 1_001]) {
    bench.nowMs += ms;
    bench.host.tick();
    bench.makeDurable();
    bench.project();
  }
  assert.equal(holds(), 0);
  assert.equal(bench.host.reports(0)[0]?.actorCount, 1);
  await bench.turn();
  assert.equal(holds(), 1);
});

test("the mailbox of an event that makes offers is bounded", async () => {
  const count = 2 * OFFERS_PER_TURN_MAX + 1;
  const bench = await fullFloor(count);
  bench.ask(enlarge(1 + count));
  const parked = Array.from({ length: ACTOR_MAILBOX_MAX }, () => bench.request({ kind: "watch" }));
  bench.host.receive(parked);
  const over = bench.ask({ kind: "watch" });
  assert.deepEqual(bench.answerOf(over), BUSY);
  assert.equal(bench.host.reports(0)[0]?.mailboxDepth, ACTOR_MAILBOX_MAX);
  bench.nowMs += ACTOR_IDLE_MS + 1;
  while (await bench.turn());
  bench.makeDurable();
  assert.equal(bench.host.reports(0)[0]?.mailboxDepth, 0);
  assert.deepEqual(bench.answerOf(parked.at(-1)?.id ?? 0), BUSY, "it waited past its deadline");
});

test("a restart in the middle goes on with the line where it was", async () => {
  const count = 3 * OFFERS_PER_TURN_MAX;
  const bench = await fullFloor(count);
  const change = bench.ask(enlarge(1 + count));
  bench.makeDurable();
  bench.project();
  const { database } = bench;
  const { appliedLsn: lsn } = database.stored;
  const restarted = new HostBench({ database, lsn });
  restarted.goesOn = false;
  void restarted.host.wake(() => database.stored.shard);
  await settled();
  const buyer = restarted.ask(hold([FLOOR], { userId: BOB }));
  while (await restarted.turn());
  restarted.makeDurable();
  assert.deepEqual([...offered(bench), ...offered(restarted)], users(count));
  assert.equal(restarted.answerOf(buyer).kind, "refused");
  assert.deepEqual(bench.answersOf(change), [], "who freed the places asks again");
});

test("an audit that began before the offers sees each of them", async () => {
  const count = 2 * OFFERS_PER_TURN_MAX;
  const bench = await fullFloor(count);
  bench.project();
  const audit = bench.ask({ kind: "audit" });
  bench.ask(enlarge(1 + count));
  bench.makeDurable();
  bench.project();
  while (await bench.turn()) {
    bench.makeDurable();
    bench.project();
    await settled();
  }
  const answer = bench.answerOf(audit);
  assert.ok(answer.kind === "audit");
  assert.deepEqual(answer.report.drift, []);
});

test("a line in which many may have nothing more is gone along in portions, too", async () => {
  const poor = PASSED_ENTRIES_PER_TURN_MAX / 2;
  const bench = new HostBench();
  bench.decodes = false;
  const base = definition({ perUserMax: 1, perOrderMax: 1 });
  const floor = (capacity: number) => base.areas.map((area) => ({ ...area, capacity }));
  const hall = { ...base, seatCategories: new Uint8Array(0), areas: floor(poor) };
  bench.ask({ kind: "configure", definition: hall });
  await settled();
  bench.host.receive(
    Array.from({ length: poor }, (_, n) => bench.request(hold([FLOOR], { userId: userOf(n) }))),
  );
  bench.host.receive(Array.from({ length: poor + 9 }, (_, n) => bench.request(join(n))));
  bench.makeDurable();
  bench.decodes = true;
  bench.goesOn = false;
  bench.ask(enlarge(poor + 9));
  // Each offer went past all those.
  assert.equal(offered(bench).length, 2);
  while (await bench.turn());
  assert.equal(offered(bench).length, 9);
});
