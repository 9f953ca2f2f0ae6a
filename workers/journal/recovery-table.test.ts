/**
 * The truth table at the top of recovery.ts, row by row: one journal built by hand for each, and a
 * proof that no row and no code is left out. What may vary within a row is in recovery.test.ts.
 */
import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
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
import { type Recovery, readJournal, verdictOf } from "./recovery.ts";
import { CORRUPTION_CODES, type CorruptionCode, JournalCorrupt } from "./recovery-errors.ts";
import { SEGMENT_HEADER_BYTES, segmentName } from "./segment.ts";

type Files = readonly (readonly [sequence: number, bytes: Buffer])[];
type Watermarks = readonly (readonly [shard: number, lsn: number])[];

interface Refused {
  readonly files: Files;
  readonly watermarks?: Watermarks;
  /** Where the finding is reported. */
  readonly at: readonly [sequence: number, offset: number];
}

interface Accepted {
  readonly files: Files;
  readonly watermarks?: Watermarks;
  readonly leftover?: string;
  readonly verdict: "empty" | "clean" | "torn tail";
  readonly recovered: readonly (readonly [shard: number, lsn: number])[];
}

/** Segment 1: a base, lsn 1 of shard 0, lsn 2; with the offset of each frame and of their end. */
function first(): { builder: JournalBuilder; bytes: Buffer; at: readonly number[] } {
  const builder = new JournalBuilder();
  const frames = [NO_BASE, { entries: [entry(0, 1)] }, { entries: [entry(0, 2)] }];
  const bytes = builder.segment(1, frames);
  return { builder, bytes, at: [...builder.offsets] };
}

function flipped(bytes: Buffer, at: number): Buffer {
  const damaged = Buffer.from(bytes);
  damaged[at] = (damaged[at] ?? 0) ^ 0x04;
  return damaged;
}

const ACCEPTED: Readonly<Record<string, () => Accepted>> = {
  "no segment that was ever used": () => ({
    files: [[4, Buffer.alloc(SMALL_SEGMENT_BYTES)]],
    watermarks: [[0, 50]],
    verdict: "empty",
    recovered: [],
  }),
  "every frame valid, up to zeros or the end of each file": () => {
    const { builder, bytes, at } = first();
    const next = builder.segment(2, [{ base: new Map([[0, 2]]) }, { entries: [entry(0, 3)] }]);
    return {
      files: [
        [1, bytes.subarray(0, at[3])],
        [2, next],
      ],
      watermarks: [[0, 1]],
      verdict: "clean",
      recovered: [
        [0, 2],
        [0, 3],
      ],
    };
  },
  "the last used segment ends in a bad frame,": () => {
    const { bytes, at } = first();
    const torn = Buffer.from(bytes).fill(0, (at[3] ?? 0) - 5);
    return { files: [[1, torn]], verdict: "torn tail", recovered: [[0, 1]] };
  },
  "a leftover .tmp; trailing segments never used": () => {
    const { bytes } = first();
    const unused = new JournalBuilder().segment(2, []);
    return {
      files: [
        [1, bytes],
        [2, unused],
        [3, Buffer.alloc(SMALL_SEGMENT_BYTES)],
      ],
      leftover: `${segmentName(4)}.tmp`,
      watermarks: [[0, 2]],
      verdict: "clean",
      recovered: [],
    };
  },
  "segments before the origin of the last completed start": () => {
    const { builder, bytes, at } = first();
    const frames = [NO_BASE, { entries: [entry(0, 1), entry(0, 2)] }, { start: 2 }];
    const next = builder.segment(2, frames);
    const verdict = "clean";
    const recovered = [[0, 1] as const, [0, 2] as const];
    // The older one no longer counts, not even its damage.
    return {
      files: [
        [1, flipped(bytes, at[1] ?? 0)],
        [2, next],
      ],
      verdict,
      recovered,
    };
  },
  "entries at or below what their shard already showed": () => {
    const { builder, bytes } = first();
    const frames = [NO_BASE, { entries: [entry(0, 1)] }];
    const files = [[1, bytes] as const, [2, builder.segment(2, frames)] as const];
    const recovered = [[0, 1] as const, [0, 2] as const];
    return { files, verdict: "clean", recovered };
  },
};

const REFUSED: Readonly<Record<CorruptionCode, () => Refused>> = {
  journal_bad_header: () => {
    const { bytes } = first();
    return { files: [[1, flipped(bytes, 30)]], at: [1, 0] };
  },
  journal_missing_segment: () => {
    const { builder, bytes } = first();
    const third = builder.segment(3, [{ base: new Map([[0, 2]]) }]);
    const files = [[1, bytes] as const, [3, third] as const];
    return { files, at: [3, 0] };
  },
  journal_unused_segment_between: () => {
    const { builder, bytes } = first();
    const third = builder.segment(3, [{ base: new Map([[0, 2]]) }]);
    const second = new JournalBuilder().segment(2, []);
    const files = [[1, bytes] as const, [2, second] as const, [3, third] as const];
    return { files, at: [2, 0] };
  },
  journal_frame_after_bad: () => {
    const { bytes, at } = first();
    const [, bad = 0] = at;
    return { files: [[1, flipped(bytes, bad + 40)]], at: [1, bad] };
  },
  journal_bad_older_frame: () => {
    const { builder, bytes, at } = first();
    const [, , bad = 0] = at;
    const second = builder.segment(2, [{ base: new Map([[0, 2]]) }]);
    const files = [[1, flipped(bytes, bad + 40)] as const, [2, second] as const];
    return { files, at: [1, bad] };
  },
  journal_broken_chain: () => {
    const { builder, bytes, at } = first();
    const [, , gone = 0] = at;
    const second = builder.segment(2, [NO_BASE]);
    const files = [[1, bytes.fill(0, gone)] as const, [2, second] as const];
    return { files, at: [2, SEGMENT_HEADER_BYTES] };
  },
  journal_bad_payload: () => {
    const builder = new JournalBuilder();
    const bytes = builder.segment(1, [NO_BASE, { entries: [entry(0, 1)], entryCount: 3 }]);
    return { files: [[1, bytes]], at: [1, builder.offsets[1] ?? 0] };
  },
  journal_lsn_gap: () => {
    const builder = new JournalBuilder();
    const bytes = builder.segment(1, [NO_BASE, { entries: [entry(0, 1), entry(0, 3)] }]);
    return { files: [[1, bytes]], at: [1, builder.offsets[1] ?? 0] };
  },
  journal_lost_tail: () => {
    const { bytes, at } = first();
    const [, , torn = 0, end = 0] = at;
    const watermarks = [[0, 2] as const];
    return { files: [[1, bytes.fill(0, end - 5)]], watermarks, at: [1, torn] };
  },
  journal_ahead_of_database: () => {
    const bytes = new JournalBuilder().segment(7, [{ base: new Map([[3, 10]]) }]);
    return { files: [[7, bytes]], watermarks: [[3, 9]], at: [7, SEGMENT_HEADER_BYTES] };
  },
};

/** Recovers from the files, and checks that to read changed nothing. */
function recover(t: TestContext, { files, watermarks, leftover }: Partial<Accepted>): Recovery {
  const directory = temporaryDirectory(t);
  for (const [sequence, bytes] of files ?? []) writeSegment(directory, sequence, bytes);
  if (leftover !== undefined) writeFileSync(join(directory, leftover), "half");
  const before = contentOf(directory);
  try {
    return readJournal(new FsDisk(directory), new Map(watermarks));
  } finally {
    assert.deepEqual(contentOf(directory), before);
  }
}

for (const [row, build] of Object.entries(ACCEPTED)) {
  const { verdict } = build();
  test(`${row} → ${verdict}`, (t) => {
    const { recovered, ...expected } = build();
    const recovery = recover(t, expected);
    assert.equal(verdictOf(recovery), verdict);
    assert.deepEqual(placesOf(recovery.recovered), recovered);
  });
}

for (const code of CORRUPTION_CODES) {
  test(`${code} is refused, with file and offset, and nothing is changed`, (t) => {
    const { at, ...found } = REFUSED[code]();
    const [sequence, offset] = at;
    assert.throws(
      () => recover(t, found),
      (error: unknown) => {
        assert(error instanceof JournalCorrupt);
        const { code: given, file } = error;
        assert.deepEqual([given, file, error.offset], [code, segmentName(sequence), offset]);
        return true;
      },
    );
  });
}

test("every row of the truth table has its test, and every code its row", () => {
  const source = readFileSync(new URL("./recovery.ts", import.meta.url), "utf8");
  const [normal = "", refused = ""] = source
    .slice(0, source.indexOf("*/"))
    .split("refused, as JournalCorrupt");
  const rows = (text: string): string[] =>
    [...text.matchAll(/^ \* {3}(\S.*?)(?: {2,}|$)/gm)].flatMap(([, row]) => row ?? []);
  const [heading, ...accepted] = rows(normal);
  assert.equal(heading, "found");
  assert.deepEqual(accepted, Object.keys(ACCEPTED));
  assert.deepEqual(
    rows(refused).map((row) => `journal_${row}`),
    [...CORRUPTION_CODES],
  );
  assert.deepEqual(Object.keys(REFUSED), [...CORRUPTION_CODES]);
});

test("without watermarks, what only PostgreSQL could tell is not found", (t) => {
  for (const code of ["journal_lost_tail", "journal_ahead_of_database"] as const) {
    const directory = temporaryDirectory(t);
    for (const [sequence, bytes] of REFUSED[code]().files) writeSegment(directory, sequence, bytes);
    assert.doesNotThrow(() => readJournal(new FsDisk(directory), null));
  }
  const directory = temporaryDirectory(t);
  for (const [sequence, bytes] of REFUSED.journal_lsn_gap().files) {
    writeSegment(directory, sequence, bytes);
  }
  assert.throws(() => readJournal(new FsDisk(directory), null), JournalCorrupt);
});
