/**
 * The ways to the virtual database, and what breaks on them. What happens by chance is looked for
 * over many seeds: all that may be must be seen, and nothing else.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { PROJECTION_STATEMENT_MS_MAX } from "../../engine/projection-limits.ts";
import { EVENT_ID, EventBench } from "../../engine/testing/fixtures.ts";
import { Random } from "../../engine/testing/random.ts";
import type { LogRow } from "../../workers/journal/operation-log.ts";
import { netEffectsOf } from "../../workers/projector/net-effects.ts";
import type { ProjectionBatch } from "../../workers/projector/projection-store.ts";
import { Scheduler, settled } from "./scheduler.ts";
import { type Commit, type DatabaseClient, VirtualDatabase } from "./virtual-database.ts";

const BENCH = new EventBench();
BENCH.booked(BENCH.held([0]));
const BATCH = batchOf(1);
/** Longer than anything here is ever late. */
const LONG_MS = 100_000;

function batchOf(epoch: number): ProjectionBatch {
  const lastLsn = BENCH.facts.length;
  return {
    advances: [{ shard: 0, epoch, firstLsn: 1, lastLsn, logicalMs: BENCH.nowMs }],
    effects: netEffectsOf(BENCH.facts.map((fact) => ({ eventId: EVENT_ID, fact }))),
  };
}

function rowOf(firstLsn: number, lastLsn: number, epoch = 1, shard = 0): LogRow {
  return { shard, epoch, firstLsn, lastLsn, entries: Uint8Array.of(firstLsn, lastLsn) };
}

/** A database in virtual time, whose shards are acquired. */
class Bench {
  readonly scheduler = new Scheduler(0);
  readonly commits: Commit[] = [];
  readonly broken: unknown[] = [];
  readonly database: VirtualDatabase;
  readonly client: DatabaseClient;

  constructor(seed: number) {
    this.database = new VirtualDatabase({
      random: new Random(seed),
      pause: (ms) =>
        new Promise((resolve) => {
          this.scheduler.after(ms, resolve);
        }),
      broken: (error) => this.broken.push(error),
      onCommit: (commit) => this.commits.push(commit),
    });
    this.client = this.database.connect();
  }

  static async create(seed: number): Promise<Bench> {
    const bench = new Bench(seed);
    const acquired = bench.client.shards.acquire(2);
    await bench.pass(LONG_MS);
    assert.equal((await acquired).length, 2);
    bench.commits.length = 0;
    return bench;
  }

  async pass(ms: number): Promise<void> {
    const untilMs = this.scheduler.nowMs + ms;
    await settled();
    while (this.scheduler.step(untilMs)) await settled();
  }

  async until(isDone: () => boolean): Promise<void> {
    const untilMs = this.scheduler.nowMs + LONG_MS;
    for (await settled(); !isDone(); await settled()) assert.ok(this.scheduler.step(untilMs));
  }

  get kinds(): string {
    return this.commits.map(({ kind }) => kind).join(" ");
  }
}

/** What has become of a call by now: its answer, its error's code, or nothing. */
function watch(call: Promise<unknown>): { state: string } {
  const watched = { state: "waiting" };
  call.then(
    (answer) => {
      watched.state = JSON.stringify(answer);
    },
    (error: { code?: unknown }) => {
      watched.state = String(error.code ?? error);
    },
  );
  return watched;
}

/** Everything that becomes of it over many seeds. */
async function outcomes(run: (bench: Bench) => Promise<string>, seeds = 60): Promise<string[]> {
  const seen = new Set<string>();
  for (let seed = 1; seed <= seeds; seed += 1) {
    const bench = await Bench.create(seed);
    seen.add(await run(bench));
    assert.deepEqual(bench.broken, []);
  }
  return [...seen].sort();
}

test("a call takes a while, and what it commits is there and told of before its answer", async () => {
  const bench = await Bench.create(1);
  const call = watch(bench.client.projections.apply(BATCH));
  await settled();
  assert.equal(bench.kinds, "");
  await bench.until(() => bench.commits.length > 0);
  assert.equal(call.state, "waiting");
  assert.equal(bench.database.watermark(0), 3);
  assert.equal(bench.database.snapshotOf(EVENT_ID).bookings.length, 1);
  assert.equal(bench.database.rows.tickets, 1);
  await bench.pass(LONG_MS);
  assert.equal(call.state, '"applied"');
  const again = watch(bench.client.projections.apply(BATCH));
  await bench.pass(LONG_MS);
  assert.equal(again.state, '"already"');
  assert.equal(bench.kinds, "projected");
});

test("a database that is down refuses, and a call under way is lost, done or not, or done late", async () => {
  const seen = await outcomes(async (bench) => {
    const call = watch(bench.client.projections.apply(BATCH));
    await settled();
    bench.database.server.goDown();
    await settled();
    assert.equal(call.state, "ECONNRESET");
    const refused = watch(bench.client.loader.load(EVENT_ID));
    await bench.pass(100);
    assert.equal(refused.state, "ECONNREFUSED");
    const soon = bench.kinds;
    await bench.pass(LONG_MS);
    bench.database.server.comeUp();
    const again = watch(bench.client.projections.apply(BATCH));
    await bench.pass(LONG_MS);
    assert.equal(bench.kinds, "projected");
    return `${soon || "nothing"}, then ${again.state}`;
  });
  assert.deepEqual(seen, [
    'nothing, then "already"',
    'nothing, then "applied"',
    'projected, then "already"',
  ]);
});

test("a transaction that is late holds its rows: who comes after it waits, and finds them", async () => {
  const seen = await outcomes(async (bench) => {
    const call = watch(bench.client.projections.apply(BATCH));
    await settled();
    bench.database.server.killConnections();
    const owned = watch(bench.database.connect().shards.acquire(2));
    const again = watch(bench.client.projections.apply(BATCH));
    await bench.pass(LONG_MS);
    assert.equal(call.state, "ECONNRESET");
    assert.match(owned.state, /^\[{"shard":0,"epoch":2,"appliedLsn":[03]}/);
    // Whoever took over saw what the late one wrote, or that one never wrote at all.
    const isSeen = owned.state.includes('"appliedLsn":3');
    assert.equal(isSeen, bench.kinds.startsWith("projected"));
    return `${bench.kinds}: ${again.state}`;
  });
  assert.deepEqual(seen, [
    "acquired: fence_lost",
    'projected acquired: "already"',
    'projected acquired: "applied"',
    "projected acquired: fence_lost",
  ]);
});

test("a frozen database answers nobody until it thaws", async () => {
  const bench = await Bench.create(3);
  bench.database.server.freeze();
  const call = watch(bench.client.projections.apply(BATCH));
  await bench.pass(PROJECTION_STATEMENT_MS_MAX / 2);
  assert.equal(call.state, "waiting");
  assert.equal(bench.kinds, "");
  bench.database.server.thaw();
  await bench.pass(1_000);
  assert.equal(call.state, '"applied"');
});

test("who waits too long for a frozen database is told, and what was sent may still happen", async () => {
  const seen = await outcomes(async (bench) => {
    bench.database.server.freeze();
    const call = watch(bench.client.projections.apply(BATCH));
    await bench.pass(PROJECTION_STATEMENT_MS_MAX + 1_000);
    assert.equal(call.state, "ETIMEDOUT");
    assert.equal(bench.kinds, "");
    bench.database.server.thaw();
    await bench.pass(LONG_MS);
    return bench.kinds;
  });
  assert.deepEqual(seen, ["", "projected"]);
});

test("a call that is under way when the database freezes is given up as well", async () => {
  const bench = await Bench.create(5);
  const call = watch(bench.client.loader.eventsToWake());
  await settled();
  bench.database.server.freeze();
  await bench.pass(2 * PROJECTION_STATEMENT_MS_MAX);
  assert.equal(call.state, "ETIMEDOUT");
});

test("a lost reply is a lost connection, after the commit", async () => {
  const bench = await Bench.create(6);
  bench.database.server.loseReplies(1);
  const call = watch(bench.client.projections.apply(BATCH));
  await bench.pass(LONG_MS);
  assert.equal(call.state, "ECONNRESET");
  assert.equal(bench.kinds, "projected");
  bench.database.server.heal();
  const again = watch(bench.client.projections.apply(BATCH));
  await bench.pass(LONG_MS);
  assert.equal(again.state, '"already"');
});

test("nobody answers a dead process, and what it had sent may happen or not", async () => {
  const seen = await outcomes(async (bench) => {
    const log = bench.client.operationLog();
    const calls = [
      watch(bench.client.projections.apply(BATCH)),
      watch(bench.client.loader.load(EVENT_ID)),
      watch(log.append([rowOf(1, 2)])),
    ];
    await settled();
    bench.client.kill();
    calls.push(watch(bench.client.shards.readLogicalMs()));
    await bench.pass(LONG_MS);
    for (const { state } of calls) assert.equal(state, "waiting");
    assert.equal(bench.database.server.waiting, 0);
    return bench.kinds.split(" ").sort().join(" ");
  });
  assert.deepEqual(seen, ["", "logged", "logged projected", "projected"]);
});

test("a refusal is an answer like any other, and changes nothing", async () => {
  const bench = await Bench.create(8);
  const call = watch(bench.client.projections.apply(batchOf(7)));
  await bench.pass(LONG_MS);
  assert.equal(call.state, "fence_lost");
  assert.equal(bench.kinds, "");
  assert.equal(bench.database.watermark(0), 0);
});

test("an append to the log moves each shard whose end and epoch it knows, and no other", async () => {
  const bench = await Bench.create(9);
  const log = bench.client.operationLog();
  const ask = async (call: Promise<unknown>): Promise<string> => {
    const watched = watch(call);
    await bench.pass(LONG_MS);
    return watched.state;
  };
  assert.equal(await ask(log.append([rowOf(1, 3), rowOf(1, 1, 1, 1)])), "[0,1]");
  assert.equal(await ask(log.append([rowOf(1, 3), rowOf(2, 2, 1, 1)])), "[1]");
  assert.equal(await ask(log.append([rowOf(4, 4, 2), rowOf(3, 3, 1, 9)])), "[]");
  assert.equal(await ask(log.append([rowOf(5, 5)])), "[]");
  assert.deepEqual(bench.database.logEnds(), [
    { shard: 0, epoch: 1, lastLsn: 3 },
    { shard: 1, epoch: 1, lastLsn: 2 },
  ]);
  await ask(log.append([rowOf(4, 6)]));
  assert.deepEqual(
    JSON.parse(await ask(log.readTail([[0, 4]]))).map((row: LogRow) => row.firstLsn),
    [4],
  );
  assert.equal(await ask(log.retire([[0, 5]])), "false");
  assert.deepEqual(
    bench.database.logRows(0).map(({ firstLsn }) => firstLsn),
    [4],
  );
  assert.equal(bench.kinds, "logged logged logged retired");
});

test("whoever takes over sees the end of the log as it stays, whatever an old owner has sent", async () => {
  const seen = await outcomes(async (bench) => {
    const log = bench.client.operationLog();
    const append = watch(log.append([rowOf(1, 2)]));
    await settled();
    bench.database.server.killConnections();
    const next = bench.database.connect();
    const owned = watch(next.shards.acquire(2));
    await bench.until(() => owned.state !== "waiting");
    const end = bench.database.logEnds().find(({ shard }) => shard === 0);
    await bench.pass(LONG_MS);
    assert.equal(append.state, "ECONNRESET");
    assert.deepEqual(
      bench.database.logEnds().find(({ shard }) => shard === 0),
      end,
    );
    return `${end?.lastLsn}`;
  });
  assert.deepEqual(seen, ["0", "2"]);
});

test("an append that was given up may be in after the end was asked for", async () => {
  const seen = await outcomes(async (bench) => {
    const log = bench.client.operationLog();
    const append = watch(log.append([rowOf(1, 2)]));
    await settled();
    bench.database.server.killConnections();
    await settled();
    assert.equal(append.state, "ECONNRESET");
    const ends = watch(log.ends());
    await bench.until(() => ends.state !== "waiting");
    const [asked] = JSON.parse(ends.state);
    await bench.pass(LONG_MS);
    return `${asked.lastLsn}, at last ${bench.database.logEnds()[0]?.lastLsn}`;
  }, 200);
  assert.deepEqual(seen, ["0, at last 0", "0, at last 2", "2, at last 2"]);
});

test("a log that is closed fails what is under way, and who uses it otherwise than agreed is told of", async () => {
  const bench = await Bench.create(11);
  const log = bench.client.operationLog();
  const append = watch(log.append([rowOf(1, 2)]));
  await settled();
  assert.deepEqual(bench.broken, []);
  const second = watch(log.ends());
  await settled();
  assert.match(String(bench.broken[0]), /one append or ends at a time/);
  await log.close();
  await settled();
  const late = watch(log.ends());
  await bench.pass(LONG_MS);
  assert.deepEqual(
    [append, second, late].map(({ state }) => state),
    Array(3).fill("ECONNRESET"),
  );
  watch(bench.client.operationLog().append([rowOf(1, 1, 1, 1), rowOf(1, 1)]));
  assert.match(String(bench.broken.at(-1)), /ascending order/);
});

test("what a hook throws is not the caller's", async () => {
  const broken: unknown[] = [];
  const scheduler = new Scheduler(0);
  const found = new Error("found something");
  const database = new VirtualDatabase({
    random: new Random(1),
    pause: (ms) =>
      new Promise((resolve) => {
        scheduler.after(ms, resolve);
      }),
    broken: (error) => broken.push(error),
    onCommit: () => {
      throw found;
    },
  });
  const call = watch(database.connect().shards.acquire(1));
  await settled();
  while (scheduler.step(LONG_MS)) await settled();
  assert.deepEqual(broken, [found]);
  assert.equal(call.state, "waiting");
});

test("the same seed does the same", async () => {
  const run = async (seed: number): Promise<string> => {
    const bench = await Bench.create(seed);
    const calls = [0, 1, 2].map(() => watch(bench.client.projections.apply(BATCH)));
    await bench.pass(1);
    bench.database.server.killConnections();
    await bench.pass(LONG_MS);
    return `${bench.kinds} ${calls.map(({ state }) => state)} ${bench.scheduler.steps}`;
  };
  for (let seed = 1; seed < 20; seed += 1) assert.equal(await run(seed), await run(seed));
});
