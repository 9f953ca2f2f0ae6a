import assert from "node:assert/strict";
import { describe, it } from "node:test";
import {
  OPERATION_LOG_ANSWER_MS_MAX,
  OPERATION_LOG_RETIRE_PAUSE_MS,
  OPERATION_LOG_RETRY_MS_MAX,
} from "../../engine/limits.ts";
import { Died, entry } from "../../tests/support/journal-fixture.ts";
import { ManualClock } from "../testing/manual-clock.ts";
import { MemoryLog } from "../testing/memory-log.ts";
import { OperationLogRefused } from "./operation-log.ts";
import { PgJournal } from "./pg-journal.ts";

const EPOCH = 1;
const OWNED = [0, 1].map((shard) => ({ shard, epoch: EPOCH, appliedLsn: 0 }));

interface Opened {
  readonly journal: PgJournal;
  readonly log: MemoryLog;
  readonly clock: ManualClock;
  /** Why the process should have ended. */
  readonly deaths: string[];
  /** `isFull` at each call of the listener. */
  readonly roomSeen: boolean[];
  /** Names of the appends that are done. */
  readonly done: string[];
  append(name: string, ...entries: Buffer[]): void;
}

async function open(): Promise<Opened> {
  const log = new MemoryLog(OWNED.map(({ shard }) => ({ shard, epoch: EPOCH, lastLsn: 0 })));
  const clock = new ManualClock();
  const deaths: string[] = [];
  const die = (reason: string, cause: unknown): never => {
    deaths.push(cause instanceof Error ? cause.message : reason);
    throw new Died(reason, { cause });
  };
  const { journal } = await PgJournal.open({ log, clock, die }, OWNED);
  // The first deletion, of whatever an earlier life had left.
  await clock.pass(OPERATION_LOG_RETIRE_PAUSE_MS);
  log.retired.length = 0;
  const roomSeen: boolean[] = [];
  journal.listenForRoom(() => roomSeen.push(journal.isFull));
  const done: string[] = [];
  const append = (name: string, ...entries: Buffer[]): void => {
    assert(journal.append(entries, () => done.push(name)));
  };
  return { journal, log, clock, deaths, roomSeen, done, append };
}

/** [shard, firstLsn, lastLsn] of every row. */
const placesIn = (log: MemoryLog): number[][] =>
  log.rows.map(({ shard, firstLsn, lastLsn }) => [shard, firstLsn, lastLsn]);

/** Lets what ends the process do so. */
async function passUntilDead(clock: ManualClock, ms = 0): Promise<void> {
  await assert.rejects(clock.pass(ms), Died);
}

describe("an append", () => {
  it("is one row for each shard, whatever the order of its entries", async () => {
    const { log, clock, done, append } = await open();
    append("first", entry(1, 1), Buffer.concat([entry(0, 1), entry(1, 2)]), entry(0, 2));
    assert.deepEqual(done, []);
    await clock.pass(0);
    assert.deepEqual(done, ["first"]);
    assert.deepEqual(placesIn(log), [
      [0, 1, 2],
      [1, 1, 2],
    ]);
    assert.equal(log.appends.length, 1);
    assert.deepEqual(log.rows[1]?.entries, Uint8Array.from([...entry(1, 1), ...entry(1, 2)]));
  });

  it("may begin within the answer to the one before", async () => {
    const { journal, clock, done } = await open();
    journal.append([entry(0, 1)], () => {
      done.push("first");
      journal.append([entry(0, 2)], () => done.push("second"));
    });
    await clock.pass(0);
    assert.deepEqual(done, ["first", "second"]);
  });

  it("leaves no timer behind", async () => {
    const { clock, append } = await open();
    append("first", entry(0, 1));
    await clock.pass(0);
    assert.equal(clock.pending, 0);
  });

  for (const ending of ["lost before", "lost after"] as const) {
    it(`whose connection is ${ending} the commit is sent again and in once`, async () => {
      const { log, clock, done, append, roomSeen } = await open();
      log.endings = [ending, ending, "ok"];
      append("first", entry(0, 1), entry(1, 1));
      await clock.pass(0);
      assert.deepEqual(done, []);
      assert.deepEqual(roomSeen, [true]);
      await clock.pass(OPERATION_LOG_RETRY_MS_MAX);
      assert.deepEqual(done, ["first"]);
      assert.deepEqual(roomSeen, [true, false]);
      assert.deepEqual(placesIn(log), [
        [0, 1, 1],
        [1, 1, 1],
      ]);
      append("second", entry(0, 2));
      await clock.pass(0);
      assert.deepEqual(done, ["first", "second"]);
    });
  }

  it("that nobody answered may happen after it was sent again, and changes nothing", async () => {
    const { log, clock, done, append, deaths } = await open();
    log.endings = ["orphan"];
    append("first", entry(0, 1));
    await clock.pass(OPERATION_LOG_RETRY_MS_MAX);
    append("second", entry(0, 2));
    await clock.pass(0);
    log.settle();
    append("third", entry(0, 3));
    await clock.pass(0);
    assert.deepEqual(done, ["first", "second", "third"]);
    assert.deepEqual(
      placesIn(log),
      [1, 2, 3].map((lsn) => [0, lsn, lsn]),
    );
    assert.deepEqual(deaths, []);
  });

  it("that nobody answered may happen between two tries, and counts", async () => {
    const { log, clock, done, append, deaths } = await open();
    log.endings = ["orphan", "lost before", "lost before"];
    append("first", entry(0, 1));
    await clock.pass(0);
    log.settle();
    await clock.pass(OPERATION_LOG_RETRY_MS_MAX);
    assert.deepEqual(done, ["first"]);
    assert.deepEqual(placesIn(log), [[0, 1, 1]]);
    assert.deepEqual(deaths, []);
  });

  it("stays unanswered while the ends can't be asked for", async () => {
    const { log, clock, done, append } = await open();
    log.endings = ["lost after"];
    log.failures.ends = [new Error("connection lost"), new Error("connection lost")];
    append("first", entry(0, 1));
    await clock.pass(0);
    assert.deepEqual(done, []);
    await clock.pass(OPERATION_LOG_RETRY_MS_MAX);
    assert.deepEqual(done, ["first"]);
    assert.equal(log.appends.length, 4);
  });

  it("is tried for as long as it takes, with pauses that end growing", async () => {
    const { log, clock, done, append, journal } = await open();
    log.endings = new Array(100).fill("lost before");
    append("first", entry(0, 1));
    await clock.pass(90 * OPERATION_LOG_RETRY_MS_MAX);
    assert.deepEqual(done, []);
    assert(log.appends.length > 90);
    const { failures, lastFailure, full } = journal.status();
    assert.deepEqual([failures, lastFailure, full], [log.appends.length, "connection lost", true]);
    await clock.pass(20 * OPERATION_LOG_RETRY_MS_MAX);
    assert.deepEqual(done, ["first"]);
    assert.equal(journal.status().full, false);
  });
});

describe("an append that can't ever be in ends the process, unanswered", () => {
  const cases: readonly (readonly [what: string, spoil: (log: MemoryLog) => void, why: RegExp])[] =
    [
      [
        "another process owns a shard",
        (log) => log.shardEnds.set(1, { shard: 1, epoch: 2, lastLsn: 0 }),
        /shard 1 is at epoch 2, we are at 1/,
      ],
      [
        "another process owns a shard, and an earlier try is in",
        (log) => {
          log.endings = ["lost after"];
          log.failures.ends = [new Error("connection lost")];
          log.shardEnds.set(1, { shard: 1, epoch: 2, lastLsn: 1 });
        },
        /shard 1 is at epoch 2/,
      ],
      ["the shard has no end", (log) => log.shardEnds.delete(1), /shard 1 has no end/],
      [
        "the end is elsewhere",
        (log) => log.shardEnds.set(1, { shard: 1, epoch: EPOCH, lastLsn: 5 }),
        /shard 1 ends at lsn 5, its row is 1 to 1/,
      ],
      [
        "the end is where only we could have brought it, before we did",
        (log) => log.shardEnds.set(1, { shard: 1, epoch: EPOCH, lastLsn: 1 }),
        /shard 1 ends at lsn 1, its row is 1 to 1/,
      ],
      [
        "PostgreSQL refuses the data",
        (log) => {
          log.append = () => Promise.reject(new OperationLogRefused("no such table"));
        },
        /no such table/,
      ],
    ];
  for (const [what, spoil, why] of cases) {
    it(what, async () => {
      const { log, clock, done, deaths, append } = await open();
      spoil(log);
      append("first", entry(0, 1), entry(1, 1));
      await passUntilDead(clock, OPERATION_LOG_RETRY_MS_MAX);
      assert.equal(deaths.length, 1);
      assert.match(deaths[0] ?? "", why);
      assert.deepEqual(done, []);
    });
  }
});

describe("a journal is full", () => {
  it("from when an answer is late until it comes", async () => {
    const { journal, log, clock, done, append, roomSeen } = await open();
    log.endings = ["frozen"];
    append("first", entry(0, 1));
    await clock.pass(OPERATION_LOG_ANSWER_MS_MAX - 1);
    assert.equal(journal.isFull, false);
    await clock.pass(1);
    assert.equal(journal.isFull, true);
    await clock.pass(100 * OPERATION_LOG_ANSWER_MS_MAX);
    assert.deepEqual(roomSeen, [true]);
    log.settle();
    await clock.pass(0);
    assert.deepEqual(done, ["first"]);
    assert.deepEqual(roomSeen, [true, false]);
  });

  it("and says that it is no more after what was waited for is done", async () => {
    const { journal, log, clock } = await open();
    const order: string[] = [];
    journal.listenForRoom(() => order.push(journal.isFull ? "full" : "room"));
    log.endings = ["lost before"];
    journal.append([entry(0, 1)], () => order.push("done"));
    await clock.pass(OPERATION_LOG_RETRY_MS_MAX);
    assert.deepEqual(order, ["full", "done", "room"]);
  });
});

describe("what PostgreSQL has", () => {
  it("is deleted one statement at a time, what comes meanwhile together after a rest", async () => {
    const { journal, log, clock, append } = await open();
    append("first", entry(0, 1), entry(0, 2), entry(1, 1));
    await clock.pass(0);
    journal.retire([[0, 2]]);
    journal.retire([[1, 0]]);
    journal.retire([[1, 1]]);
    await clock.pass(0);
    assert.deepEqual(log.retired, [[[0, 2]]]);
    await clock.pass(OPERATION_LOG_RETIRE_PAUSE_MS);
    assert.deepEqual(log.retired, [[[0, 2]], [[1, 1]]]);
    assert.deepEqual(log.rows, []);
    await clock.pass(OPERATION_LOG_RETIRE_PAUSE_MS);
    assert.equal(clock.pending, 0);
  });

  it("is deleted in as many statements as it takes", async () => {
    const { journal, log, clock, append } = await open();
    log.retireRowsMax = 3;
    for (let lsn = 1; lsn <= 7; lsn += 1) {
      append(`${lsn}`, entry(0, lsn));
      await clock.pass(0);
    }
    journal.retire([[0, 7]]);
    await clock.pass(0);
    assert.equal(log.retired.length, 3);
    assert.deepEqual(log.rows, []);
  });

  it("and could not be deleted is tried again at the next tick, and holds up nobody", async () => {
    const { journal, log, clock, append, done } = await open();
    append("first", entry(0, 1));
    await clock.pass(0);
    log.failures.retire = [new Error("connection lost")];
    journal.retire([[0, 1]]);
    append("second", entry(0, 2));
    await clock.pass(10_000);
    assert.equal(log.retired.length, 1);
    assert.deepEqual(done, ["first", "second"]);
    assert.equal(journal.isFull, false);
    journal.retryRoom();
    await clock.pass(0);
    assert.deepEqual(placesIn(log), [[0, 2, 2]]);
  });

  it("and an earlier life left is deleted by the next one", async () => {
    const log = new MemoryLog(OWNED.map(({ shard }) => ({ shard, epoch: 2, lastLsn: 2 })));
    const row = { shard: 0, epoch: 1, firstLsn: 1, lastLsn: 2, entries: new Uint8Array() };
    log.rows = [row];
    const clock = new ManualClock();
    const owned = OWNED.map(({ shard }) => ({ shard, epoch: 2, appliedLsn: 2 }));
    await PgJournal.open({ log, clock, die: () => assert.fail("died") }, owned);
    await clock.pass(0);
    assert.deepEqual(log.rows, []);
  });
});

describe("closing", () => {
  it("deletes what PostgreSQL has, without a rest, and then lets the log go", async () => {
    const { journal, log, clock, append } = await open();
    append("first", entry(0, 1));
    await clock.pass(0);
    append("second", entry(1, 1));
    await clock.pass(0);
    journal.retire([[0, 1]]);
    await clock.pass(0);
    journal.retire([[1, 1]]);
    journal.close();
    await journal.closed;
    assert.deepEqual(log.rows, []);
    assert(log.isClosed);
    assert.equal(
      journal.append([entry(0, 2)], () => assert.fail("done")),
      false,
    );
  });

  it("does not wait for deletions that fail", async () => {
    const { journal, log } = await open();
    log.failures.retire = [new Error("connection lost")];
    journal.retire([[0, 1]]);
    journal.close();
    await journal.closed;
    assert.equal(log.retired.length, 1);
  });

  it("gives up an append that is not answered, and answers it never", async () => {
    for (const [ending, isLate] of [
      ["frozen", true],
      ["frozen", false],
      ["lost before", true],
    ] as const) {
      const { journal, log, clock, append, done, deaths } = await open();
      log.endings = [ending];
      append("first", entry(0, 1));
      await clock.pass(0);
      journal.close();
      if (!isLate) log.settle();
      await journal.closed;
      log.settle();
      await clock.pass(100_000);
      assert.deepEqual(done, []);
      assert.deepEqual(deaths, []);
      assert.equal(log.appends.length, 1);
    }
  });
});
