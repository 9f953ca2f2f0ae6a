import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import {
  contentOf,
  entry,
  JournalBuilder,
  NO_BASE,
  temporaryDirectory,
  writeSegment,
} from "../../../tests/support/journal-fixture.ts";
import type { LastLsns } from "../recovery.ts";
import { segmentName } from "../segment.ts";
import { ReadOnlyDisk } from "./read-only-disk.ts";
import { type Verdict, verdictLines, verify } from "./verify.ts";

function journal(t: TestContext): { directory: string; bytes: Buffer; offsets: number[] } {
  const builder = new JournalBuilder();
  const frames = [NO_BASE, { entries: [entry(0, 1), entry(1, 1)] }, { entries: [entry(0, 2)] }];
  const bytes = builder.segment(1, frames);
  const directory = temporaryDirectory(t);
  writeSegment(directory, 1, bytes);
  return { directory, bytes, offsets: builder.offsets };
}

/** Verifies, and checks that to look changed nothing. */
async function verdictOn(directory: string, watermarks: LastLsns | null = null): Promise<Verdict> {
  const before = contentOf(directory);
  const verdict = await verify(new ReadOnlyDisk(directory), async () => watermarks);
  assert.deepEqual(contentOf(directory), before);
  return verdict;
}

const textOf = (verdict: Verdict): string => verdictLines(verdict).join("\n");

test("an empty directory is an empty journal", async (t) => {
  const verdict = await verdictOn(temporaryDirectory(t));
  assert.equal(verdict.verdict, "empty");
  assert.match(textOf(verdict), /would begin a new journal$/);
});

test("a clean journal is told with what a start would do of it", async (t) => {
  const { directory } = journal(t);
  const watermarks = new Map([
    [0, 1],
    [1, 1],
  ]);
  const verdict = await verdictOn(directory, watermarks);
  assert(verdict.verdict === "clean");
  assert.equal(verdict.entriesRecovered, 1);
  const text = textOf(verdict);
  assert.match(text, /shard 0 +the journal reaches lsn 2, PostgreSQL has it to 1\n/);
  assert.match(text, /would write the 1 entries that PostgreSQL lacks into a segment/);
  assert.doesNotMatch(text, /not checked/);
  const all = new Map([
    [0, 2],
    [1, 1],
  ]);
  assert.match(textOf(await verdictOn(directory, all)), /would find everything in PostgreSQL/);
});

test("without watermarks, it is said that PostgreSQL's side was not checked", async (t) => {
  const directory = temporaryDirectory(t);
  const bytes = new JournalBuilder().segment(7, [{ base: new Map([[4, 10]]) }]);
  writeSegment(directory, 7, bytes);
  const verdict = await verdictOn(directory);
  assert.equal(verdict.verdict, "clean");
  assert.match(textOf(verdict), /not checked {2}whether PostgreSQL fits/);
  const known = await verdictOn(directory, new Map([[4, 9]]));
  assert(known.verdict === "corrupt" && known.code === "journal_ahead_of_database");
});

test("a torn tail is told with its place", async (t) => {
  const { directory, bytes, offsets } = journal(t);
  const [, , second = 0, end = 0] = offsets;
  writeSegment(directory, 1, bytes.fill(0, end - 5));
  const verdict = await verdictOn(directory);
  assert(verdict.verdict === "torn tail");
  const place = { file: segmentName(1), offset: second, bytes: end - 5 - second };
  assert.deepEqual(verdict.tornTail, place);
  assert.match(textOf(verdict), new RegExp(`torn tail +${place.file}, ${place.bytes} bytes from`));
});

test("corruption is told with its code, file, offset and reason", async (t) => {
  const { directory, bytes, offsets } = journal(t);
  const [, first = 0] = offsets;
  bytes[first + 40] = (bytes[first + 40] ?? 0) ^ 1;
  writeSegment(directory, 1, bytes);
  const verdict = await verdictOn(directory);
  assert(verdict.verdict === "corrupt");
  assert.deepEqual(
    [verdict.code, verdict.file, verdict.offset],
    ["journal_frame_after_bad", segmentName(1), first],
  );
  assert.match(textOf(verdict), /a start +would refuse, and change nothing/);
});

test("what looks corrupt because it changes while it is read is looked at again", async (t) => {
  const { directory, bytes, offsets } = journal(t);
  const [, first = 0] = offsets;
  const damaged = Buffer.from(bytes);
  damaged[first + 40] = (damaged[first + 40] ?? 0) ^ 1;
  writeSegment(directory, 1, damaged);
  let asked = 0;
  const verdict = await verify(new ReadOnlyDisk(directory), async () => {
    asked += 1;
    if (asked === 2) writeSegment(directory, 1, bytes);
    return null;
  });
  assert.equal(verdict.verdict, "clean");
});
