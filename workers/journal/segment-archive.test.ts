import assert from "node:assert/strict";
import { readdirSync, renameSync, statSync } from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
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
  SMALL_SEGMENT_BYTES,
  temporaryDirectory,
  writeSegment,
} from "../../tests/support/journal-fixture.ts";
import type { DiskFile, OpenMode } from "./disk.ts";
import { ENTRIES } from "./frame.ts";
import { FsDisk } from "./fs-disk.ts";
import { readJournal } from "./recovery.ts";
import { segmentName } from "./segment.ts";
import { archivedSegments } from "./segment-archive.ts";
import { readSegment } from "./segment-reading.ts";
import { discardSegments, InlineSegmentSupply } from "./segment-supply.ts";

const PLENTY = 1_000_000;

interface Warnings {
  readonly said: string[];
  readonly warn: (message: string) => void;
}

function warnings(): Warnings {
  const said: string[] = [];
  return { said, warn: (message) => said.push(message) };
}

const archivedIn = (directory: string): string[] =>
  archivedSegments(new FsDisk(directory)).map(({ name }) => name);
const segmentsIn = (directory: string): string[] =>
  readdirSync(directory)
    .filter((name) => name.endsWith(".seg"))
    .sort();

/** `[shard, lsn]` of every entry in a file. */
function placesIn(directory: string, name: string): [number, number][] {
  const reading = readSegment(Buffer.from(contentOf(directory).get(name) ?? "", "latin1"));
  assert(reading.kind === "clean", `${name} is ${reading.kind}`);
  const frames = reading.frames.filter(({ kind }) => kind === ENTRIES);
  return placesOf(frames.map(({ payload }) => payload));
}

const lsns = (from: number, to: number): [number, number][] =>
  Array.from({ length: to - from + 1 }, (_, index) => [0, from + index]);

/** Segments 1 to 3 with lsns 1 to 6 of shard 0, two in each. */
function threeSegments(t: TestContext): string {
  const directory = temporaryDirectory(t);
  const builder = new JournalBuilder();
  for (const sequence of [1, 2, 3]) {
    const base = new Map([[0, 2 * sequence - 2]]);
    const entries = [entry(0, 2 * sequence - 1), entry(0, 2 * sequence)];
    writeSegment(directory, sequence, builder.segment(sequence, [{ base }, { entries }]));
  }
  return directory;
}

test("a retired segment is archived, cut down to what was written of it", (t) => {
  const directory = temporaryDirectory(t);
  const archive = { bytesMax: PLENTY, ...warnings() };
  const { journal } = openJournal(directory, { archive });
  for (let lsn = 1; lsn <= 40; lsn += 1) assert(appended(journal, [entry(0, lsn, 1_000)]));
  journal.retire([[0, 40]]);
  journal.close();
  const left = segmentsIn(directory).map((name) => contentOf(directory).get(name) ?? "");
  const unused = left.every((bytes) => readSegment(Buffer.from(bytes, "latin1")).kind === "unused");
  assert(unused, "nothing is in the journal any more");
  const archived = archivedIn(directory);
  assert.deepEqual(
    archived.flatMap((name) => placesIn(directory, name)),
    lsns(1, 40),
  );
  for (const name of archived) {
    assert(statSync(join(directory, name)).size < SMALL_SEGMENT_BYTES, name);
  }
  assert.deepEqual(archive.said, []);
});

test("recovery does not look at the archive", (t) => {
  const directory = threeSegments(t);
  discardSegments(new FsDisk(directory), [1, 2], { bytesMax: PLENTY, ...warnings() });
  assert.equal(archivedIn(directory).length, 2);
  const recovery = readJournal(new FsDisk(directory), new Map([[0, 5]]));
  assert.deepEqual([recovery.used, placesOf(recovery.recovered)], [[3], [[0, 6]]]);
});

test("archived segments that are renamed back bring back what an older database lacks", (t) => {
  const directory = temporaryDirectory(t);
  const archive = { bytesMax: PLENTY, ...warnings() };
  const { journal } = openJournal(directory, { archive });
  for (let lsn = 1; lsn <= 40; lsn += 1) assert(appended(journal, [entry(0, lsn, 1_000)]));
  journal.retire([[0, 40]]);
  const archived = archivedIn(directory);
  assert(archived.length > 1);
  const older = new Map([[0, 3]]);
  const again = () => readJournal(new FsDisk(directory), older);
  for (const name of archived.reverse()) {
    assert.throws(again, { code: "journal_ahead_of_database" });
    const [segment = ""] = /^journal-\d+\.seg/.exec(name) ?? [];
    renameSync(join(directory, name), join(directory, segment));
  }
  assert.deepEqual(placesOf(again().recovered), lsns(4, 40));
  const { recovered } = openJournal(directory, { watermarks: older, archive });
  assert.deepEqual(placesOf(recovered), lsns(4, 40));
});

test("what a start has no more use for is archived too", (t) => {
  const directory = threeSegments(t);
  const watermarks = new Map([[0, 5]]);
  openJournal(directory, { watermarks, archive: { bytesMax: PLENTY, ...warnings() } });
  const facts = archivedIn(directory).flatMap((name) => placesIn(directory, name));
  assert.deepEqual(facts, lsns(1, 6));
});

test("without a size to keep, retired segments are removed, and the archive stays as it is", (t) => {
  const directory = threeSegments(t);
  discardSegments(new FsDisk(directory), [1], { bytesMax: PLENTY, ...warnings() });
  const before = archivedIn(directory);
  discardSegments(new FsDisk(directory), [2, 3]);
  assert.deepEqual(archivedIn(directory), before);
  assert.deepEqual(segmentsIn(directory), []);
});

test("a segment without entries is removed, not archived", (t) => {
  const directory = temporaryDirectory(t);
  writeSegment(directory, 1, new JournalBuilder().segment(1, [NO_BASE]));
  writeSegment(directory, 2, Buffer.alloc(SMALL_SEGMENT_BYTES));
  discardSegments(new FsDisk(directory), [1, 2], { bytesMax: PLENTY, ...warnings() });
  assert.deepEqual([...contentOf(directory).keys()], []);
});

test("a frame that ends in zeros is archived whole", (t) => {
  const directory = temporaryDirectory(t);
  const zeros = entry(0, 1, 500).fill(0, 32);
  writeSegment(directory, 1, new JournalBuilder().segment(1, [NO_BASE, { entries: [zeros] }]));
  discardSegments(new FsDisk(directory), [1], { bytesMax: PLENTY, ...warnings() });
  const [name = ""] = archivedIn(directory);
  assert.deepEqual(placesIn(directory, name), [[0, 1]]);
});

test("an archive above its size loses its oldest segments", (t) => {
  const directory = threeSegments(t);
  discardSegments(new FsDisk(directory), [1], { bytesMax: PLENTY, ...warnings() });
  const [name = ""] = archivedIn(directory);
  const { size } = statSync(join(directory, name));
  const archive = { bytesMax: 2 * size + 100, ...warnings() };
  discardSegments(new FsDisk(directory), [2, 3], archive);
  const facts = archivedIn(directory).flatMap((kept) => placesIn(directory, kept));
  assert.deepEqual(facts, lsns(3, 6));
  assert.deepEqual(archive.said, [], "that is no want of room");
});

test("segments of one number from two lives of a journal are kept side by side", (t) => {
  const directory = temporaryDirectory(t);
  const archive = { bytesMax: PLENTY, ...warnings() };
  for (const [life, lsn] of [1, 2].entries()) {
    const builder = new JournalBuilder(Buffer.alloc(16, life + 1));
    const base = new Map([[0, lsn - 1]]);
    writeSegment(directory, 1, builder.segment(1, [{ base }, { entries: [entry(0, lsn)] }]));
    discardSegments(new FsDisk(directory), [1], archive);
  }
  assert.equal(archivedIn(directory).length, 2);
});

for (const call of ["rename", "truncate", "datasync"] as const) {
  test(`no room for a ${call} removes what was to be archived, and says so`, (t) => {
    const directory = threeSegments(t);
    const disk = new InterceptedDisk(new FsDisk(directory), (made: DiskCall) => {
      if (made === call) throw outOfRoom();
    });
    const archive = { bytesMax: PLENTY, ...warnings() };
    discardSegments(disk, [1], archive);
    assert.deepEqual([...contentOf(directory).keys()], [segmentName(2), segmentName(3)]);
    assert.equal(archive.said.length, 1);
  });
}

for (const call of ["rename", "truncate", "datasync", "syncDirectory"] as const) {
  test(`a ${call} that fails while a segment is archived ends the process`, (t) => {
    const directory = threeSegments(t);
    let isBroken = false;
    const disk = new InterceptedDisk(new FsDisk(directory), (made: DiskCall) => {
      if (isBroken && made === call) throw brokenDisk();
    });
    const archive = { bytesMax: PLENTY, ...warnings() };
    const watermarks = new Map([[0, 6]]);
    const { journal } = openJournal(directory, { disk, watermarks, archive });
    assert(appended(journal, [entry(0, 7)]));
    journal.retire([[0, 7]]);
    isBroken = true;
    assert.throws(() => journal.close(), Died);
  });
}

test("the archive makes room for the next segment, the oldest first", (t) => {
  const directory = threeSegments(t);
  const archive = { bytesMax: PLENTY, ...warnings() };
  discardSegments(new FsDisk(directory), [1, 2], archive);
  const [, second] = archivedIn(directory);
  const disk = new InterceptedDisk(new FsDisk(directory), (call) => {
    if (call === "write" && archivedIn(directory).length > 1) throw outOfRoom();
  });
  const salt = (): Buffer => Buffer.alloc(16, 1);
  const supply = new InlineSegmentSupply(disk, salt, SMALL_SEGMENT_BYTES, archive);
  const outcomes: string[] = [];
  supply.prepare(4, (outcome) => outcomes.push(outcome));
  assert.deepEqual(outcomes, ["ready"]);
  assert.deepEqual(archivedIn(directory), [second]);
  assert.equal(archive.said.length, 1);
});

test("the archive makes room for a start", (t) => {
  const directory = threeSegments(t);
  discardSegments(new FsDisk(directory), [1, 2], { bytesMax: PLENTY, ...warnings() });
  const disk = new InterceptedDisk(new FsDisk(directory), (call) => {
    if (call === "write" && archivedIn(directory).length > 0) throw outOfRoom();
  });
  // The last frame is written again before anything else, which takes no room on a real disk.
  discardSegments(new FsDisk(directory), [3]);
  openJournal(directory, { disk, watermarks: new Map([[0, 6]]) });
  assert.deepEqual(archivedIn(directory), []);
});

/** Before the call that is its turn, somebody removes what is archived. */
class TidiedDisk extends FsDisk {
  readonly #directory: string;
  #callsLeft: number;

  constructor(directory: string, callsLeft: number) {
    super(directory);
    this.#directory = directory;
    this.#callsLeft = callsLeft;
  }

  override list(): string[] {
    return this.#then(super.list.bind(this));
  }

  override open(name: string, mode: OpenMode): DiskFile {
    return this.#then(() => super.open(name, mode));
  }

  override unlink(name: string): void {
    this.#then(() => super.unlink(name));
  }

  override rename(from: string, to: string): void {
    this.#then(() => super.rename(from, to));
  }

  get isDone(): boolean {
    return this.#callsLeft <= 0;
  }

  #then<T>(call: () => T): T {
    this.#callsLeft -= 1;
    if (this.#callsLeft === 0) {
      for (const name of archivedIn(this.#directory)) super.unlink(name);
    }
    return call();
  }
}

for (const bytesMax of [1, PLENTY]) {
  test(`archived files may be removed by hand at any moment (${bytesMax} bytes are kept)`, (t) => {
    for (let calls = 1, isDone = true; isDone; calls += 1) {
      const directory = threeSegments(t);
      discardSegments(new FsDisk(directory), [1], { bytesMax: PLENTY, ...warnings() });
      const archive = { bytesMax, ...warnings() };
      const disk = new TidiedDisk(directory, calls);
      discardSegments(disk, [2], archive);
      assert.deepEqual([segmentsIn(directory), archive.said], [[segmentName(3)], []]);
      isDone = disk.isDone;
    }
  });
}

test("archiving that is cut short at any step loses no fact, and leaves a journal that opens", (t) => {
  const steps = discardCutShortAt(Number.POSITIVE_INFINITY);
  assert(steps >= 8);
  for (let step = 1; step <= steps; step += 1) discardCutShortAt(step);

  /** The number of disk calls that it took, or was allowed to. */
  function discardCutShortAt(step: number): number {
    const directory = threeSegments(t);
    let calls = 0;
    const disk = new InterceptedDisk(new FsDisk(directory), () => {
      calls += 1;
      if (calls >= step) throw brokenDisk();
    });
    const archive = { bytesMax: PLENTY, ...warnings() };
    const discard = (): void => discardSegments(disk, [1, 2], archive);
    if (step === Number.POSITIVE_INFINITY) discard();
    else assert.throws(discard);
    openJournal(directory, { watermarks: new Map([[0, 4]]), archive });
    const facts = archivedIn(directory).flatMap((name) => placesIn(directory, name));
    assert.deepEqual(facts, lsns(1, 6), `cut short at call ${step}`);
    return calls;
  }
});
