import assert from "node:assert/strict";
import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { EVENT_ID } from "../../../engine/testing/fixtures.ts";
import {
  contentOf,
  entry,
  JournalBuilder,
  NO_BASE,
  temporaryDirectory,
  writeSegment,
} from "../../../tests/support/journal-fixture.ts";
import { FsDisk } from "../fs-disk.ts";
import { segmentName } from "../segment.ts";
import { archivedSegments, retireSegment } from "../segment-archive.ts";
import { type InspectRecord, inspect, lineOf } from "./inspect.ts";
import { ReadOnly, ReadOnlyDisk } from "./read-only-disk.ts";
import { entriesEach, KEY, soldEvent } from "./testing/sold-event.ts";
import type { InspectOptions } from "./tool-arguments.ts";

const ALL: InspectOptions = { segment: null, entries: false, shard: null, eventId: null };

/** Segment 1 with a sale in shard 3 and a foreign entry in shard 0; segment 2 unused. */
function journal(t: TestContext): { directory: string; bytes: Buffer; offsets: number[] } {
  const builder = new JournalBuilder();
  const facts = entriesEach(soldEvent().facts, { shard: 3, firstLsn: 11 });
  const bytes = builder.segment(1, [
    { base: new Map([[3, 10]]) },
    { entries: facts.slice(0, 3) },
    { entries: [entry(0, 1), ...facts.slice(3)] },
    { start: 1 },
  ]);
  const directory = temporaryDirectory(t);
  writeSegment(directory, 1, bytes);
  writeSegment(directory, 2, new JournalBuilder().segment(2, []));
  return { directory, bytes, offsets: builder.offsets };
}

/** Inspects, and checks that to look changed nothing. */
function look(directory: string, options: Partial<InspectOptions> = {}): InspectRecord[] {
  const before = contentOf(directory);
  try {
    return [...inspect(new ReadOnlyDisk(directory), { ...ALL, ...options })];
  } finally {
    assert.deepEqual(contentOf(directory), before);
  }
}

const kindsOf = (records: readonly InspectRecord[]): string[] => records.map(({ kind }) => kind);

test("every segment and every frame has a line that says what is in it", (t) => {
  const { directory, bytes, offsets } = journal(t);
  const [base = 0, first = 0, second = 0, start = 0, end = 0] = offsets;
  const salt = "07".repeat(16);
  const size = `bytes=${bytes.length}`;
  const sizes = [`bytes=${second - first}`, `bytes=${start - second}`];
  const segment = `sequence=1 state=used ${size} written=${end - trailingZeros(bytes, end)}`;
  assert.deepEqual(look(directory).map(lineOf), [
    `segment ${segmentName(1)} ${segment} salt=${salt}`,
    `frame offset=${base} number=1 kind=base entries=0 bytes=${first - base} crc=ok lsns=3:10`,
    `frame offset=${first} number=2 kind=entries entries=3 ${sizes[0]} crc=ok lsns=3:11-13`,
    `frame offset=${second} number=3 kind=entries entries=6 ${sizes[1]} crc=ok lsns=0:1,3:14-18`,
    `frame offset=${start} number=4 kind=start entries=0 bytes=${end - start} crc=ok origin=1`,
    `segment ${segmentName(2)} sequence=2 state=unused ${size} written=44 salt=${salt}`,
  ]);
});

function trailingZeros(bytes: Buffer, end: number): number {
  let zeros = 0;
  while (bytes[end - 1 - zeros] === 0) zeros += 1;
  return zeros;
}

test("with entries, every fact is one line that grep finds by its event, seq, kind and key", (t) => {
  const { directory } = journal(t);
  const lines = look(directory, { entries: true }).map(lineOf);
  const facts = lines.filter((line) => line.includes(`event=${EVENT_ID}`));
  assert.equal(facts.length, 8);
  assert.match(
    facts[2] ?? "",
    /^entry shard=3 lsn=13 epoch=1 at=20\d\d-\S+Z event=\S+ seq=3 fact=held key=\S+$/,
  );
  assert(facts[2]?.endsWith(`key=${KEY.digest}/${KEY.fingerprint}`));
  assert.deepEqual(
    facts.map((line) => /fact=(\w+)/.exec(line)?.[1]),
    ["configured", "held", "held", "booked", "holdEnded", "held", "bookingChanged", "holdEnded"],
  );
});

test("an entry that is no fact this program knows is shown as unreadable", (t) => {
  const lines = look(journal(t).directory, { entries: true, shard: 0 }).map(lineOf);
  assert.match(lines[2] ?? "", /^entry shard=0 lsn=1 .* event=- seq=- fact=unreadable$/);
});

test("a shard or an event shows only the frames and entries that belong to it", (t) => {
  const { directory } = journal(t);
  const ofShard = look(directory, { shard: 0 });
  assert.deepEqual(kindsOf(ofShard), ["segment", "frame", "segment"]);
  const ofEvent = look(directory, { eventId: EVENT_ID, entries: true, segment: 1 });
  assert.equal(ofEvent.filter(({ kind }) => kind === "entry").length, 8);
  assert.deepEqual(kindsOf(look(directory, { shard: 9, segment: 1 })), ["segment"]);
});

test("one segment alone can be asked for", (t) => {
  const records = look(journal(t).directory, { segment: 2 });
  assert.deepEqual(kindsOf(records), ["segment"]);
});

test("a bad frame is shown with what is behind it, and reading goes on there", (t) => {
  const { directory, bytes, offsets } = journal(t);
  const [, first = 0, second = 0] = offsets;
  bytes[first + 50] = (bytes[first + 50] ?? 0) ^ 1;
  writeSegment(directory, 1, bytes);
  const records = look(directory, { segment: 1 });
  assert.deepEqual(kindsOf(records), ["segment", "frame", "bad", "frame", "frame"]);
  const [, , bad] = records;
  const expected = { kind: "bad", file: segmentName(1), offset: first, bytes: second - first };
  assert.deepEqual(bad, { ...expected, isLast: false });

  writeSegment(directory, 1, bytes.fill(0, second));
  const torn = look(directory, { segment: 1 }).at(-1);
  assert(torn?.kind === "bad" && torn.isLast);
  assert.match(lineOf(torn), /nothing valid is behind them/);
});

test("a bad header, a short file and a foreign one do not stop the others", (t) => {
  const { directory, bytes } = journal(t);
  bytes[10] = 9;
  writeSegment(directory, 1, bytes);
  writeFileSync(join(directory, segmentName(3)), "short");
  writeFileSync(join(directory, "notes.txt"), "not ours");
  const lines = look(directory).map(lineOf);
  assert.equal(lines.length, 3);
  assert.match(lines[0] ?? "", /state=bad_header .*: the header's crc is wrong$/);
  assert.match(lines[2] ?? "", /state=bad_header .*: the file is shorter than a segment's header$/);
});

test("a frame whose payload is cut short shows how many entries are whole", (t) => {
  const directory = temporaryDirectory(t);
  const cut = { entries: [entry(0, 1), entry(0, 2).subarray(0, 35)] };
  writeSegment(directory, 1, new JournalBuilder().segment(1, [NO_BASE, cut]));
  assert.match(look(directory).map(lineOf)[2] ?? "", / entries=2 whole_entries=1 /);
});

test("archived segments come first, under their own names", (t) => {
  const { directory } = journal(t);
  const disk = new FsDisk(directory);
  retireSegment(disk, 1, { bytesMax: 1_000_000, warn: () => undefined });
  const [archived] = archivedSegments(disk);
  const [first] = look(directory);
  assert(first?.kind === "segment" && first.archived);
  assert.deepEqual([first.file, first.state, first.sequence], [archived?.name, "used", 1]);
});

test("a segment that goes away between the listing and the reading is said to be gone", (t) => {
  const { directory } = journal(t);
  const records = inspect(new ReadOnlyDisk(directory), ALL);
  records.next();
  rmSync(join(directory, segmentName(2)));
  const [last] = [...records].slice(-1);
  assert(last?.kind === "segment");
  assert.equal(last.state, "gone");
});

test("the disk that the tool looks at can't be changed through it", (t) => {
  const { directory } = journal(t);
  const before = contentOf(directory);
  const disk = new ReadOnlyDisk(directory);
  const file = disk.open(segmentName(1), "update");
  assert.throws(() => file.write(Buffer.from("x"), 0));
  assert.throws(() => file.truncate(0));
  file.close();
  assert.throws(() => disk.open("new", "create"), ReadOnly);
  assert.throws(() => disk.rename(segmentName(1), "other"), ReadOnly);
  assert.throws(() => disk.unlink(segmentName(1)), ReadOnly);
  assert.throws(() => disk.syncDirectory(), ReadOnly);
  assert.deepEqual(contentOf(directory), before);
});
