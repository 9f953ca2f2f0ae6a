import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { BROKEN_COPIES_MAX } from "../../engine/limits.ts";
import {
  appended,
  brokenDisk,
  contentOf,
  Died,
  type DiskCall,
  entry,
  InterceptedDisk,
  JournalBuilder,
  NO_BASE,
  openJournal,
  outOfRoom,
  placesOf,
  readSegmentFile,
  temporaryDirectory,
  writeSegment,
} from "../../tests/support/journal-fixture.ts";
import { FsDisk } from "./fs-disk.ts";
import { JournalCorrupt, JournalNoRoom } from "./recovery-errors.ts";
import { segmentName } from "./segment.ts";

const lsns = (from: number, to: number): [number, number][] =>
  Array.from({ length: to - from + 1 }, (_, index) => [0, from + index]);
const segmentsIn = (directory: string): string[] =>
  [...contentOf(directory).keys()].filter((name) => name.endsWith(".seg"));

test("what was appended is there after a crash", (t) => {
  const directory = temporaryDirectory(t);
  const { journal } = openJournal(directory);
  assert(appended(journal, [entry(0, 1), Buffer.concat([entry(0, 2), entry(5, 1)])]));
  assert(appended(journal, [entry(0, 3)]));
  const again = openJournal(directory, { watermarks: new Map([[0, 1]]) });
  assert.deepEqual(placesOf(again.recovered), [
    [0, 2],
    [5, 1],
    [0, 3],
  ]);
  assert.deepEqual([...again.journal.last].sort(), [
    [0, 3],
    [5, 1],
  ]);
  assert.equal(again.report.verdict, "clean");
});

test("recovered entries survive any number of crashes, and appending goes on behind them", (t) => {
  const directory = temporaryDirectory(t);
  assert(appended(openJournal(directory).journal, [entry(0, 1)]));
  for (let lsn = 2; lsn < 8; lsn += 1) {
    const { journal, recovered } = openJournal(directory);
    assert.deepEqual(placesOf(recovered), lsns(1, lsn - 1));
    assert(appended(journal, [entry(0, lsn)]));
  }
});

test("an append with a gap in its shard's lsns is a bug and ends the process", (t) => {
  const { journal } = openJournal(temporaryDirectory(t));
  assert.throws(() => appended(journal, [entry(0, 2)]), Died);
});

test("a full segment is followed by the prepared one, and recovery reads through both", (t) => {
  const directory = temporaryDirectory(t);
  const { journal } = openJournal(directory);
  for (let lsn = 1; lsn <= 40; lsn += 1) assert(appended(journal, [entry(0, lsn, 1_000)]));
  assert(journal.status().segments >= 4);
  assert.deepEqual(placesOf(openJournal(directory).recovered), lsns(1, 40));
});

test("a segment is retired when PostgreSQL has all its entries, and not before", (t) => {
  const directory = temporaryDirectory(t);
  const { journal } = openJournal(directory);
  for (let lsn = 1; lsn <= 40; lsn += 1) {
    assert(appended(journal, [entry(0, lsn, 1_000), entry(1, lsn)]));
  }
  const { segments } = journal.status();
  journal.retire([[0, 40]]);
  assert.equal(journal.status().segments, segments);
  journal.retire([[1, 39]]);
  assert(journal.status().segments <= 2);
  const watermarks = new Map([
    [0, 40],
    [1, 39],
  ]);
  assert.deepEqual(placesOf(openJournal(directory, { watermarks }).recovered), [[1, 40]]);
});

test("a journal that is closed with everything projected leaves no segment in use", (t) => {
  const directory = temporaryDirectory(t);
  const { journal } = openJournal(directory);
  assert(appended(journal, [entry(0, 1)]));
  journal.retire([[0, 1]]);
  journal.close();
  // Another adapter may have taken its turn: the watermark is beyond what this journal ever had.
  const { report } = openJournal(directory, { watermarks: new Map([[0, 500]]) });
  assert.equal(report.verdict, "empty");
});

test("a journal that is closed with something unprojected keeps it", (t) => {
  const directory = temporaryDirectory(t);
  const { journal } = openJournal(directory);
  assert(appended(journal, [entry(0, 1)]));
  journal.close();
  assert.deepEqual(placesOf(openJournal(directory).recovered), [[0, 1]]);
});

test("a torn tail is copied and cut off, and the next start finds a clean journal", (t) => {
  const directory = temporaryDirectory(t);
  const builder = new JournalBuilder();
  const frames = [NO_BASE, { entries: [entry(0, 1)] }, { entries: [entry(0, 2)] }];
  const bytes = builder.segment(1, frames);
  const [, , second = 0, end = 0] = builder.offsets;
  bytes.fill(0, end - 5);
  writeSegment(directory, 1, bytes);

  const { report, recovered } = openJournal(directory);
  assert.equal(report.verdict, "torn tail");
  assert.deepEqual(placesOf(recovered), [[0, 1]]);
  const copy = report.tornTail?.copy ?? "";
  assert.equal(contentOf(directory).get(copy), bytes.toString("latin1", second, end - 5));
  assert.equal(openJournal(directory).report.verdict, "clean");
});

test("a bounded number of torn tails is copied", (t) => {
  const directory = temporaryDirectory(t);
  for (let index = 0; index < BROKEN_COPIES_MAX; index += 1) {
    writeFileSync(join(directory, `${index}.broken`), "");
  }
  const bytes = new JournalBuilder().segment(1, [NO_BASE]);
  writeSegment(directory, 1, bytes.fill(0, 4_110));
  const { report } = openJournal(directory);
  assert.equal(report.verdict, "torn tail");
  assert.equal(report.tornTail?.copy, null);
});

test("a refused journal is left exactly as it was", (t) => {
  const directory = temporaryDirectory(t);
  const bytes = new JournalBuilder().segment(1, [NO_BASE, { entries: [entry(0, 1)] }]);
  bytes[4_100] = (bytes[4_100] ?? 0) ^ 1;
  writeSegment(directory, 1, bytes);
  writeFileSync(join(directory, `${segmentName(2)}.tmp`), "half");
  const before = contentOf(directory);
  assert.throws(() => openJournal(directory), JournalCorrupt);
  assert.deepEqual(contentOf(directory), before);
});

test("a start that is cut short at any step leaves a journal that recovers to the same", (t) => {
  const watermarks = new Map([[0, 3]]);
  const steps = recoverCutShortAt(Number.POSITIVE_INFINITY);
  assert(steps > 20);
  for (let step = 1; step <= steps; step += 1) recoverCutShortAt(step);

  /** The number of disk calls that the start made before it was cut short. */
  function recoverCutShortAt(step: number): number {
    const directory = temporaryDirectory(t);
    const builder = new JournalBuilder();
    const frames = (from: number): { entries: Buffer[] }[] =>
      Array.from({ length: 4 }, (_, index) => ({ entries: [entry(0, from + index, 3_000)] }));
    writeSegment(directory, 1, builder.segment(1, [NO_BASE, ...frames(1)], 20_000));
    const base = new Map([[0, 4]]);
    const torn = builder.segment(2, [{ base }, ...frames(5)], 20_000);
    writeSegment(directory, 2, torn.subarray(0, (builder.offsets.at(-1) ?? 0) - 100));

    let calls = 0;
    const disk = new InterceptedDisk(new FsDisk(directory), () => {
      calls += 1;
      if (calls >= step) throw brokenDisk();
    });
    if (step === Number.POSITIVE_INFINITY) {
      const { recovered } = openJournal(directory, { disk, watermarks });
      assert.deepEqual(placesOf(recovered), lsns(4, 7));
    } else {
      assert.throws(() => openJournal(directory, { disk, watermarks }), Died);
    }
    const { journal, recovered } = openJournal(directory, { watermarks });
    assert.deepEqual(placesOf(recovered), lsns(4, 7), `cut short at call ${step}`);
    assert(appended(journal, [entry(0, 8)]));
    return calls;
  }
});

for (const call of ["write", "datasync"] as const) {
  test(`a ${call} that fails ends the process, and the append is not confirmed`, (t) => {
    const directory = temporaryDirectory(t);
    let isBroken = false;
    const disk = new InterceptedDisk(new FsDisk(directory), (made: DiskCall) => {
      if (isBroken && made === call) throw brokenDisk();
    });
    const { journal } = openJournal(directory, { disk });
    isBroken = true;
    assert.throws(() => appended(journal, [entry(0, 1)]), Died);
  });
}

for (const call of ["rename", "syncDirectory", "datasync", "write"] as const) {
  test(`a ${call} that fails while a segment is prepared ends the process`, (t) => {
    const directory = temporaryDirectory(t);
    let isBroken = false;
    const disk = new InterceptedDisk(new FsDisk(directory), (made, name) => {
      const isPreparation = name === "" || name.endsWith(".tmp");
      if (isBroken && isPreparation && made === call) throw brokenDisk();
    });
    const { journal } = openJournal(directory, { disk });
    isBroken = true;
    const appendMuch = (): void => {
      for (let lsn = 1; lsn <= 40; lsn += 1) appended(journal, [entry(0, lsn, 1_000)]);
    };
    assert.throws(appendMuch, Died);
  });
}

test("no room for the next segment fills the journal, and room lets it go on", (t) => {
  const directory = temporaryDirectory(t);
  let isFull = true;
  const disk = new InterceptedDisk(new FsDisk(directory), (call, name) => {
    if (isFull && call === "write" && name === `${segmentName(2)}.tmp`) throw outOfRoom();
  });
  const { journal } = openJournal(directory, { disk });
  assert(journal.isFull);
  let changes = 0;
  journal.listenForRoom(() => {
    changes += 1;
  });

  let lsn = 1;
  while (appended(journal, [entry(0, lsn, 1_000)])) lsn += 1;
  assert(lsn > 5, "what is in flight still finds room");
  assert.equal(appended(journal, [entry(0, lsn, 1_000)]), false);
  assert.deepEqual(segmentsIn(directory), [segmentName(1)]);
  assert.equal([...contentOf(directory).keys()].length, 1, "nothing half-made takes up room");

  journal.retryRoom();
  assert.equal(changes, 0);
  isFull = false;
  journal.retryRoom();
  assert.equal(changes, 1);
  assert.equal(journal.isFull, false);
  assert(appended(journal, [entry(0, lsn, 1_000)]));
  assert.deepEqual(placesOf(openJournal(directory).recovered), lsns(1, lsn));
});

test("a disk that breaks while a full journal tries again ends the process", (t) => {
  const directory = temporaryDirectory(t);
  let fail = outOfRoom;
  const disk = new InterceptedDisk(new FsDisk(directory), (call, name) => {
    if (call === "write" && name === `${segmentName(2)}.tmp`) throw fail();
  });
  const { journal } = openJournal(directory, { disk });
  assert(journal.isFull);
  fail = brokenDisk;
  assert.throws(() => journal.retryRoom(), Died);
});

test("a start without room is refused by name", (t) => {
  const directory = temporaryDirectory(t);
  const disk = new InterceptedDisk(new FsDisk(directory), (call) => {
    if (call === "write") throw outOfRoom();
  });
  assert.throws(() => openJournal(directory, { disk }), JournalNoRoom);
});

test("a prepared segment is used by the next start", (t) => {
  const directory = temporaryDirectory(t);
  openJournal(directory);
  const prepared = readSegmentFile(directory, 2).subarray(0, 64);
  openJournal(directory);
  assert.deepEqual(readSegmentFile(directory, 2).subarray(0, 64), prepared);
  assert.deepEqual(segmentsIn(directory), [segmentName(2), segmentName(3)]);
});

test("the status counts what was written", (t) => {
  const { journal } = openJournal(temporaryDirectory(t), { watermarks: new Map([[3, 7]]) });
  const before = journal.status();
  assert(appended(journal, [entry(3, 8), entry(3, 9)]));
  const after = journal.status();
  assert.equal(after.frames - before.frames, 1);
  assert.equal(after.fsyncs - before.fsyncs, 1);
  assert.equal(after.entries - before.entries, 2);
  assert(after.offset > before.offset);
  assert.deepEqual(after.shards, [{ shard: 3, durableLsn: 9, projectedLsn: 7 }]);
});
