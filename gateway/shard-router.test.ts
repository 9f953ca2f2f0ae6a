import assert from "node:assert/strict";
import { afterEach, beforeEach, mock, test } from "node:test";
import { MessageChannel, type MessagePort } from "node:worker_threads";
import type { EventId, HoldId } from "../engine/ids.ts";
import {
  ANSWER_WAIT_MS_MAX,
  AUDIT_WAIT_MS_MAX,
  HOLDS_IN_FLIGHT_MAX,
  IN_FLIGHT_PER_WORKER_MAX,
  PROJECTION_WAITS_MAX,
  UNPROJECTED_FACTS_PER_SHARD_MAX,
} from "../engine/limits.ts";
import { ALICE, EVENT_ID } from "../engine/testing/fixtures.ts";
import { postWritten } from "../workers/batch-port.ts";
import { writeBatch } from "../workers/batch-wire.ts";
import { systemClock } from "../workers/clock.ts";
import { MessageReader, MessageWriter } from "../workers/packed-message.ts";
import { readRequests } from "../workers/request-wire.ts";
import type {
  Answer,
  Operation,
  ShardAnswer,
  ShardRequest,
  WorkerBatch,
} from "../workers/shard-messages.ts";
import { type Answered, ShardRouter } from "./shard-router.ts";

const SHARDS = 4;
const HOLD_ID = "0197f3c9-7b10-7001-8aaa-aa07a4b1c2d3" as HoldId;
const BUSY: Answer = { kind: "refused", refusal: { code: "busy" } };
const UNCHANGED: Answer = { kind: "unchanged" };

/** A router, and the workers' ends of its ports. */
class RouterBench {
  readonly router: ShardRouter;
  readonly #workers: MessagePort[] = [];
  readonly #writer = new MessageWriter();
  readonly received: ShardRequest[][] = [];
  readonly answers: { n: number; answer: Answered; lsn: number }[] = [];

  constructor(workerCount = 1) {
    const ports = Array.from({ length: workerCount }, (_, worker) => {
      const { port1, port2 } = new MessageChannel();
      port2.on("message", (buffer: ArrayBuffer) => {
        const batch = readRequests(new MessageReader(buffer));
        this.received[worker] = [...(this.received[worker] ?? []), ...batch];
      });
      this.#workers.push(port2);
      return port1;
    });
    const clock = { ...systemClock, monotonicMs: () => Date.now() };
    this.router = new ShardRouter({ ports, shardCount: SHARDS, watermarks: [], clock });
  }

  /** Sends `count` questions, numbered on from those before. */
  ask(count = 1, eventId = EVENT_ID, operation: Operation = { kind: "inspect" }): void {
    const first = this.#asked;
    this.#asked += count;
    for (let n = first; n < first + count; n += 1) {
      this.router.execute(eventId, operation, (answer, lsn) => {
        this.answers.push({ n, answer, lsn });
      });
    }
  }
  #asked = 0;

  answer(worker: number, batch: Partial<WorkerBatch>): void {
    const whole: WorkerBatch = { sentMs: 0, changes: [], notices: [], answers: [], ...batch };
    const port = this.#workers[worker];
    if (port === undefined) return;
    writeBatch(this.#writer, whole);
    postWritten(port, this.#writer);
  }

  /** Answers everything that a worker received and has not answered. */
  answerAll(worker = 0): void {
    const requests = this.received[worker] ?? [];
    this.received[worker] = [];
    const answers = requests.map(({ id }): ShardAnswer => ({ id, lsn: id, answer: UNCHANGED }));
    this.answer(worker, { answers });
  }

  stop(): void {
    this.router.stop();
    for (const port of this.#workers) port.close();
  }
}

/** Lets ports deliver what was posted. */
async function delivered(): Promise<void> {
  for (let turn = 0; turn < 5; turn += 1) await new Promise((resolve) => setImmediate(resolve));
}

/** Waits for many turns of the loop, not for a time: the clock is in the test's hands. */
async function until(condition: () => boolean): Promise<void> {
  for (let turn = 0; !condition(); turn += 1) {
    assert.ok(turn < 50_000, `waited in vain until ${condition}`);
    await new Promise((resolve) => setImmediate(resolve));
  }
}

let bench: RouterBench;
beforeEach(() => {
  mock.timers.enable({ apis: ["setTimeout", "setInterval", "Date"], now: 1_000_000 });
  bench = new RouterBench();
});
afterEach(() => {
  bench.stop();
  mock.timers.reset();
});

test("requests of one turn travel in one batch, and each gets its own answer", async () => {
  bench.ask(3);
  assert.equal(bench.answers.length, 0, "never at once");
  await until(() => bench.received[0]?.length === 3);
  const ids = (bench.received[0] ?? []).map(({ id }) => id);
  const reversed = [...ids].reverse();
  const answers = reversed.map((id): ShardAnswer => ({ id, lsn: 10 * id, answer: UNCHANGED }));
  bench.answer(0, { answers });
  await until(() => bench.answers.length === 3);
  assert.deepEqual(
    bench.answers.map(({ n, lsn }) => [n, lsn]),
    [
      [2, 30],
      [1, 20],
      [0, 10],
    ],
  );
});

test("a request carries its shard and a deadline", async () => {
  bench.ask();
  await until(() => bench.received[0]?.length === 1);
  const request = bench.received[0]?.[0];
  assert.equal(request?.shard, bench.router.shardOf(EVENT_ID));
  assert.equal(request?.deadlineMs, 1_005_000);
});

test("an event's requests all go to the worker that hosts its shard", async () => {
  const two = new RouterBench(2);
  const events = Array.from(
    { length: 8 },
    (_, n) => `018f3c9a-7b10-7000-8000-0007a4b1c2d${n}` as EventId,
  );
  for (const eventId of events) two.ask(1, eventId);
  const count = (): number => two.received.flat().length;
  await until(() => count() === events.length);
  for (const [worker, requests] of two.received.entries()) {
    for (const { shard, eventId } of requests) {
      assert.equal(shard % 2, worker);
      assert.equal(shard, two.router.shardOf(eventId));
    }
  }
  two.stop();
});

const book: Operation = { kind: "inspect" };
const hold: Operation = {
  kind: "hold",
  holdId: HOLD_ID,
  userId: ALICE,
  places: [1],
  best: [],
  promoCode: null,
  channel: null,
  key: null,
};

test("past its bound a worker gets no new holds, but what finishes a sale for a while", async () => {
  const { router } = bench;
  bench.ask(HOLDS_IN_FLIGHT_MAX - 1, EVENT_ID, hold);
  assert.equal(router.refusesHolds(EVENT_ID), false);
  bench.ask(1, EVENT_ID, hold);
  assert.equal(router.refusesHolds(EVENT_ID), true);
  bench.ask(1, EVENT_ID, hold);
  await until(() => bench.answers.length === 1);
  assert.deepEqual(bench.answers, [{ n: HOLDS_IN_FLIGHT_MAX, answer: BUSY, lsn: 0 }]);
  const all = IN_FLIGHT_PER_WORKER_MAX;
  bench.ask(all - HOLDS_IN_FLIGHT_MAX, EVENT_ID, book);
  bench.ask(1, EVENT_ID, book);
  await until(() => bench.answers.length === 2);
  assert.deepEqual(bench.answers[1]?.answer, BUSY);
  await until(() => bench.received[0]?.length === all);
  bench.answerAll();
  await until(() => bench.answers.length === 2 + all);
  assert.equal(router.refusesHolds(EVENT_ID), false);
  assert.deepEqual([router.inFlight, bench.received[0]], [0, []]);
  const answered = new Set(bench.answers.map(({ n }) => n));
  assert.equal(answered.size, bench.answers.length, "each once");
});

test("one worker's load is not another's", async () => {
  const two = new RouterBench(2);
  const events = Array.from(
    { length: 8 },
    (_, n) => `018f3c9a-7b10-7000-8000-0007a4b1c2d${n}` as EventId,
  );
  two.ask(HOLDS_IN_FLIGHT_MAX, EVENT_ID, hold);
  const workerOf = (eventId: EventId): number => two.router.shardOf(eventId) % 2;
  for (const eventId of events) {
    assert.equal(two.router.refusesHolds(eventId), workerOf(eventId) === workerOf(EVENT_ID));
  }
  assert.equal(two.router.refusesAllHolds(), false);
  const other = events.find((eventId) => workerOf(eventId) !== workerOf(EVENT_ID));
  two.ask(HOLDS_IN_FLIGHT_MAX, other, hold);
  assert.equal(two.router.refusesAllHolds(), true);
  two.stop();
});

test("while PostgreSQL lacks much of a shard, it gets no new holds", async () => {
  const { router } = bench;
  const shard = router.shardOf(EVENT_ID);
  bench.ask();
  await until(() => bench.received[0]?.length === 1);
  const [request] = bench.received[0] ?? [];
  const lsn = UNPROJECTED_FACTS_PER_SHARD_MAX / 2 + 8;
  bench.answer(0, { answers: [{ id: request?.id ?? 0, lsn, answer: UNCHANGED }] });
  await until(() => bench.answers.length === 1);
  assert.equal(router.refusesHolds(EVENT_ID), true);
  bench.ask(1, EVENT_ID, book);
  await until(() => bench.received[0]?.length === 2);
  router.projected([[shard, 8]]);
  assert.equal(router.refusesHolds(EVENT_ID), false);
});

test("an answer that takes too long is a timeout, and what comes later is dropped", async () => {
  bench.ask();
  await until(() => bench.received[0]?.length === 1);
  mock.timers.tick(ANSWER_WAIT_MS_MAX - 1_000);
  bench.ask();
  mock.timers.tick(1_000);
  assert.deepEqual(bench.answers, [{ n: 0, answer: { kind: "timeout" }, lsn: 0 }]);
  await until(() => bench.received[0]?.length === 2);
  bench.answerAll();
  await until(() => bench.answers.length === 2);
  assert.deepEqual(
    bench.answers.map(({ n }) => n),
    [0, 1],
  );
});

test("whoever is told of a timeout may ask again at once, many times over", async () => {
  // So many before that the ids to come move to other slots when the table grows.
  for (let round = 0; round < 9; round += 1) {
    bench.ask(100);
    await until(() => bench.received[0]?.length === 100);
    bench.answerAll();
    await until(() => bench.router.inFlight === 0);
  }
  const told: string[] = [];
  for (let n = 0; n < 300; n += 1) {
    bench.router.execute(EVENT_ID, { kind: "inspect" }, (first) => {
      told.push(first.kind);
      for (let again = 0; again < 4; again += 1) {
        bench.router.execute(EVENT_ID, { kind: "inspect" }, (next) => told.push(next.kind));
      }
    });
  }
  await until(() => bench.received[0]?.length === 300);
  mock.timers.tick(ANSWER_WAIT_MS_MAX);
  assert.deepEqual(
    told,
    Array.from({ length: 300 }, () => "timeout"),
  );
  assert.equal(bench.router.inFlight, 1_200);
  await until(() => bench.received[0]?.length === 1_500);
  bench.answerAll();
  await until(() => bench.router.inFlight === 0);
  assert.deepEqual(
    told.slice(300),
    Array.from({ length: 1_200 }, () => UNCHANGED.kind),
  );
  assert.equal(bench.router.lanes[0]?.inFlight, 0);
});

test("an audit may take longer, and keeps nobody behind it waiting", async () => {
  bench.ask(1, EVENT_ID, { kind: "audit" });
  bench.ask();
  await until(() => bench.received[0]?.length === 2);
  mock.timers.tick(ANSWER_WAIT_MS_MAX);
  assert.deepEqual(bench.answers, [{ n: 1, answer: { kind: "timeout" }, lsn: 0 }]);
  mock.timers.tick(AUDIT_WAIT_MS_MAX);
  assert.deepEqual(bench.answers[1], { n: 0, answer: { kind: "timeout" }, lsn: 0 });
});

test("changes and notices are heard before the answers of their batch", async () => {
  const heard: string[] = [];
  bench.router.listen({
    changed: ({ seq }) => heard.push(`change ${seq}`),
    noticed: ({ kind }) => heard.push(kind),
  });
  bench.router.execute(EVENT_ID, { kind: "inspect" }, () => heard.push("answer"));
  await until(() => bench.received[0]?.length === 1);
  const [request] = bench.received[0] ?? [];
  bench.answer(0, {
    changes: [{ eventId: EVENT_ID, seq: 4, reset: true }],
    notices: [
      {
        kind: "holdExpired",
        eventId: EVENT_ID,
        seq: 5,
        holdId: HOLD_ID,
        userId: ALICE,
        lsn: 1,
        reason: "expired",
      },
    ],
    answers: [{ id: request?.id ?? 0, lsn: 1, answer: UNCHANGED }],
  });
  await until(() => heard.length === 3);
  assert.deepEqual(heard, ["change 4", "holdExpired", "answer"]);
});

test("drained waits for every accepted request", async () => {
  await bench.router.drained();
  bench.ask(2);
  let isDrained = false;
  const drained = bench.router.drained().then(() => {
    isDrained = true;
  });
  await until(() => bench.received[0]?.length === 2);
  await delivered();
  assert.equal(isDrained, false);
  bench.answerAll();
  await drained;
  assert.equal(bench.answers.length, 2);
});

test("a stopped shard answers busy, and only that", async () => {
  bench.router.stopShard(bench.router.shardOf(EVENT_ID));
  bench.ask();
  await until(() => bench.answers.length === 1);
  assert.deepEqual(bench.answers[0]?.answer, BUSY);
  assert.equal(bench.received.length, 0);
});

test("a wait for the projection ends with the watermark, or in time", async () => {
  const { router } = bench;
  router.projected([[1, 5]]);
  assert.equal(await router.whenProjected(1, 5), true);
  const six = router.whenProjected(1, 6);
  const other = router.whenProjected(2, 1);
  const seven = router.whenProjected(1, 7);
  router.projected([[1, 6]]);
  assert.equal(await six, true);
  mock.timers.tick(5_000);
  assert.equal(await other, false);
  assert.equal(await seven, false);
  assert.equal(router.isProjected(1, 6), true);
  assert.equal(router.isProjected(1, 7), false);
});

test("a wait for all that was told ends with the last of its shards, or in time", async () => {
  const { router } = bench;
  assert.equal(await router.whenAllProjected(), true, "nothing was told");
  const first = router.shardOf(EVENT_ID);
  const other = ["1", "2", "3", "4", "5", "6", "7", "8"]
    .map((digit) => `${EVENT_ID.slice(0, -1)}${digit}` as EventId)
    .find((eventId) => router.shardOf(eventId) !== first);
  assert.ok(other !== undefined);
  bench.ask(1);
  bench.ask(1, other);
  await until(() => bench.received[0]?.length === 2);
  bench.answerAll();
  await until(() => bench.answers.length === 2);
  const [before = 0, after = 0] = bench.answers.map(({ lsn }) => lsn);
  let isOver = false;
  const all = router.whenAllProjected().then((projected) => {
    isOver = true;
    return projected;
  });
  router.projected([[first, before]]);
  await delivered();
  assert.equal(isOver, false);
  router.projected([[router.shardOf(other), after]]);
  assert.equal(await all, true);
  bench.ask(1);
  await until(() => bench.received[0]?.length === 1);
  bench.answerAll();
  await until(() => bench.answers.length === 3);
  const late = router.whenAllProjected();
  mock.timers.tick(5_000);
  assert.equal(await late, false);
});

test("what somebody was told without asking is waited for, too", async () => {
  const { router } = bench;
  router.listen({ changed: () => undefined, noticed: () => undefined });
  const about = { eventId: EVENT_ID, userId: ALICE, lsn: 7, seq: 5, holdId: HOLD_ID } as const;
  bench.answer(0, { notices: [{ ...about, kind: "holdExpired", reason: "expired" }] });
  await delivered();
  let isOver = false;
  const all = router.whenAllProjected().then((projected) => {
    isOver = true;
    return projected;
  });
  await delivered();
  assert.equal(isOver, false);
  router.projected([[router.shardOf(EVENT_ID), 7]]);
  assert.equal(await all, true);
});

test("one more than may wait for the projection is told so at once, and the end of a wait makes room", async () => {
  const { router } = bench;
  const waits = Array.from({ length: PROJECTION_WAITS_MAX }, () => router.whenProjected(1, 6));
  assert.equal(await router.whenProjected(1, 6), false);
  mock.timers.tick(5_000);
  assert.ok((await Promise.all(waits)).every((projected) => !projected));
  const later = router.whenProjected(1, 6);
  router.projected([[1, 6]]);
  assert.equal(await later, true);
});

test("a simulator's clock, turns and ports are the only ones that it uses", async () => {
  const turns: (() => void)[] = [];
  const posted: ArrayBuffer[] = [];
  const timers: (() => void)[] = [];
  let nowMs = 5_000;
  const router = new ShardRouter({
    ports: [
      {
        postMessage: (message) => posted.push(message as ArrayBuffer),
        on: () => undefined,
        close: () => undefined,
      },
    ],
    shardCount: SHARDS,
    watermarks: [],
    clock: {
      wallMs: () => nowMs,
      monotonicMs: () => nowMs,
      every: (_, run) => {
        timers.push(run);
        return () => timers.splice(0);
      },
      after: () => () => undefined,
      soon: (run) => turns.push(run),
    },
  });
  const answers: Answered[] = [];
  router.execute(EVENT_ID, { kind: "inspect" }, (answer) => answers.push(answer));
  assert.equal(posted.length, 0);
  for (const run of turns.splice(0)) run();
  const [buffer = new ArrayBuffer(0)] = posted;
  assert.equal(readRequests(new MessageReader(buffer))[0]?.deadlineMs, 10_000);
  nowMs += ANSWER_WAIT_MS_MAX;
  for (const run of timers) run();
  assert.deepEqual(answers, [{ kind: "timeout" }]);
  router.stop();
  assert.equal(timers.length, 0);
});
