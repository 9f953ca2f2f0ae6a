import assert from "node:assert/strict";
import { renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import {
  contentOf,
  entry,
  JournalBuilder,
  NO_BASE,
  placesOf,
  SMALL_SEGMENT_BYTES,
  temporaryDirectory,
  writeSegment,
} from "../../tests/support/journal-fixture.ts";
import { FsDisk } from "./fs-disk.ts";
import { type LastLsns, type Recovery, readJournal } from "./recovery.ts";
import { JournalCorrupt } from "./recovery-errors.ts";
import { SEGMENT_HEADER_BYTES, segmentName } from "./segment.ts";

const NOTHING: LastLsns = new Map();

/** Reads the journal, and checks that to read changed nothing. */
function recover(directory: string, watermarks = NOTHING): Recovery {
  const before = contentOf(directory);
  try {
    return readJournal(new FsDisk(directory), watermarks);
  } finally {
    assert.deepEqual(contentOf(directory), before);
  }
}

function refuses(
  directory: string,
  expected: { code: string; sequence: number; offset: number; watermarks?: LastLsns },
): void {
  const file = segmentName(expected.sequence);
  assert.throws(
    () => recover(directory, expected.watermarks),
    (error: unknown) => {
      assert(error instanceof JournalCorrupt);
      assert.deepEqual(
        { code: error.code, file: error.file, offset: error.offset },
        { code: expected.code, file, offset: expected.offset },
      );
      assert(error.message.includes(`${file} at offset ${expected.offset}`));
      return true;
    },
  );
}

/** Segment 1 with lsns 1 to 4 of shard 0 in two frames, of shard 1 lsn 1. */
function twoFrames(t: TestContext): {
  directory: string;
  builder: JournalBuilder;
  bytes: Buffer;
  second: number;
  end: number;
} {
  const builder = new JournalBuilder();
  const bytes = builder.segment(1, [
    NO_BASE,
    { entries: [entry(0, 1), entry(0, 2), entry(1, 1)] },
    { entries: [entry(0, 3), entry(0, 4)] },
  ]);
  const [, , second = 0, end = 0] = builder.offsets;
  const directory = temporaryDirectory(t);
  writeSegment(directory, 1, bytes);
  return { directory, builder, bytes, second, end };
}

test("empty: a directory without segments recovers to nothing", (t) => {
  const recovery = recover(temporaryDirectory(t), new Map([[0, 50]]));
  assert.deepEqual(recovery.recovered, []);
  assert.deepEqual(recovery.last, new Map([[0, 50]]));
  assert.equal(recovery.tornTail, null);
});

test("clean: everything above the watermarks is recovered, in order", (t) => {
  const { directory } = twoFrames(t);
  const recovery = recover(directory, new Map([[0, 1]]));
  assert.deepEqual(placesOf(recovery.recovered), [
    [0, 2],
    [1, 1],
    [0, 3],
    [0, 4],
  ]);
  assert.deepEqual([...recovery.last].sort(), [
    [0, 4],
    [1, 1],
  ]);
  assert.equal(recovery.tornTail, null);
  assert.equal(recovery.entries, 5);
  assert.equal(recovery.entriesRecovered, 4);
});

test("clean: what PostgreSQL has is not recovered", (t) => {
  const { directory } = twoFrames(t);
  const watermarks = new Map([
    [0, 4],
    [1, 1],
  ]);
  assert.deepEqual(recover(directory, watermarks).recovered, []);
});

test("clean: a last frame that ends in zeros is whole", (t) => {
  const builder = new JournalBuilder();
  const zeros = entry(0, 1);
  zeros.fill(0, 32);
  const directory = temporaryDirectory(t);
  writeSegment(directory, 1, builder.segment(1, [NO_BASE, { entries: [zeros] }]));
  assert.equal(recover(directory).tornTail, null);
});

test("clean: a chain that goes on in the next segment", (t) => {
  const { directory, builder } = twoFrames(t);
  const base = new Map([
    [0, 4],
    [1, 1],
  ]);
  writeSegment(directory, 2, builder.segment(2, [{ base }, { entries: [entry(1, 2)] }]));
  assert.equal(recover(directory).entries, 6);
});

test("clean: a journal whose older segments are retired, with watermarks far beyond them", (t) => {
  const builder = new JournalBuilder();
  builder.chain = { number: 900, crc: 77 };
  const base = new Map([
    [0, 4_000],
    [9, 12],
  ]);
  const directory = temporaryDirectory(t);
  writeSegment(directory, 8, builder.segment(8, [{ base }, { entries: [entry(0, 4_001)] }]));
  const recovery = recover(directory, new Map(base));
  assert.deepEqual(placesOf(recovery.recovered), [[0, 4_001]]);
  assert.equal(recovery.chain.number, 902);
});

test("unused: a prepared next segment is normal, whether headed, all zero or half-made", (t) => {
  const { directory } = twoFrames(t);
  const unused = new JournalBuilder().segment(2, []);
  writeFileSync(join(directory, `${segmentName(2)}.tmp`), unused.subarray(0, 99));
  assert.deepEqual(recover(directory).unused, []);
  writeSegment(directory, 2, unused);
  assert.deepEqual(recover(directory).unused, [2]);
  writeSegment(directory, 2, Buffer.alloc(SMALL_SEGMENT_BYTES));
  assert.deepEqual(recover(directory).unused, [2]);
  assert.deepEqual(recover(directory).used, [1]);
});

test("torn tail: a last frame cut at any byte leaves the frames before it", (t) => {
  const { directory, bytes, second, end } = twoFrames(t);
  for (let cut = second + 1; cut < end; cut += 1) {
    const torn = Buffer.from(bytes);
    torn.fill(0, cut);
    writeSegment(directory, 1, torn);
    const recovery = recover(directory);
    assert.equal(recovery.entries, 3, `cut at ${cut}`);
    assert.equal(recovery.tornTail?.offset, second);
    writeSegment(directory, 1, bytes.subarray(0, cut));
    assert.equal(recover(directory).entries, 3, `file ends at ${cut}`);
  }
});

test("torn tail: a last frame whose beginning never reached the disk", (t) => {
  const { directory, bytes, second, end } = twoFrames(t);
  bytes.fill(0, second, end - 4);
  writeSegment(directory, 1, bytes);
  assert.deepEqual(recover(directory).tornTail?.offset, second);
});

test("torn tail: a bit flipped anywhere in the last frame", (t) => {
  const { directory, bytes, second, end } = twoFrames(t);
  for (let at = second; at < end; at += 1) {
    const torn = Buffer.from(bytes);
    torn[at] = (torn[at] ?? 0) ^ 0x10;
    writeSegment(directory, 1, torn);
    const recovery = recover(directory);
    assert.equal(recovery.entries, 3, `byte ${at}`);
    assert.equal(recovery.tornTail?.offset, second);
  }
});

test("torn tail: the first frame of the last segment", (t) => {
  const { directory, builder } = twoFrames(t);
  const torn = builder.segment(2, [{ base: new Map([[0, 4]]) }]);
  torn.fill(0, SEGMENT_HEADER_BYTES + 20);
  writeSegment(directory, 2, torn);
  const recovery = recover(directory);
  assert.equal(recovery.entries, 5);
  assert.equal(recovery.tornTail?.sequence, 2);
});

test("frame_after_bad: a bit flipped anywhere in a frame that another one follows", (t) => {
  const { directory, bytes, builder, second } = twoFrames(t);
  const first = builder.offsets[1] ?? 0;
  for (let at = first; at < second; at += 1) {
    const damaged = Buffer.from(bytes);
    damaged[at] = (damaged[at] ?? 0) ^ 0x01;
    writeSegment(directory, 1, damaged);
    refuses(directory, { code: "journal_frame_after_bad", sequence: 1, offset: first });
  }
});

test("bad_older_frame: a torn frame in a segment that another one follows", (t) => {
  const { directory, bytes, builder, second } = twoFrames(t);
  writeSegment(directory, 2, builder.segment(2, [{ base: new Map() }]));
  bytes.fill(0, second + 10);
  writeSegment(directory, 1, bytes);
  refuses(directory, { code: "journal_bad_older_frame", sequence: 1, offset: second });
});

test("bad_header: a header that is damaged, or of another segment", (t) => {
  const { directory, bytes } = twoFrames(t);
  const damaged = Buffer.from(bytes);
  damaged[20] = 1;
  writeSegment(directory, 1, damaged);
  refuses(directory, { code: "journal_bad_header", sequence: 1, offset: 0 });
  writeSegment(directory, 1, bytes);
  renameSync(join(directory, segmentName(1)), join(directory, segmentName(2)));
  refuses(directory, { code: "journal_bad_header", sequence: 2, offset: 0 });
});

test("missing_segment: a gap in the sequence numbers", (t) => {
  const { directory, builder } = twoFrames(t);
  writeSegment(directory, 3, builder.segment(3, [NO_BASE]));
  refuses(directory, { code: "journal_missing_segment", sequence: 3, offset: 0 });
});

test("unused_segment_between: a segment without frames, before one with frames", (t) => {
  const { directory, builder } = twoFrames(t);
  writeSegment(directory, 2, new JournalBuilder().segment(2, []));
  writeSegment(directory, 3, builder.segment(3, [NO_BASE]));
  refuses(directory, { code: "journal_unused_segment_between", sequence: 2, offset: 0 });
});

test("broken_chain: an older segment that lost its last frame to zeros", (t) => {
  const { directory, bytes, builder, second } = twoFrames(t);
  writeSegment(directory, 2, builder.segment(2, [NO_BASE]));
  bytes.fill(0, second);
  writeSegment(directory, 1, bytes);
  const offset = SEGMENT_HEADER_BYTES;
  refuses(directory, { code: "journal_broken_chain", sequence: 2, offset });
});

test("broken_chain: a frame with the right number after another frame than it was written", (t) => {
  const { directory, builder } = twoFrames(t);
  builder.chain = { number: builder.chain.number, crc: 1 };
  writeSegment(directory, 2, builder.segment(2, [NO_BASE]));
  const offset = SEGMENT_HEADER_BYTES;
  refuses(directory, { code: "journal_broken_chain", sequence: 2, offset });
});

test("bad_payload: a valid frame that does not hold what its header says", (t) => {
  const directory = temporaryDirectory(t);
  const specs = [
    { entries: [entry(0, 1)], entryCount: 2 },
    { entries: [entry(0, 1).subarray(0, 20)] },
    { entries: [entry(0, 1).subarray(0, 35)] },
  ];
  for (const spec of specs) {
    const builder = new JournalBuilder();
    writeSegment(directory, 1, builder.segment(1, [NO_BASE, spec]));
    const offset = builder.offsets[1] ?? 0;
    refuses(directory, { code: "journal_bad_payload", sequence: 1, offset });
  }
  writeSegment(directory, 1, new JournalBuilder().segment(1, [{ entries: [entry(0, 1)] }]));
  const offset = SEGMENT_HEADER_BYTES;
  refuses(directory, { code: "journal_bad_payload", sequence: 1, offset });
});

test("lsn_gap: entries of a shard that do not follow each other, or their base", (t) => {
  const directory = temporaryDirectory(t);
  const builder = new JournalBuilder();
  const frames = [NO_BASE, { entries: [entry(0, 1), entry(0, 3)] }];
  writeSegment(directory, 1, builder.segment(1, frames));
  const offset = builder.offsets[1] ?? 0;
  refuses(directory, { code: "journal_lsn_gap", sequence: 1, offset });

  const other = new JournalBuilder();
  writeSegment(directory, 1, other.segment(1, [NO_BASE, { entries: [entry(0, 1)] }]));
  writeSegment(directory, 2, other.segment(2, [{ base: new Map([[0, 2]]) }]));
  const baseAt = SEGMENT_HEADER_BYTES;
  refuses(directory, { code: "journal_lsn_gap", sequence: 2, offset: baseAt });
});

test("duplicates: entries that were rewritten by a start that was cut short count once", (t) => {
  const { directory, builder } = twoFrames(t);
  const frames = [{ base: new Map([[0, 2]]) }, { entries: [entry(1, 1), entry(0, 3)] }];
  writeSegment(directory, 2, builder.segment(2, frames));
  assert.deepEqual(placesOf(recover(directory, new Map([[0, 2]])).recovered), [
    [1, 1],
    [0, 3],
    [0, 4],
  ]);
});

test("completed start: what is before its origin does not count, half removed or not", (t) => {
  const { directory, builder } = twoFrames(t);
  const watermarks = new Map([[0, 2]]);
  const rewritten = { entries: [entry(0, 3), entry(0, 4), entry(1, 1)] };
  const frames = [{ base: watermarks }, rewritten, { start: 3 }, { entries: [entry(1, 2)] }];
  const older = builder.segment(2, [{ base: new Map([[0, 4]]) }]);
  writeSegment(directory, 3, builder.segment(3, frames));
  const expected = [
    [0, 3],
    [0, 4],
    [1, 1],
    [1, 2],
  ];
  // Segment 1 is gone already; the base of segment 2 is beyond the watermark.
  rmSync(join(directory, segmentName(1)));
  writeSegment(directory, 2, older);
  assert.deepEqual(placesOf(recover(directory, watermarks).recovered), expected);
  assert.deepEqual(recover(directory, watermarks).used, [2, 3]);
  rmSync(join(directory, segmentName(2)));
  assert.deepEqual(placesOf(recover(directory, watermarks).recovered), expected);
});

test("lost_tail: PostgreSQL has an entry of the torn frame", (t) => {
  const { directory, bytes, second, end } = twoFrames(t);
  bytes.fill(0, end - 3);
  writeSegment(directory, 1, bytes);
  const watermarks = new Map([[0, 3]]);
  refuses(directory, { code: "journal_lost_tail", sequence: 1, offset: second, watermarks });
  assert.equal(recover(directory, new Map([[0, 2]])).tornTail?.offset, second);
});

test("lost_tail: PostgreSQL has more of a shard than a journal that ends cleanly", (t) => {
  const { directory, end } = twoFrames(t);
  const watermarks = new Map([[1, 2]]);
  refuses(directory, { code: "journal_lost_tail", sequence: 1, offset: end, watermarks });
});

test("lost_tail: a shard of which no entry is left in the journal, but its base", (t) => {
  const builder = new JournalBuilder();
  const base = new Map([[4, 10]]);
  const directory = temporaryDirectory(t);
  const frames = [{ base }, { entries: [entry(0, 1)] }];
  writeSegment(directory, 5, builder.segment(5, frames));
  const offset = builder.offsets.at(-1) ?? 0;
  const watermarks = new Map([[4, 11]]);
  refuses(directory, { code: "journal_lost_tail", sequence: 5, offset, watermarks });
  assert.equal(recover(directory, base).entries, 1);
});

test("ahead_of_database: PostgreSQL lost what was retired because it had it", (t) => {
  const directory = temporaryDirectory(t);
  writeSegment(directory, 5, new JournalBuilder().segment(5, [{ base: new Map([[4, 10]]) }]));
  const code = "journal_ahead_of_database";
  const offset = SEGMENT_HEADER_BYTES;
  refuses(directory, { code, sequence: 5, offset, watermarks: new Map([[4, 9]]) });
  refuses(directory, { code, sequence: 5, offset });
});
