/**
 * What every adapter of the journal must do. An adapter's test file calls `testJournal` with how to
 * make one. Not in here: what only one of them can meet, as torn files or a lost connection.
 */
import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { ENTRY_BYTES_MAX, FRAME_PAYLOAD_BYTES_MAX } from "../../engine/limits.ts";
import { Random } from "../../engine/testing/random.ts";
import { ENTRY_HEADER_BYTES } from "../../workers/journal/entry.ts";
import type { FrameJournal, OpenedJournal } from "../../workers/journal/frame-journal.ts";
import type { Watermarks } from "../../workers/journal/journal-port.ts";
import { entry as anyEntry, placesOf } from "./journal-fixture.ts";
import { until } from "./server.ts";

/** One place where a journal is kept, and the processes that come and go on it. */
export interface JournalPlace {
  /**
   * Opens it as a process that starts now, as the owner of shards 0 to SHARDS - 1 of which
   * PostgreSQL has this much (default: nothing). Whoever had it open before is dead.
   */
  open(watermarks?: Watermarks): Promise<OpenedJournal>;
  /** Of the process that opened last. */
  readonly epoch: number;
  /** Resolves once a journal that was closed has let go of everything. */
  closed(journal: FrameJournal): Promise<void>;
  /** From now on there is no room for long, until the returned function is called. */
  obstruct(): Promise<() => Promise<void>>;
}

export interface PlaceOptions {
  /** Frames of FRAME_PAYLOAD_BYTES_MAX must find room. Default: small ones. */
  readonly big?: boolean;
}

export const SHARDS = 4;
const WAIT_MS_MAX = 10_000;
const RUNS = 12;
const STEPS = 30;

/** Places of shard 0. */
const lsns = (from: number, to: number): [number, number][] =>
  Array.from({ length: Math.max(0, to - from + 1) }, (_, index) => [0, from + index]);

/** By shard; within one, everything stays in its order. */
const sorted = (places: Watermarks): Watermarks => places.toSorted((a, b) => a[0] - b[0]);

/** Resolves once the entries are durable. */
function append(journal: FrameJournal, chunks: readonly Uint8Array[]): Promise<void> {
  return new Promise((resolve) => {
    const begin = (): boolean => journal.append(chunks, resolve);
    if (begin()) return;
    journal.listenForRoom(() => {
      if (begin()) journal.listenForRoom(() => undefined);
    });
  });
}

export function testJournal(
  name: string,
  make: (t: TestContext, options: PlaceOptions) => Promise<JournalPlace>,
): void {
  const check = (
    what: string,
    run: (place: JournalPlace, entry: typeof anyEntry, t: TestContext) => Promise<void>,
    options: PlaceOptions = {},
  ): void => {
    test(`${name}: ${what}`, async (t) => {
      const place = await make(t, options);
      const entry = (shard: number, lsn: number, bodyBytes?: number): Buffer => {
        const bytes = anyEntry(shard, lsn, bodyBytes);
        bytes.writeDoubleLE(place.epoch, 16);
        return bytes;
      };
      await run(place, entry, t);
    });
  };

  check("an append is done when who opens next will find it", async (place, entry) => {
    for (let lsn = 1; lsn <= 5; lsn += 1) {
      const { journal, recovered } = await place.open();
      assert.deepEqual(placesOf(recovered), lsns(1, lsn - 1));
      await append(journal, [entry(0, lsn)]);
    }
  });

  check("an entry is recovered byte for byte", async (place, entry) => {
    const { journal } = await place.open();
    const long = entry(0, 2, 9_000);
    for (let at = ENTRY_HEADER_BYTES; at < long.length; at += 1) long[at] = (at * 7) & 0xff;
    const chunks = [entry(0, 1, 0), Buffer.concat([entry(2, 1, 1), long])];
    await append(journal, chunks);
    const { recovered } = await place.open();
    const bytes = (shard: number): Buffer => entriesOf(recovered, shard);
    assert.deepEqual(bytes(0), entriesOf(chunks, 0));
    assert.deepEqual(bytes(2), entriesOf(chunks, 2));
    assert.equal(bytes(0).length + bytes(2).length, Buffer.concat(chunks).length);
  });

  check("an append of nothing is done at once and leaves nothing", async (place) => {
    const { journal } = await place.open();
    let isDone = false;
    const noted = (): void => {
      isDone = true;
    };
    assert(journal.append([], noted));
    assert(isDone);
    assert.deepEqual((await place.open()).recovered, []);
  });

  check("the last lsn of each shard is what is durable, over openings", async (place, entry) => {
    const first = await place.open([[1, 7]]);
    await append(first.journal, [entry(1, 8), entry(0, 1), entry(1, 9)]);
    const expected = [
      [0, 1],
      [1, 9],
      [2, 0],
      [3, 0],
    ];
    assert.deepEqual(sorted(first.journal.last), expected);
    const { journal } = await place.open([[1, 7]]);
    assert.deepEqual(sorted(journal.last), expected);
    await append(journal, [entry(1, 10)]);
    assert.deepEqual(sorted(journal.last)[1], [1, 10]);
  });

  check("a gap in a shard's lsns is a bug and ends the process", async (place, entry) => {
    const { journal } = await place.open([[0, 4]]);
    for (const wrong of [[entry(0, 4)], [entry(0, 6)], [entry(0, 5), entry(0, 7)]]) {
      assert.throws(() => journal.append(wrong, () => assert.fail("done")), { code: "died" });
    }
  });

  check("recovery gives each shard exactly what is beyond it", async (place, entry) => {
    const { journal } = await place.open();
    for (let lsn = 1; lsn <= 9; lsn += 3) {
      const three = [lsn, lsn + 1, lsn + 2];
      await append(journal, [
        ...three.map((at) => entry(0, at)),
        Buffer.concat(three.map((at) => entry(3, at))),
      ]);
    }
    // Within a frame, and at the end of one.
    const { recovered, journal: next } = await place.open([
      [0, 5],
      [3, 6],
    ]);
    assert.deepEqual(sorted(placesOf(recovered)), [
      ...[6, 7, 8, 9].map((lsn) => [0, lsn]),
      ...[7, 8, 9].map((lsn) => [3, lsn]),
    ]);
    assert.deepEqual(
      placesOf(recovered).filter(([shard]) => shard === 0),
      lsns(6, 9),
    );
    await append(next, [entry(0, 10), entry(3, 10)]);
    const again = await place.open([
      [0, 10],
      [3, 10],
    ]);
    assert.deepEqual(again.recovered, []);
  });

  check("what is retired does not come back, what is not does", async (place, entry) => {
    const { journal } = await place.open();
    for (let lsn = 1; lsn <= 20; lsn += 1) await append(journal, [entry(0, lsn), entry(1, lsn)]);
    journal.retire([[0, 12]]);
    journal.retire([[1, 20]]);
    const shards = journal.status().shards.map((shard) => shard.projectedLsn);
    assert.deepEqual(shards, [12, 20, 0, 0]);
    const { recovered } = await place.open([
      [0, 12],
      [1, 20],
    ]);
    assert.deepEqual(placesOf(recovered), lsns(13, 20));
  });

  check(
    "closed with nothing left, it opens empty, wherever PostgreSQL is",
    async (place, entry) => {
      const { journal } = await place.open();
      await append(journal, [entry(0, 1)]);
      journal.retire([[0, 1]]);
      journal.close();
      await place.closed(journal);
      const { recovered, report } = await place.open([[0, 500]]);
      assert.deepEqual(recovered, []);
      assert.equal(report.verdict, "empty");
    },
  );

  check("closed with something left, it keeps that", async (place, entry) => {
    const { journal } = await place.open();
    await append(journal, [entry(0, 1), entry(0, 2)]);
    journal.retire([[0, 1]]);
    journal.close();
    await place.closed(journal);
    assert.deepEqual(placesOf((await place.open([[0, 1]])).recovered), lsns(2, 2));
  });

  check(
    "frames and entries may be as big as the limits say",
    async (place, entry) => {
      const { journal } = await place.open();
      const half = FRAME_PAYLOAD_BYTES_MAX / 2 - ENTRY_HEADER_BYTES;
      await append(journal, [entry(0, 1, ENTRY_BYTES_MAX)]);
      await append(journal, [entry(0, 2, half), entry(1, 1, half)]);
      await append(journal, [entry(0, 3, 2 * half)]);
      const { recovered } = await place.open([[0, 1]]);
      assert.deepEqual(sorted(placesOf(recovered)), [...lsns(2, 3), [1, 1]]);
      for (const chunk of recovered) assert(chunk.length <= FRAME_PAYLOAD_BYTES_MAX);
    },
    { big: true },
  );

  check("without room it says so, and goes on when there is some", async (place, entry) => {
    const { journal } = await place.open();
    const roomSeen: boolean[] = [];
    journal.listenForRoom(() => roomSeen.push(journal.isFull));
    const giveRoom = await place.obstruct();
    let durable = 0;
    let begun = 0;
    const next = (): boolean =>
      journal.append([entry(0, begun + 1, 3_000)], () => {
        durable += 1;
      });
    // As far as it goes.
    while (durable === begun && next()) begun += 1;
    await until("the journal is full", () => journal.isFull, WAIT_MS_MAX);
    assert.equal(journal.status().full, true);
    await giveRoom();
    journal.retryRoom();
    await until("there is room", () => !journal.isFull && durable === begun, WAIT_MS_MAX);
    assert.deepEqual(roomSeen.slice(0, 2), [true, false]);
    assert(next());
    await until("the last is durable", () => durable === begun + 1, WAIT_MS_MAX);
    assert.deepEqual(placesOf((await place.open()).recovered), lsns(1, begun + 1));
  });

  check("the status counts frames and entries", async (place, entry) => {
    const { journal } = await place.open();
    const before = journal.status();
    await append(journal, [entry(0, 1), entry(0, 2), entry(1, 1)]);
    const { frames, entries, full, shards } = journal.status();
    assert.deepEqual([frames - before.frames, entries - before.entries, full], [1, 3, false]);
    assert.deepEqual(shards[0], { shard: 0, durableLsn: 2, projectedLsn: 0 });
  });

  for (let seed = 1; seed <= RUNS; seed += 1) {
    check(`no life loses or repeats anything (SEED=${seed})`, async (place, entry) => {
      await liveAtRandom(place, entry, new Random(seed));
    });
  }
}

/** Entries of one shard. */
function entriesOf(chunks: readonly Uint8Array[], shard: number): Buffer {
  const found: Buffer[] = [];
  for (const chunk of chunks) {
    const bytes = Buffer.from(chunk);
    for (let at = 0; at < bytes.length; ) {
      const end = at + ENTRY_HEADER_BYTES + bytes.readUInt32LE(at);
      if (bytes.readUInt16LE(at + 4) === shard) found.push(bytes.subarray(at, end));
      at = end;
    }
  }
  return Buffer.concat(found);
}

/** Appends, projects, crashes, closes and opens in any order, beside a model of two numbers. */
async function liveAtRandom(
  place: JournalPlace,
  entry: typeof anyEntry,
  random: Random,
): Promise<void> {
  const durable = new Array<number>(SHARDS).fill(0);
  const projected = new Array<number>(SHARDS).fill(0);
  const watermarks = (): [number, number][] => projected.map((lsn, shard) => [shard, lsn]);
  const reopen = async (): Promise<FrameJournal> => {
    const { journal, recovered } = await place.open(watermarks());
    const expected = durable.flatMap((last, shard) => {
      const from = projected[shard] ?? 0;
      return Array.from({ length: last - from }, (_, index) => [shard, from + 1 + index]);
    });
    assert.deepEqual(sorted(placesOf(recovered)), expected);
    return journal;
  };
  let journal = await reopen();
  for (let step = 0; step < STEPS; step += 1) {
    const kind = random.below(10);
    if (kind < 6) {
      const chunks = Array.from({ length: 1 + random.below(5) }, () => {
        const shard = random.below(SHARDS);
        const lsn = (durable[shard] ?? 0) + 1;
        durable[shard] = lsn;
        return entry(shard, lsn, random.below(1_500));
      });
      await append(journal, chunks);
    } else if (kind < 8) {
      for (let shard = 0; shard < SHARDS; shard += 1) {
        const from = projected[shard] ?? 0;
        projected[shard] = from + random.below((durable[shard] ?? 0) - from + 1);
      }
      journal.retire(watermarks());
    } else {
      if (kind === 9) {
        journal.close();
        await place.closed(journal);
      }
      journal = await reopen();
    }
  }
  await reopen();
}
