import assert from "node:assert/strict";
import { test } from "node:test";
import type { Fact } from "../../engine/facts.ts";
import type { EventId } from "../../engine/ids.ts";
import {
  PROJECTION_BATCH_BYTES_MAX,
  PROJECTION_BATCH_FACTS_MAX,
  PROJECTION_INTERVAL_MS,
  PROJECTION_INTERVAL_MS_MAX,
  PROJECTION_INTERVAL_TIMES,
  PROJECTION_RETRY_MS_MAX,
  PROJECTION_RUSH_FACTS_MIN,
} from "../../engine/projection-limits.ts";
import { EventBench } from "../../engine/testing/fixtures.ts";
import { Random } from "../../engine/testing/random.ts";
import { entriesOf } from "../testing/entries.ts";
import {
  type Applied,
  type Epochs,
  FenceLost,
  InvariantViolated,
  type ProjectionBatch,
  type ProjectionStore,
  WatermarkGap,
  type Watermarks,
} from "./projection-store.ts";
import { Projector } from "./projector.ts";

const OTHER_EVENT_ID = "018f3c9a-7b10-7000-8000-000000000001" as EventId;

/** Records what it is given, and does what `answer` says. */
class ScriptedStore implements ProjectionStore {
  readonly asked: [shard: number, firstLsn: number, lastLsn: number][][] = [];
  readonly confirmed: Epochs[] = [];
  readonly confirmedAt: Watermarks[] = [];
  answerConfirm: () => void | Promise<void> = () => undefined;
  purges = 0;
  closed = false;
  readonly prepared = new Set<ProjectionBatch>();
  prepare: (batch: ProjectionBatch) => void = (batch) => this.prepared.add(batch);
  answer: (batch: ProjectionBatch, time: number) => Applied | Promise<Applied> = () => "applied";

  async apply(batch: ProjectionBatch, waiting?: () => void): Promise<Applied> {
    this.asked.push(
      batch.advances.map(({ shard, firstLsn, lastLsn }) => [shard, firstLsn, lastLsn]),
    );
    const answer = this.answer(batch, this.asked.length);
    waiting?.();
    return answer;
  }

  async confirm(epochs: Epochs, watermarks: Watermarks): Promise<void> {
    this.confirmed.push(epochs);
    this.confirmedAt.push(watermarks.toSorted(([one], [other]) => one - other));
    await this.answerConfirm();
  }

  async purge(): Promise<boolean> {
    this.purges += 1;
    return this.purges < 3;
  }

  async close(): Promise<void> {
    this.closed = true;
  }
}

function projectorOf(
  store: ProjectionStore,
  shards = [0],
  backlogBytesMax = 1_000_000,
  batchFactsMax = PROJECTION_BATCH_FACTS_MAX,
) {
  const watermarks: [number, number][] = [];
  const failures: string[] = [];
  const pauses: number[] = [];
  let nowMs = 0;
  const projector = new Projector(
    shards.map((shard) => [shard, 1, 0] as const),
    {
      store,
      projected: (moved) => {
        for (const [shard, lsn] of moved) watermarks.push([shard, lsn]);
      },
      failed: ({ shard, code, reason }) => failures.push(`${shard} ${code} ${reason}`),
      wallMs: () => nowMs,
      pause: async (ms) => {
        nowMs += ms;
        pauses.push(ms);
      },
      backlogBytesMax,
      batchFactsMax,
    },
  );
  const running = projector.run();
  const advance = (ms: number): void => {
    nowMs += ms;
  };
  return { projector, running, watermarks, failures, pauses, advance };
}

function facts(count: number): Fact[] {
  const bench = new EventBench({ perUserMax: 100_000, seatCategories: new Uint8Array(count) });
  for (let seat = 0; seat + 1 < count; seat += 1) bench.held([seat]);
  return bench.facts;
}

test("everything that is offered is applied in order, in batches of bounded size", async () => {
  const store = new ScriptedStore();
  const { projector, watermarks } = projectorOf(store);
  const max = PROJECTION_BATCH_FACTS_MAX;
  projector.offer(entriesOf(facts(max + 2)));
  assert.equal(projector.report().backlogFacts, max + 2);
  await projector.drain();
  assert.deepEqual(store.asked, [[[0, 1, max]], [[0, max + 1, max + 2]]]);
  assert.deepEqual(watermarks, [
    [0, max],
    [0, max + 2],
  ]);
  const { backlogFacts, backlogBytes, factsTotal } = projector.report();
  assert.deepEqual([backlogFacts, backlogBytes, factsTotal], [0, 0, max + 2]);
});

test("what is offered again is applied once, and a gap stops the shard", async () => {
  const store = new ScriptedStore();
  const { projector, failures } = projectorOf(store);
  const [a, b, c] = facts(3);
  assert.ok(a !== undefined && b !== undefined && c !== undefined);
  projector.offer(entriesOf([a, b]));
  await projector.drain();
  projector.offer(entriesOf([a, b]));
  await projector.drain();
  assert.deepEqual(store.asked, [[[0, 1, 2]]]);
  projector.offer(entriesOf([c], { firstLsn: 4 }));
  await projector.drain();
  assert.equal(failures.length, 1);
  assert.match(failures[0] ?? "", /^0 journal_gap /);
});

test("a batch whose outcome is unknown is tried again with the same bounds", async () => {
  const store = new ScriptedStore();
  const { projector, watermarks, failures, pauses } = projectorOf(store);
  const [a, b, c] = facts(3);
  assert.ok(a !== undefined && b !== undefined && c !== undefined);
  store.answer = (_, time) => {
    if (time === 1) projector.offer(entriesOf([c], { firstLsn: 3 }));
    if (time < 12) throw new Error("the connection is gone");
    return time === 12 ? "already" : "applied";
  };
  projector.offer(entriesOf([a, b]));
  await projector.drain();
  assert.equal(store.asked.length, 13);
  for (const batch of store.asked.slice(0, 12)) assert.deepEqual(batch, [[0, 1, 2]]);
  assert.deepEqual(watermarks, [
    [0, 2],
    [0, 3],
  ]);
  assert.deepEqual(failures, []);
  assert.deepEqual(
    pauses,
    pauses.toSorted((x, y) => x - y),
  );
  assert.equal(pauses.at(-1), PROJECTION_RETRY_MS_MAX);
  assert.equal(projector.report().lastError, null);
});

test("a shard that is refused is written to no more, and the others go on", async () => {
  const store = new ScriptedStore();
  const { projector, watermarks, failures } = projectorOf(store, [0, 1]);
  const [a, b] = facts(2);
  assert.ok(a !== undefined && b !== undefined);
  store.answer = ({ advances }) => {
    if (advances.some(({ shard }) => shard === 0)) throw new InvariantViolated("one per seat");
    return "applied";
  };
  projector.offer(entriesOf([a], { shard: 0 }));
  projector.offer(entriesOf([a], { shard: 1, eventId: OTHER_EVENT_ID }));
  await projector.drain();
  projector.offer(entriesOf([b], { shard: 0, firstLsn: 2 }));
  projector.offer(entriesOf([b], { shard: 1, firstLsn: 2, eventId: OTHER_EVENT_ID }));
  await projector.drain();
  assert.deepEqual(failures, ["0 invariant_violated one per seat"]);
  assert.deepEqual(store.asked, [
    [
      [0, 1, 1],
      [1, 1, 1],
    ],
    [[0, 1, 1]],
    [[1, 1, 1]],
    [[1, 2, 2]],
  ]);
  assert.deepEqual(watermarks, [
    [1, 1],
    [1, 2],
  ]);
});

test("shards share a transaction, and one that fills it waits for the others", async () => {
  const store = new ScriptedStore();
  const { projector } = projectorOf(store, [0, 1, 2]);
  const max = PROJECTION_BATCH_FACTS_MAX;
  projector.offer(entriesOf(facts(max + 2), { shard: 0 }));
  projector.offer(entriesOf(facts(2), { shard: 1, eventId: OTHER_EVENT_ID }));
  await projector.drain();
  assert.deepEqual(store.asked, [
    [[0, 1, max]],
    [
      [1, 1, 2],
      [0, max + 1, max + 2],
    ],
  ]);
});

test("what is put together ahead of its turn comes in order, whatever becomes of what is before", async () => {
  const all = facts(24);
  let prepared = 0;
  for (let seed = 1; seed <= 200; seed += 1) {
    const random = new Random(seed);
    const store = new ScriptedStore();
    const shards = [0, 1, 2];
    const applied = new Map(shards.map((shard) => [shard, 0]));
    const doomed = random.pick([0, 1, 2, 3]);
    const doom = 1 + random.below(24);
    const { projector, failures } = projectorOf(store, shards, 1_000_000, 4);
    let tries = 0;
    store.prepare = (batch) => {
      if (random.below(8) === 0) throw new Error("a bug");
      store.prepared.add(batch);
    };
    store.answer = (batch) => {
      const { advances } = batch;
      if (store.prepared.has(batch)) prepared += 1;
      for (const { shard, firstLsn } of advances) {
        if (firstLsn === (applied.get(shard) ?? 0) + 1) continue;
        throw new WatermarkGap(`seed ${seed}: shard ${shard} at ${firstLsn}`);
      }
      tries += 1;
      if (tries < 50 && random.below(4) === 0) throw new Error("the connection is gone");
      if (advances.some(({ shard, lastLsn }) => shard === doomed && lastLsn >= doom)) {
        throw new InvariantViolated("one per seat");
      }
      for (const { shard, lastLsn } of advances) applied.set(shard, lastLsn);
      return "applied";
    };
    for (const shard of shards) {
      const eventId = `018f3c9a-7b10-7000-8000-00000000000${shard}` as EventId;
      for (let at = 0; at < all.length; ) {
        const some = all.slice(at, at + 1 + random.below(9));
        projector.offer(entriesOf(some, { shard, eventId, firstLsn: at + 1 }));
        at += some.length;
        if (random.below(3) === 0) await new Promise((resolve) => setImmediate(resolve));
      }
    }
    await projector.drain();
    for (const shard of shards) {
      if (shard === doomed) assert.ok((applied.get(shard) ?? 0) < doom, `seed ${seed}`);
      else assert.equal(applied.get(shard), all.length, `seed ${seed}`);
    }
    assert.equal(failures.length, doomed < 3 ? 1 : 0, `seed ${seed}: ${failures.join()}`);
    const { backlogFacts, backlogBytes } = projector.report();
    assert.deepEqual([backlogFacts, backlogBytes], [0, 0]);
    await projector.stop();
  }
  assert.ok(prepared > 200, `${prepared} batches were prepared ahead of their turn`);
});

test("while little waits, transactions keep an interval", async () => {
  const store = new ScriptedStore();
  const { projector, pauses } = projectorOf(store);
  const [a, b, c] = facts(3);
  assert.ok(a !== undefined && b !== undefined && c !== undefined);
  const applied = new Promise<void>((resolve) => {
    store.answer = (_, time) => {
      if (time === 1) projector.offer(entriesOf([b, c], { firstLsn: 2 }));
      else resolve();
      return "applied";
    };
  });
  projector.offer(entriesOf([a]));
  await applied;
  assert.deepEqual(pauses, [PROJECTION_INTERVAL_MS]);
  assert.deepEqual(store.asked, [[[0, 1, 1]], [[0, 2, 3]]]);
});

test("in a rush more comes together, but not for ever; a slow disk alone is no rush", async () => {
  const rush = PROJECTION_RUSH_FACTS_MIN;
  const store = new ScriptedStore();
  const { projector, pauses, advance } = projectorOf(store);
  // The facts of each transaction, how long it takes, and the pause behind it.
  const scenes = [
    [rush, 3, PROJECTION_INTERVAL_MS - 3],
    [rush, 8, PROJECTION_INTERVAL_TIMES * 8 - 8],
    [rush, 60, PROJECTION_INTERVAL_MS_MAX - 60],
    [rush - 1, 10, PROJECTION_INTERVAL_MS - 10],
    [rush, 8, PROJECTION_INTERVAL_TIMES * 8 - 8],
    // The clock is set back.
    [rush, -3_600_000, PROJECTION_INTERVAL_MS],
    [1, 0, null],
  ] as const;
  const all = facts(scenes.reduce((sum, [count]) => sum + count, 0));
  let given = 0;
  const offer = (count: number): void => {
    projector.offer(entriesOf(all.slice(given, given + count), { firstLsn: given + 1 }));
    given += count;
  };
  const applied = new Promise<void>((resolve) => {
    store.answer = (_, time) => {
      advance(scenes[time - 1]?.[1] ?? 0);
      const next = scenes[time];
      if (next === undefined) resolve();
      else offer(next[0]);
      return "applied";
    };
  });
  offer(scenes[0][0]);
  await applied;
  assert.deepEqual(
    pauses,
    scenes.flatMap(([, , pause]) => (pause === null ? [] : [pause])),
  );
});

test("what fills a transaction by its bytes waits for nothing", async () => {
  const store = new ScriptedStore();
  const { projector, pauses } = projectorOf(store);
  const [first, ...others] = facts(6);
  assert.ok(first !== undefined);
  const large = { digest: "d".repeat(PROJECTION_BATCH_BYTES_MAX / 4), fingerprint: "f" };
  const applied = new Promise<void>((resolve) => {
    store.answer = (_, time) => {
      if (time > 1) resolve();
      else {
        const entries = others.map((fact) => ({ ...fact, key: large }));
        projector.offer(entriesOf(entries, { firstLsn: 2 }));
      }
      return "applied";
    };
  });
  projector.offer(entriesOf([first]));
  await applied;
  assert.deepEqual(pauses, []);
});

test("a fact that nobody can fold stops its shard before the store is asked", async () => {
  const store = new ScriptedStore();
  const { projector, failures } = projectorOf(store);
  const [a, , c] = facts(3);
  assert.ok(a !== undefined && c !== undefined);
  projector.offer(entriesOf([a, c]));
  await projector.drain();
  assert.deepEqual(store.asked, []);
  assert.match(failures[0] ?? "", /^0 internal .*without gaps/);
});

test("stopping does not wait for a database that is gone", async () => {
  const store = new ScriptedStore();
  const { projector, running } = projectorOf(store);
  let failed = (): void => undefined;
  const tried = new Promise<void>((resolve) => {
    failed = resolve;
  });
  store.answer = () => {
    failed();
    throw new Error("the connection is gone");
  };
  projector.offer(entriesOf(facts(2)));
  await tried;
  await projector.stop();
  await running;
  assert.equal(store.closed, true);
  assert.equal(projector.report().backlogFacts, 2);
});

test("the purge goes on in steps while there is nothing else to do", async () => {
  const store = new ScriptedStore();
  const { projector } = projectorOf(store);
  projector.offer(entriesOf(facts(2)));
  projector.purgeWhenIdle();
  await projector.drain();
  // The steps after the first have nothing to wait for: one more turn is behind all of them.
  await new Promise((resolve) => setImmediate(resolve));
  assert.equal(store.purges, 3);
  assert.deepEqual(store.asked, [[[0, 1, 2]]]);
});

test("an idle projector that is told of another owner gives up all its shards", async () => {
  const store = new ScriptedStore();
  const { projector, failures } = projectorOf(store, [0, 1]);
  projector.confirmSoon();
  await new Promise((resolve) => setImmediate(resolve));
  assert.deepEqual(failures, []);
  store.answerConfirm = () => {
    throw new FenceLost("shard 1 is another's");
  };
  projector.confirmSoon();
  await new Promise((resolve) => setImmediate(resolve));
  const both = [
    [0, 1],
    [1, 1],
  ];
  assert.deepEqual(store.confirmed, [both, both]);
  assert.deepEqual(failures, [
    "0 fence_lost shard 1 is another's",
    "1 fence_lost shard 1 is another's",
  ]);
  projector.offer(entriesOf(facts(2)));
  await projector.drain();
  assert.deepEqual(store.asked, []);
});

test("a rush in one shard does not keep from asking what became of the others", async () => {
  const store = new ScriptedStore();
  const { projector, failures } = projectorOf(store, [0, 1], 1_000_000, 2);
  projector.offer(entriesOf(facts(9)));
  let answered: string[] = [];
  store.answer = (_, time) => {
    if (time === 2) projector.confirmSoon();
    if (store.confirmed.length === 0) answered = [...answered, `batch ${time}`];
    return "applied";
  };
  store.answerConfirm = () => {
    throw new WatermarkGap("shard 1 is applied up to 3, it was up to 7");
  };
  await projector.drain();
  assert.deepEqual(answered, ["batch 1", "batch 2"]);
  // As of what has been stored by then.
  assert.deepEqual(store.confirmedAt, [
    [
      [0, 4],
      [1, 0],
    ],
  ]);
  assert.deepEqual(failures.toSorted(), [
    "0 watermark_gap shard 1 is applied up to 3, it was up to 7",
    "1 watermark_gap shard 1 is applied up to 3, it was up to 7",
  ]);
});

test("questions whose answers take as long as they are apart keep nothing from being stored", async () => {
  const store = new ScriptedStore();
  const { projector, running, watermarks } = projectorOf(store);
  // Another one is due before each answer, until the facts are stored or it is clear they are not.
  store.answerConfirm = async () => {
    await new Promise((resolve) => setImmediate(resolve));
    if (watermarks.length === 0 && store.confirmed.length < 10) projector.confirmSoon();
  };
  projector.confirmSoon();
  projector.offer(entriesOf(facts(2)));
  await projector.drain();
  assert.deepEqual(watermarks, [[0, 2]]);
  assert.ok(store.confirmed.length < 5, `${store.confirmed.length} questions came before`);
  await projector.stop();
  await running;
});

test("a projector that is stopped while it asks ends with the answer", async () => {
  const store = new ScriptedStore();
  const { projector } = projectorOf(store);
  let stopped: Promise<void> | null = null;
  store.answerConfirm = async () => {
    stopped = projector.stop();
    projector.confirmSoon();
  };
  projector.confirmSoon();
  await new Promise((resolve) => setImmediate(resolve));
  await stopped;
  assert.equal(store.confirmed.length, 1);
  assert.equal(store.closed, true);
});

test("a question that failed is reported until the next one is answered", async () => {
  const store = new ScriptedStore();
  const { projector, failures } = projectorOf(store);
  store.answerConfirm = () => {
    throw new Error("nobody listens");
  };
  projector.confirmSoon();
  await new Promise((resolve) => setImmediate(resolve));
  assert.equal(projector.report().lastError, "nobody listens");
  store.answerConfirm = () => undefined;
  projector.confirmSoon();
  await new Promise((resolve) => setImmediate(resolve));
  assert.equal(projector.report().lastError, null);
  assert.deepEqual(failures, []);
});

test("how long a question has been open is reported", async () => {
  const store = new ScriptedStore();
  const { projector, advance } = projectorOf(store);
  let answer: () => void = () => undefined;
  store.answerConfirm = () =>
    new Promise<void>((resolve) => {
      answer = resolve;
    });
  projector.confirmSoon();
  await new Promise((resolve) => setImmediate(resolve));
  advance(4_000);
  assert.equal(projector.report().unansweredMs, 4_000);
  answer();
  await new Promise((resolve) => setImmediate(resolve));
  assert.equal(projector.report().unansweredMs, 0);
});

test("a backlog past its bound is reported as overfull until it has shrunk", async () => {
  const store = new ScriptedStore();
  const { projector } = projectorOf(store, [0], 300);
  let isAway = true;
  store.answer = () => {
    if (isAway) throw new Error("nobody listens");
    return "applied";
  };
  projector.offer(entriesOf(facts(20)));
  assert.equal(projector.report().overfull, true);
  isAway = false;
  await projector.drain();
  assert.equal(projector.report().overfull, false);
});
