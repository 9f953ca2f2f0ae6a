import assert from "node:assert/strict";
import { test } from "node:test";
import { AssertionFailed } from "../../engine/assert.ts";
import { type BookingId, type EventId, type HoldId, uuidV7 } from "../../engine/ids.ts";
import {
  ACTOR_IDLE_MS,
  ACTOR_MAILBOX_MAX,
  ACTORS_PER_WORKER_MAX,
  ENTRY_BYTES_MAX,
  ROUND_REQUESTS_MAX,
  UNPROJECTED_FACTS_PER_SHARD_MAX,
} from "../../engine/limits.ts";
import type { PlaceItem } from "../../engine/place.ts";
import { snapshotHash } from "../../engine/snapshot-comparison.ts";
import { ALICE, BOB, definition, EVENT_ID, NOON } from "../../engine/testing/fixtures.ts";
import type { Answer, AuditReport, Operation } from "../shard-messages.ts";
import { EPOCH, HostBench, hold, SHARD, settled } from "./testing/host-bench.ts";

const OTHER_EVENT = "018f3c9a-7b10-7000-8000-0007a4b1c2d4" as EventId;
const BUSY: Answer = { kind: "refused", refusal: { code: "busy" } };

function refusalOf(answer: Answer): string {
  assert.equal(answer.kind, "refused");
  return answer.kind === "refused" ? answer.refusal.code : "";
}

function bookOf(holdId: HoldId): Extract<Operation, { kind: "book" }> {
  return {
    kind: "book",
    holdId,
    userId: ALICE,
    bookingId: `${holdId.slice(0, 14)}7fff${holdId.slice(18)}` as BookingId,
    code: `code-${holdId}`,
    ticketCodes: Array.from({ length: 10 }, (_, n) => `${holdId}/${n}`),
    email: null,
    invoiceAllowed: true,
    key: null,
  };
}

async function audit(bench: HostBench): Promise<AuditReport> {
  const id = bench.ask({ kind: "audit" });
  await settled();
  const answer = bench.answerOf(id);
  if (answer.kind !== "audit") throw new Error(`no audit: ${JSON.stringify(answer)}`);
  return answer.report;
}

test("an answer leaves when the fact that it tells is durable, not before", async () => {
  const bench = await HostBench.selling();
  const id = bench.ask(hold([0]));
  assert.deepEqual(bench.answersOf(id), []);
  bench.makeDurable();
  const answer = bench.answerOf(id);
  assert.ok(answer.kind === "done" && answer.fact.kind === "held");
});

test("a refusal waits for the facts that it rests on", async () => {
  const bench = await HostBench.selling();
  bench.ask(hold([0]));
  const refused = bench.ask(hold([0], { userId: BOB }));
  const asked = bench.ask({ kind: "inspect" });
  assert.deepEqual(bench.answersOf(refused), [], "sold out is not said before the sale is durable");
  assert.deepEqual(bench.answersOf(asked), [], "nor shown");
  bench.makeDurable();
  assert.equal(refusalOf(bench.answerOf(refused)), "seat_unavailable");
});

test("changes of availability are durable before a watcher hears of them", async () => {
  const bench = await HostBench.selling();
  bench.ask({ kind: "watch" });
  bench.ask(hold([4]));
  assert.deepEqual(
    bench.released.flatMap((output) => output.changes),
    [],
  );
  bench.makeDurable();
  assert.deepEqual(
    bench.released.flatMap((output) => output.changes),
    [{ eventId: EVENT_ID, seq: 2, moves: [{ places: [4], from: 0x66, to: 0x68 }] }],
  );
});

test("durability releases rounds up to its ticket only", async () => {
  const bench = await HostBench.selling();
  const ids = [0, 1, 2].map((seat) => bench.ask(hold([seat])));
  const [first = 0] = bench.unconfirmed;
  bench.makeDurable(first + 1);
  assert.deepEqual(
    ids.map((id) => bench.answersOf(id).length),
    [1, 1, 0],
  );
});

test("facts of a shard get consecutive lsns, of an event consecutive seqs, under its epoch", async () => {
  const bench = new HostBench({ lsn: 41 });
  for (const eventId of [EVENT_ID, OTHER_EVENT]) {
    bench.ask({ kind: "configure", definition: definition({ eventId }) }, { eventId });
  }
  await settled();
  bench.host.receive([
    bench.request(hold([0])),
    bench.request(hold([0]), { eventId: OTHER_EVENT }),
    bench.request(hold([0])),
    bench.request(hold([1])),
  ]);
  assert.deepEqual(
    bench.entries.map(({ lsn }) => lsn),
    [42, 43, 44, 45, 46],
  );
  const seqsOf = (eventId: EventId): number[] =>
    bench.entries.filter((entry) => entry.eventId === eventId).map(({ fact }) => fact.seq);
  assert.deepEqual(seqsOf(EVENT_ID), [1, 2, 3]);
  assert.deepEqual(seqsOf(OTHER_EVENT), [1, 2]);
  assert.ok(bench.entries.every(({ shard, epoch }) => shard === SHARD && epoch === EPOCH));
});

test("the journaled facts replay to the very state that is in memory", async () => {
  const bench = await HostBench.selling();
  const booked = hold([0, -1]);
  bench.ask(booked);
  bench.ask(bookOf(booked.holdId));
  bench.ask(hold([1]));
  bench.nowMs += 600_000;
  bench.host.tick();
  bench.makeDurable();
  bench.project();
  const id = bench.ask({ kind: "inspect" });
  await settled();
  const answer = bench.answerOf(id);
  assert.ok(answer.kind === "actor");
  assert.equal(answer.report.hash, snapshotHash(await bench.database.load(EVENT_ID)));
});

test("each inspection of a round tells the event as it is at its place in the round", async () => {
  const bench = await HostBench.selling();
  const inspect = { kind: "inspect" } as const;
  const requests = [inspect, hold([0]), inspect].map((operation) => bench.request(operation));
  bench.host.receive(requests);
  await settled();
  bench.makeDurable();
  const told = [requests[0], requests[2]].map((request) => {
    const answered = bench.released
      .flatMap(({ answers }) => answers)
      .find(({ id }) => id === request?.id);
    assert.ok(answered?.answer.kind === "actor");
    const { seq, holds } = answered.answer.report;
    return { lsn: answered.lsn, seq, holds };
  });
  assert.deepEqual(told, [
    { lsn: 1, seq: 1, holds: 0 },
    { lsn: 2, seq: 2, holds: 1 },
  ]);
});

test("a large batch is decided in rounds of bounded size", async () => {
  const bench = await HostBench.selling({ perUserMax: 100_000, areas: [floor(5_000)] });
  const requests = Array.from({ length: ROUND_REQUESTS_MAX + 1 }, () => bench.request(hold([-1])));
  bench.host.receive(requests);
  assert.equal(bench.unconfirmed.length, 2);
  bench.makeDurable();
  for (const { id } of requests) assert.equal(bench.answerOf(id).kind, "done");
});

function floor(capacity: number): { key: string; category: number; capacity: number } {
  return { key: "floor", category: 1, capacity };
}

test("requests wait in order while their actor loads, and load it once", async () => {
  const bench = new HostBench();
  bench.database.answersLoads = false;
  const ids = [
    bench.ask({ kind: "configure", definition: definition() }),
    bench.ask(hold([0])),
    bench.ask(hold([0], { userId: BOB })),
  ];
  await settled();
  assert.equal(bench.released.length, 0);
  assert.equal(bench.host.reports(0)[0]?.mailboxDepth, 3);
  bench.database.answerLoads();
  await settled();
  bench.makeDurable();
  assert.deepEqual(bench.database.loadsAsked, [EVENT_ID]);
  assert.deepEqual(
    ids.map((id) => bench.answerOf(id).kind),
    ["done", "done", "refused"],
  );
});

test("a full mailbox is answered busy at once", async () => {
  const bench = new HostBench();
  bench.database.answersLoads = false;
  const parked = Array.from({ length: ACTOR_MAILBOX_MAX }, () =>
    bench.request({ kind: "inspect" }),
  );
  bench.host.receive(parked);
  const late = bench.ask({ kind: "inspect" });
  assert.deepEqual(bench.answerOf(late), BUSY);
  bench.database.answerLoads();
  await settled();
  for (const { id } of parked) assert.equal(bench.answerOf(id).kind, "actor");
});

test("a request whose deadline passed is refused unexecuted, also when it waited for its actor", async () => {
  const bench = await HostBench.selling();
  const late = bench.ask(hold([0]), { deadlineMs: bench.nowMs - 1 });
  assert.deepEqual(bench.answerOf(late), BUSY);

  bench.database.answersLoads = false;
  const configure = {
    kind: "configure",
    definition: definition({ eventId: OTHER_EVENT }),
  } as const;
  const parked = bench.ask(configure, { eventId: OTHER_EVENT });
  bench.nowMs += 5_001;
  bench.database.answerLoads();
  await settled();
  assert.deepEqual(bench.answerOf(parked), BUSY);
  assert.equal(bench.entries.length, 1, "only the event's own configuration was executed");
});

test("a shard that this worker does not host answers busy", () => {
  const bench = new HostBench();
  assert.deepEqual(bench.answerOf(bench.ask({ kind: "inspect" }, { shard: SHARD + 1 })), BUSY);
});

test("an event that cannot be loaded answers busy, and is tried again by the next request", async () => {
  const bench = await HostBench.selling();
  const restarted = new HostBench({ database: bench.database, lsn: 1 });
  bench.database.failure = new Error("connection lost");
  const id = restarted.ask(hold([0]));
  await settled();
  assert.deepEqual(restarted.answerOf(id), BUSY);
  assert.equal(restarted.warnings.length, 1);
  bench.database.failure = null;
  const again = restarted.ask(hold([0]));
  await settled();
  restarted.makeDurable();
  assert.equal(restarted.answerOf(again).kind, "done");
});

test("while the journal is full nothing new is admitted, but questions are answered", async () => {
  const bench = await HostBench.selling();
  bench.host.setJournalFull(true);
  assert.deepEqual(bench.answerOf(bench.ask(hold([0]))), BUSY);
  assert.equal(bench.answerOf(bench.ask({ kind: "watch" })).kind, "view");
  bench.host.setJournalFull(false);
  const id = bench.ask(hold([0]));
  bench.makeDurable();
  assert.equal(bench.answerOf(id).kind, "done");
});

test("while the projector has more than it may keep nothing new is admitted, but questions are answered", async () => {
  const bench = await HostBench.selling();
  bench.host.setProjectorFull(true);
  assert.deepEqual(bench.answerOf(bench.ask(hold([0]))), BUSY);
  assert.equal(bench.answerOf(bench.ask({ kind: "watch" })).kind, "view");
  bench.host.setProjectorFull(false);
  const id = bench.ask(hold([0]));
  bench.makeDurable();
  assert.equal(bench.answerOf(id).kind, "done");
});

test("a shard that PostgreSQL lags behind answers busy until that has caught up", async () => {
  const behind = new HostBench();
  behind.decodes = false;
  const configure = { kind: "configure", definition: definition() } as const;
  behind.host.receive([behind.request(configure)]);
  await settled();
  for (let n = 1; n < UNPROJECTED_FACTS_PER_SHARD_MAX; n += 10_000) {
    const count = Math.min(10_000, UNPROJECTED_FACTS_PER_SHARD_MAX - n);
    behind.host.receive(Array.from({ length: count }, () => behind.request(configure)));
    behind.makeDurable();
  }
  assert.equal(behind.host.reports(0)[0]?.lsn, UNPROJECTED_FACTS_PER_SHARD_MAX);
  assert.deepEqual(behind.answerOf(behind.ask(hold([0]))), BUSY);
  behind.host.projected([[SHARD, 1]]);
  const id = behind.ask(hold([0]));
  behind.makeDurable();
  assert.equal(behind.answerOf(id).kind, "done");
});

test("a hold ends on the tick at its instant, and its owner is told once that is durable", async () => {
  const bench = await HostBench.selling();
  const { holdId, ...rest } = hold([0]);
  bench.ask({ holdId, ...rest });
  bench.makeDurable();
  bench.nowMs = NOON + 599_999;
  bench.host.tick();
  assert.equal(bench.entries.length, 2);
  bench.nowMs += 1;
  bench.host.tick();
  assert.equal(bench.entries.at(-1)?.fact.kind, "holdEnded");
  const told = (): unknown[] => bench.released.flatMap((output) => output.notices);
  assert.deepEqual(told(), []);
  bench.makeDurable();
  assert.deepEqual(told(), [
    {
      kind: "holdExpired",
      eventId: EVENT_ID,
      userId: ALICE,
      lsn: 3,
      seq: 3,
      holdId,
      reason: "expired",
    },
  ]);
});

test("a hold that is due ends before the next command is decided, tick or not", async () => {
  const bench = await HostBench.selling();
  bench.ask(hold([0]));
  bench.nowMs += 600_000;
  const id = bench.ask(hold([0], { userId: BOB }));
  bench.makeDurable();
  assert.equal(bench.answerOf(id).kind, "done");
});

test("time never runs backwards for a hold", async () => {
  const bench = await HostBench.selling();
  bench.nowMs += 60_000;
  bench.ask(hold([0]));
  bench.nowMs -= 60_000;
  const id = bench.ask(hold([1]));
  bench.makeDurable();
  const answer = bench.answerOf(id);
  assert.ok(answer.kind === "done" && answer.fact.kind === "held");
  assert.equal(answer.fact.expiresAtMs, NOON + 660_000);
});

test("a repeated key is answered from memory before the fact is projected, from the store after", async () => {
  const bench = await HostBench.selling();
  const key = { digest: "k", fingerprint: "f" };
  const first = bench.ask(hold([0], { key }));
  const second = bench.ask(hold([0], { key }));
  await settled();
  assert.deepEqual(bench.answersOf(second), [], "the outcome is not told before it is durable");
  bench.makeDurable();
  bench.project();
  assert.equal(bench.entries.length, 2);
  const third = bench.ask(hold([0], { key }));
  await settled();
  const [a, b, c] = [first, second, third].map((id) => bench.answerOf(id));
  assert.ok(a?.kind === "done" && b?.kind === "done" && c?.kind === "done");
  assert.deepEqual([a.replayed, b.replayed, c.replayed], [false, true, true]);
  assert.deepEqual(b.fact, a.fact);
  assert.deepEqual(c.fact, a.fact);
});

test("a repeated key finds its outcome after a restart", async () => {
  const bench = await HostBench.selling();
  const key = { digest: "k", fingerprint: "f" };
  const first = bench.ask(hold([0], { key }));
  bench.makeDurable();
  bench.project();
  const restarted = new HostBench({ database: bench.database, lsn: 2 });
  const second = restarted.ask(hold([5], { key }));
  await settled();
  const [a, b] = [bench.answerOf(first), restarted.answerOf(second)];
  assert.ok(a.kind === "done" && b.kind === "done");
  assert.deepEqual(b.fact, a.fact);
  assert.equal(restarted.entries.length, 0);
});

test("when the store cannot be asked for an outcome, the repeated request hears busy", async () => {
  const bench = await HostBench.selling();
  const key = { digest: "k", fingerprint: "f" };
  bench.ask(hold([0], { key }));
  bench.makeDurable();
  bench.project();
  bench.database.failure = new Error("connection lost");
  const id = bench.ask(hold([0], { key }));
  await settled();
  assert.deepEqual(bench.answerOf(id), BUSY);
});

/** One request in whose place something throws, and one behind it: what each hears. */
async function besideAnother(operation: (held: HoldId) => Operation) {
  const bench = await HostBench.selling();
  const held = hold([0]);
  bench.ask(held);
  bench.makeDurable();
  const requests = [bench.request(operation(held.holdId)), bench.request(hold([1]))];
  bench.host.receive(requests);
  bench.makeDurable();
  assert.deepEqual([bench.warnings.length, bench.deaths], [1, []]);
  return requests.map(({ id }) => bench.answerOf(id).kind);
}

test("a throw in decide fails its one command, and the others go on", async () => {
  const kinds = await besideAnother((holdId) => ({ ...bookOf(holdId), ticketCodes: [] }));
  assert.deepEqual(kinds, ["failed", "done"]);
});

test("a fact that no entry can hold fails its one command, and has changed nothing", async () => {
  const long = { ...definition(), currency: "x".repeat(ENTRY_BYTES_MAX) };
  const kinds = await besideAnother(() => ({ kind: "configure", definition: long }));
  assert.deepEqual(kinds, ["failed", "done"]);
});

test("a question that throws is one that fails, and the others go on", async () => {
  const holdId: HoldId = JSON.parse("null");
  const kinds = await besideAnother(() => ({ kind: "getHold", holdId, userId: ALICE }));
  assert.deepEqual(kinds, ["failed", "done"]);
});

test("a throw in apply ends the process, and nothing is answered", async () => {
  const bench = await HostBench.selling();
  const { holdId, ...rest } = hold([0]);
  bench.ask({ holdId, ...rest });
  bench.makeDurable();
  bench.project();
  const restarted = new HostBench({ database: bench.database, lsn: 2 });
  restarted.ask({ kind: "inspect" });
  await settled();
  // Memory that is no longer true: the hold claims a seat that is free.
  const held = bench.database.states.get(EVENT_ID)?.holds.find(holdId);
  assert.ok(held !== undefined);
  (held.items as PlaceItem[]).push({ place: 5, category: 0, priceMinor: 0, charge: null });
  const release = restarted.request({ kind: "release", holdId, userId: ALICE });
  assert.throws(() => restarted.host.receive([release]), AssertionFailed);
  assert.equal(restarted.deaths.length, 1);
  restarted.makeDurable();
  assert.deepEqual(restarted.answersOf(release.id), []);
  assert.deepEqual(restarted.entries, []);
});

test("an actor without holds or watchers is let go when it was idle and PostgreSQL has its facts", async () => {
  const bench = await HostBench.selling();
  const actors = (): number => bench.host.reports(0)[0]?.actorCount ?? -1;
  const idle = (): void => {
    bench.nowMs += ACTOR_IDLE_MS + 1;
    bench.host.tick();
  };
  const held = hold([0]);
  bench.ask(held);
  bench.makeDurable();
  bench.project();
  bench.nowMs += ACTOR_IDLE_MS + 1;
  bench.host.tick();
  assert.equal(actors(), 1, "it has a hold");
  bench.ask({ kind: "release", holdId: held.holdId, userId: ALICE });
  idle();
  assert.equal(actors(), 1, "its last fact is not projected");
  bench.makeDurable();
  bench.project();
  bench.ask({ kind: "watch" });
  idle();
  assert.equal(actors(), 1, "it is watched");
  bench.ask({ kind: "unwatch" });
  bench.host.tick();
  assert.equal(actors(), 1, "it was just used");
  idle();
  assert.equal(actors(), 0);
  const id = bench.ask(hold([0]));
  await settled();
  bench.makeDurable();
  const answer = bench.answerOf(id);
  assert.ok(answer.kind === "done");
  assert.equal(answer.fact.seq, 4, "it goes on where it was");
});

test("a worker that has all the actors it may have makes room of idle ones, or answers busy", async () => {
  const bench = await HostBench.selling();
  const eventIds = Array.from({ length: ACTORS_PER_WORKER_MAX }, (_, n) =>
    uuidV7(NOON, new Uint8Array([0, 0, 0, 0, 0, 0, 0, 1, n >>> 8, n & 255])),
  ) as EventId[];
  const actors = (): number => bench.host.reports(0)[0]?.actorCount ?? -1;
  for (const eventId of eventIds.slice(1)) bench.ask({ kind: "inspect" }, { eventId });
  const [first = EVENT_ID] = eventIds;
  await settled();
  assert.equal(actors(), ACTORS_PER_WORKER_MAX);
  for (const eventId of eventIds.slice(1)) bench.ask({ kind: "audit" }, { eventId });
  bench.ask(hold([0]));
  bench.makeDurable();
  assert.deepEqual(bench.answerOf(bench.ask({ kind: "inspect" }, { eventId: first })), BUSY);
  await settled();
  const id = bench.ask({ kind: "inspect" }, { eventId: first });
  await settled();
  assert.equal(bench.answerOf(id).kind, "actor");
  assert.equal(actors(), 2, "the one with a hold, and the new one");
});

test("actors with holds wake at the start, so that the holds end though nobody asks", async () => {
  const bench = await HostBench.selling();
  bench.ask(hold([0]));
  bench.makeDurable();
  bench.project();
  const restarted = new HostBench({ database: bench.database, lsn: 2 });
  restarted.nowMs = NOON + 600_000;
  const waking = await restarted.host.wake(() => SHARD);
  await waking.whenDone();
  assert.deepEqual(
    restarted.entries.map(({ fact, lsn }) => [fact.kind, lsn]),
    [["holdEnded", 3]],
  );
});

test("waking passes over events of other workers, and tries again what could not be loaded", async () => {
  const bench = await HostBench.selling();
  bench.ask(hold([0]));
  bench.makeDurable();
  bench.project();
  const other = new HostBench({ database: bench.database });
  await other.host.wake(() => SHARD + 1);
  assert.equal(other.host.reports(0)[0]?.actorCount, 0);

  const restarted = new HostBench({ database: bench.database, lsn: 2 });
  const waking = restarted.host.wake(() => SHARD);
  bench.database.failure = new Error("connection lost");
  await waking;
  await settled();
  assert.equal(restarted.host.reports(0)[0]?.actorCount, 0);
  bench.database.failure = null;
  restarted.nowMs += 1_000;
  restarted.host.tick();
  await settled();
  assert.equal(restarted.host.reports(0)[0]?.actorCount, 1);
});

test("an audit compares exactly while the event goes on selling", async () => {
  const bench = await HostBench.selling();
  bench.ask(hold([0]));
  const id = bench.ask({ kind: "audit" });
  bench.ask(hold([1]));
  bench.makeDurable();
  bench.ask(hold([2]));
  bench.project();
  await settled();
  assert.deepEqual(bench.answersOf(id), [], "what it says waits like every answer");
  bench.makeDurable();
  const answer = bench.answerOf(id);
  assert.ok(answer.kind === "audit");
  const { ok, seq, memory, database, drift } = answer.report;
  assert.deepEqual({ ok, seq, drift }, { ok: true, seq: 3, drift: [] });
  assert.deepEqual(memory, database);
  assert.equal(memory.held, 2);
});

test("an audit names what differs", async () => {
  const bench = await HostBench.selling();
  const { holdId, ...rest } = hold([0]);
  bench.ask({ holdId, ...rest });
  bench.makeDurable();
  bench.project();
  bench.database.states.get(EVENT_ID)?.holds.end({
    holdId,
    userId: ALICE,
    end: "released",
    bookingId: null,
    atMs: NOON,
    isOffer: false,
  });
  const report = await audit(bench);
  assert.equal(report.ok, false);
  assert.match(report.drift.join(), /hold .* is in memory only/);
  assert.deepEqual([report.memory.held, report.database.held], [1, 0]);
});

test("an audit names bookings whose rows have another total than their tickets", async () => {
  const bench = await HostBench.selling();
  bench.database.wrong = ["booking b has a total of 7"];
  const { ok, drift, memory, database } = await audit(bench);
  assert.deepEqual({ ok, drift }, { ok: false, drift: ["booking b has a total of 7"] });
  assert.deepEqual(memory, database);
});

test("a watcher is told of every fact, also of those that move nothing, and of new rules", async () => {
  const bench = await HostBench.selling();
  bench.ask({ kind: "watch" });
  const held = hold([0]);
  bench.ask(held);
  bench.nowMs += 1_000;
  bench.ask({ kind: "extend", holdId: held.holdId, userId: ALICE, key: null });
  bench.ask({ kind: "configure", definition: definition({ perOrderMax: 1 }) });
  bench.makeDurable();
  const changes = bench.released.flatMap((output) => output.changes);
  assert.deepEqual(
    changes.map((change) => [
      change.seq,
      "reset" in change ? "reset" : change.moves.flatMap(({ places }) => places),
    ]),
    [
      [2, [0]],
      [3, []],
      [4, "reset"],
    ],
  );
});
