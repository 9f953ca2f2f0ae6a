/**
 * The way of facts into PostgreSQL and back: what is loaded must be what was projected. On failure
 * a random test's name shows its seed: set SEED to it to run that one again.
 */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { Client } from "pg";
import type { Fact } from "../../engine/facts.ts";
import type { EventId, HoldId } from "../../engine/ids.ts";
import { ENDED_HOLD_TTL_MS, KEY_TTL_MS, PURGE_MARGIN_MS } from "../../engine/limits.ts";
import { placeOfArea } from "../../engine/place.ts";
import { restore, type Snapshot, snapshotOf } from "../../engine/snapshot.ts";
import { driftBetween, snapshotHash } from "../../engine/snapshot-comparison.ts";
import { ALICE, BOB, definition, EventBench, NOON } from "../../engine/testing/fixtures.ts";
import { Random } from "../../engine/testing/random.ts";
import { randomStep } from "../../engine/testing/random-step.ts";
import { createTestDatabase, type TestDatabase } from "../../tests/support/database.ts";
import { PgActorLoader } from "../store/pg-actor-loader.ts";
import { PgShardTable } from "../store/shard-table.ts";
import { entriesOf } from "../testing/entries.ts";
import { netEffectsOf } from "./net-effects.ts";
import { PgProjectionStore } from "./pg-projection-store.ts";
import type { ProjectionBatch, ShardAdvance } from "./projection-store.ts";
import { Projector } from "./projector.ts";

const FLOOR = placeOfArea(0);

let database: TestDatabase;
let client: Client;
let store: PgProjectionStore;
let loader: PgActorLoader;
let nextShard = 0;
let nextEvent = 1;

before(async () => {
  database = await createTestDatabase();
  client = new Client({ connectionString: database.url });
  await client.connect();
  store = new PgProjectionStore(database.url);
  loader = new PgActorLoader(database.url);
});

after(async () => {
  await Promise.all([store.close(), loader.close(), client.end()]);
  await database.drop();
});

/** A shard and an event that no other test uses. */
async function freshShard(): Promise<{ shard: number; eventId: EventId }> {
  const shard = nextShard;
  nextShard += 1;
  const tail = nextEvent.toString(16).padStart(12, "0");
  nextEvent += 1;
  await client.query("INSERT INTO shards (shard, epoch) VALUES ($1, 1)", [shard]);
  return { shard, eventId: `018f3c9a-7b10-7000-8000-${tail}` as EventId };
}

interface Target {
  readonly shard: number;
  readonly eventId: EventId;
}

/** Facts of one event that is alone in its shard: a fact's lsn is its seq. */
function batchOf({ shard, eventId }: Target, facts: readonly Fact[]): ProjectionBatch {
  const [first, last] = [facts.at(0), facts.at(-1)];
  assert.ok(first !== undefined && last !== undefined);
  const bounds = { firstLsn: first.seq, lastLsn: last.seq, logicalMs: last.atMs };
  return {
    advances: [{ shard, epoch: 1, ...bounds }],
    effects: netEffectsOf(facts.map((fact) => ({ eventId, fact }))),
  };
}

/** PostgreSQL can't store U+0000; nothing else may change on the way. */
function storable<Value>(value: Value): Value {
  const text = (_: string, part: unknown): unknown =>
    typeof part === "string" ? part.replaceAll("\0", "\uFFFD") : part;
  return JSON.parse(JSON.stringify(value, text)) as Value;
}

const byId = (a: { holdId: HoldId }, b: { holdId: HoldId }): number =>
  a.holdId < b.holdId ? -1 : 1;

async function randomRun(seed: number): Promise<void> {
  const random = new Random(seed);
  const target = await freshShard();
  const { eventId } = target;
  const changes = { eventId, perUserMax: 100, holdTtlMs: 20_000 };
  const bench = new EventBench(changes);
  const batchMax = random.pick([1, 10, 100, 1_000]);
  let projected = 0;
  for (let step = 0; step < 400; step += 1) {
    randomStep(random, bench, step);
    const waiting = bench.facts.slice(projected);
    if (waiting.length === 0 || (waiting.length < batchMax && step < 399)) continue;
    assert.equal(await store.apply(batchOf(target, waiting)), "applied");
    projected = bench.facts.length;
  }
  const { definition: rules, ...lists } = snapshotOf(bench.state);
  const memory: Snapshot = { ...storable(lists), definition: rules };
  const loaded = await loader.load(eventId);
  assert.deepEqual(driftBetween(memory, loaded), []);
  assert.equal(snapshotHash(loaded), snapshotHash(memory));
  assert.deepEqual(loaded.definition, memory.definition);
  assert.deepEqual(loaded.holds.toSorted(byId), memory.holds.toSorted(byId));
  assert.deepEqual(loaded.keys, memory.keys);
  assert.deepEqual(loaded.bookings, memory.bookings);
  const known = new Map(memory.endedHolds.map((ended) => [ended.holdId, ended]));
  for (const ended of loaded.endedHolds) assert.deepEqual(ended, known.get(ended.holdId));
  if (batchMax === 1) assert.deepEqual(loaded.endedHolds, memory.endedHolds);
  assert.deepEqual(await loader.wrongTotals(eventId), []);
  await checkAreas(eventId, bench);
  await checkOutcomes(eventId, bench);
  restore(loaded);
}

async function checkAreas(eventId: EventId, bench: EventBench): Promise<void> {
  const { rows } = await client.query(
    `SELECT capacity, capacity - held - sold - blocked AS free, held, sold, blocked
     FROM inventory_areas WHERE event_id = $1`,
    [eventId],
  );
  assert.deepEqual(rows, [bench.state.inventory?.area(0)]);
}

async function checkOutcomes(eventId: EventId, bench: EventBench): Promise<void> {
  for (const fact of bench.facts) {
    if (fact.key === null) continue;
    assert.deepEqual(await loader.loadOutcome(eventId, fact.seq), fact);
  }
  assert.equal(await loader.loadOutcome(eventId, bench.facts.length + 1), null);
}

const chosen = process.env.SEED;
const seeds = chosen === undefined ? Array.from({ length: 16 }, (_, n) => n + 1) : [Number(chosen)];
for (const seed of seeds) {
  test(`what was projected is what is loaded (SEED=${seed})`, () => randomRun(seed));
}

test("an event that nobody configured has seq 0 and no definition", async () => {
  const { eventId } = await freshShard();
  const snapshot = await loader.load(eventId);
  assert.equal(snapshot.seq, 0);
  assert.equal(snapshot.definition, null);
});

test("events that have something to do by themselves are found", async () => {
  const target = await freshShard();
  const bench = new EventBench({ eventId: target.eventId });
  const holdId = bench.held([0]);
  await store.apply(batchOf(target, bench.facts));
  assert.ok((await loader.eventsToWake()).includes(target.eventId));
  bench.booked(holdId);
  await store.apply(batchOf(target, bench.facts.slice(2)));
  assert.ok(!(await loader.eventsToWake()).includes(target.eventId));
});

test("bookings whose total is not what their tickets come to are found", async () => {
  const target = await freshShard();
  const { eventId } = target;
  const bench = new EventBench({ eventId });
  const [dearer, bare] = [bench.booked(bench.held([0, 1])), bench.booked(bench.held([FLOOR]))];
  bench.booked(bench.held([2]));
  await store.apply(batchOf(target, bench.facts));
  assert.deepEqual(await loader.wrongTotals(eventId), []);
  await client.query("UPDATE bookings SET total_minor = 7 WHERE id = $1", [dearer]);
  await client.query("DELETE FROM tickets WHERE booking_id = $1", [bare]);
  const [first = "", second = "", ...others] = await loader.wrongTotals(eventId);
  assert.match(first, new RegExp(`${dearer} has a total of 7 .* come to \\d+$`));
  assert.match(second, new RegExp(`${bare} .* come to null$`));
  assert.deepEqual(others, []);
});

test("a batch that is sent again changes nothing", async () => {
  const target = await freshShard();
  const bench = new EventBench({ eventId: target.eventId });
  bench.held([0, FLOOR]);
  const batch = batchOf(target, bench.facts);
  assert.equal(await store.apply(batch), "applied");
  assert.equal(await store.apply(batch), "already");
  await checkAreas(target.eventId, bench);
});

test("a stale epoch and a gap are refused, and nothing is written", async () => {
  const target = await freshShard();
  const bench = new EventBench({ eventId: target.eventId });
  bench.held([0]);
  const batch = batchOf(target, bench.facts);
  const { rows } = await client.query("SELECT * FROM shards WHERE shard = $1", [target.shard]);
  const changed = (changes: Partial<ShardAdvance>): ProjectionBatch => ({
    ...batch,
    advances: batch.advances.map((advance) => ({ ...advance, ...changes })),
  });
  await assert.rejects(store.apply(changed({ epoch: 2 })), { code: "fence_lost" });
  await assert.rejects(store.apply(changed({ shard: 9_999 })), { code: "fence_lost" });
  const gap = changed({ firstLsn: 2, lastLsn: 3 });
  await assert.rejects(store.apply(gap), { code: "watermark_gap" });
  assert.equal((await loader.load(target.eventId)).seq, 0);
  const now = await client.query("SELECT * FROM shards WHERE shard = $1", [target.shard]);
  assert.deepEqual(now.rows, rows);
  assert.equal(await store.apply(batch), "applied");
});

test("rows of before the last batch are neither confirmed nor loaded", async () => {
  const target = await freshShard();
  const { shard, eventId } = target;
  const bench = new EventBench({ eventId });
  bench.held([0]);
  await store.apply(batchOf(target, bench.facts));
  const epochs = [[shard, 1]] as const;
  const known = { shard, epoch: 1, appliedLsn: 2 };
  await store.confirm(epochs, [[shard, 2]]);
  await store.confirm(epochs, [[shard, 1]]);
  assert.equal((await loader.load(eventId, known)).seq, 2);
  assert.equal((await loader.load(eventId, { ...known, appliedLsn: 1 })).seq, 2);
  await assert.rejects(store.confirm(epochs, [[shard, 3]]), {
    code: "watermark_gap",
    message: `shard ${shard} is applied up to 2, it was up to 3`,
  });
  await assert.rejects(store.confirm([[shard, 2]], [[shard, 3]]), { code: "fence_lost" });
  await assert.rejects(loader.load(eventId, { ...known, appliedLsn: 3 }), {
    message: `shard ${shard} is at 2 of epoch 1 in the database, it was at 3 of epoch 1`,
  });
  await assert.rejects(loader.load(eventId, { ...known, epoch: 2 }), /it was at 2 of epoch 2/);
  await assert.rejects(loader.load(eventId, { ...known, shard: 9_999 }), /9999 is not there/);
});

test("the database refuses a seat that is sold twice, and moves no watermark", async () => {
  const target = await freshShard();
  const bench = new EventBench({ eventId: target.eventId });
  bench.booked(bench.held([4]));
  await store.apply(batchOf(target, bench.facts));
  const planted = new EventBench({ eventId: target.eventId });
  planted.nowMs += 1;
  planted.booked(planted.held([4]));
  const facts = planted.facts.slice(1).map((fact) => ({ ...fact, seq: fact.seq + 2 }));
  await assert.rejects(store.apply(batchOf(target, facts)), {
    code: "invariant_violated",
    message: /tickets_one_per_seat/,
  });
  const loaded = await loader.load(target.eventId);
  assert.deepEqual(driftBetween(snapshotOf(bench.state), loaded), []);
});

test("shards move on together or not at all", async () => {
  const [one, two] = [await freshShard(), await freshShard()];
  const facts = new EventBench().facts;
  const [a, b] = [batchOf(one, facts), batchOf(two, facts)];
  const both = {
    advances: [...a.advances, ...b.advances],
    effects: netEffectsOf(
      [one, two].flatMap(({ eventId }) => facts.map((fact) => ({ eventId, fact }))),
    ),
  };
  const fenced = "UPDATE shards SET epoch = $2 WHERE shard = $1";
  await client.query(fenced, [two.shard, 2]);
  await assert.rejects(store.apply(both), { code: "fence_lost" });
  assert.equal((await loader.load(one.eventId)).seq, 0);
  await client.query(fenced, [two.shard, 1]);
  assert.equal(await store.apply(both), "applied");
  assert.equal(await store.apply(both), "already");
  assert.equal(await store.apply(a), "already");
  assert.equal((await loader.load(two.eventId)).seq, 1);
});

test("the database refuses an area that is overfull", async () => {
  const target = await freshShard();
  const bench = new EventBench({ eventId: target.eventId });
  bench.held([FLOOR, FLOOR, FLOOR]);
  await store.apply(batchOf(target, bench.facts));
  const planted = new EventBench({ eventId: target.eventId });
  planted.nowMs += 1;
  planted.held([FLOOR, FLOOR, FLOOR]);
  const facts = planted.facts.slice(1).map((fact) => ({ ...fact, seq: fact.seq + 1 }));
  await assert.rejects(store.apply(batchOf(target, facts)), {
    code: "invariant_violated",
    message: /inventory_areas/,
  });
});

test("the end of a hold that has no row, and a seq that leaves a gap, are refused", async () => {
  const target = await freshShard();
  const bench = new EventBench({ eventId: target.eventId });
  const holdId = bench.held([0]);
  bench.run({ kind: "release", holdId, userId: ALICE });
  const [configured, , released] = bench.facts;
  assert.ok(configured !== undefined && released !== undefined);
  await store.apply(batchOf(target, [configured]));
  const early = batchOf(target, [{ ...released, seq: 2 }]);
  await assert.rejects(store.apply(early), { code: "invariant_violated", message: /change-holds/ });
  const { advances } = batchOf(target, [{ ...released, seq: 2 }]);
  const late = { advances, effects: batchOf(target, [released]).effects };
  await assert.rejects(store.apply(late), { code: "invariant_violated", message: /advance/ });
});

test("a batch whose connection is cut is tried again and applied once, as are those behind it", async () => {
  const target = await freshShard();
  const bench = new EventBench({ eventId: target.eventId });
  for (const places of [[0, FLOOR], [1], [2]]) bench.booked(bench.held(places));
  const failures: unknown[] = [];
  const projector = new Projector([[target.shard, 1, 0]], {
    store: new PgProjectionStore(database.url),
    projected: () => undefined,
    failed: (failure) => failures.push(failure),
    wallMs: () => Date.now(),
    pause: async () => delay(1),
    // So the next ones are put together while one waits, and into memory of those before.
    batchFactsMax: 2,
  });
  const running = projector.run();
  // The batch gets as far as the tickets, and waits there until its connection is cut.
  const blocker = new Client({ connectionString: database.url });
  await blocker.connect();
  await blocker.query("BEGIN; LOCK TABLE tickets IN SHARE MODE");
  projector.offer(entriesOf(bench.facts, target));
  const cut = `
    SELECT count(pg_terminate_backend(pid))::integer AS count FROM pg_stat_activity
    WHERE datname = current_database() AND application_name = 'evently projector'
      AND wait_event_type = 'Lock'`;
  for (let cuts = 0; cuts < 2; ) {
    const { rows } = await client.query<{ count: number }>(cut);
    cuts += rows[0]?.count ?? 0;
  }
  await blocker.end();
  await projector.drain();
  assert.deepEqual(failures, []);
  assert.equal(projector.report().factsTotal, bench.facts.length);
  await checkAreas(target.eventId, bench);
  assert.deepEqual(driftBetween(snapshotOf(bench.state), await loader.load(target.eventId)), []);
  await projector.stop();
  await running;
});

test("rows go once they are past their time to live, and no earlier", async () => {
  const target = await freshShard();
  const bench = new EventBench({ eventId: target.eventId });
  const key = { digest: "old", fingerprint: "f" };
  bench.hold([0], ALICE, key);
  await store.apply(batchOf(target, bench.facts));
  bench.nowMs = NOON + 600_000;
  bench.expire();
  bench.held([1]);
  await store.apply(batchOf(target, bench.facts.slice(2)));
  const left = async (): Promise<[ended: number, active: number, keys: number]> => {
    const { endedHolds, holds, keys } = await loader.load(target.eventId);
    return [endedHolds.length, holds.length, keys.length];
  };
  const purgeAll = async (nowMs: number): Promise<void> => {
    while (await store.purge(nowMs));
  };
  const endMs = bench.nowMs + ENDED_HOLD_TTL_MS + PURGE_MARGIN_MS;
  await purgeAll(endMs);
  assert.deepEqual(await left(), [1, 1, 1]);
  await purgeAll(endMs + 1);
  assert.deepEqual(await left(), [0, 1, 1]);
  await purgeAll(NOON + KEY_TTL_MS + PURGE_MARGIN_MS + 1);
  assert.deepEqual(await left(), [0, 1, 0]);
});

test("a key that is used again after its time has the later outcome", async () => {
  const target = await freshShard();
  const bench = new EventBench({ eventId: target.eventId });
  const key = { digest: "again", fingerprint: "f" };
  bench.hold([0], ALICE, key);
  await store.apply(batchOf(target, bench.facts));
  bench.nowMs += KEY_TTL_MS + 1;
  // Any fact with a key makes the actor forget the older ones.
  bench.hold([1], BOB, { digest: "other", fingerprint: "f" });
  bench.hold([2], ALICE, { ...key, fingerprint: "g" });
  await store.apply(batchOf(target, bench.facts.slice(2)));
  const { keys } = await loader.load(target.eventId);
  assert.deepEqual(keys, snapshotOf(bench.state).keys);
  const { seq } = keys.find(({ digest }) => digest === key.digest) ?? { seq: 0 };
  assert.deepEqual(await loader.loadOutcome(target.eventId, seq), bench.facts.at(-1));
});

test("whoever takes the shards over fences all of them, also those it does not use", async () => {
  const own = await createTestDatabase();
  assert.deepEqual(await new PgShardTable(own.url).acquire(3), [
    { shard: 0, epoch: 1, appliedLsn: 0 },
    { shard: 1, epoch: 1, appliedLsn: 0 },
    { shard: 2, epoch: 1, appliedLsn: 0 },
  ]);
  assert.equal(await new PgShardTable(own.url).readLogicalMs(), 0);
  const early = new PgProjectionStore(own.url);
  const bench = new EventBench({ eventId: definition().eventId });
  const batch = batchOf({ shard: 2, eventId: definition().eventId }, bench.facts);
  await early.apply(batch);
  assert.deepEqual(await new PgShardTable(own.url).acquire(2), [
    { shard: 0, epoch: 2, appliedLsn: 0 },
    { shard: 1, epoch: 2, appliedLsn: 0 },
    { shard: 2, epoch: 2, appliedLsn: 1 },
  ]);
  assert.equal(await new PgShardTable(own.url).readLogicalMs(), NOON);
  await assert.rejects(early.apply(batch), { code: "fence_lost" });
  await early.close();
  await own.drop();
});
