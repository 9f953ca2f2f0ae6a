import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { apply } from "../../../engine/apply.ts";
import { EventState } from "../../../engine/event-state.ts";
import type { Fact } from "../../../engine/facts.ts";
import type { EventId } from "../../../engine/ids.ts";
import { type Snapshot, snapshotOf } from "../../../engine/snapshot.ts";
import { snapshotHash } from "../../../engine/snapshot-comparison.ts";
import { EVENT_ID, EventBench } from "../../../engine/testing/fixtures.ts";
import {
  JournalBuilder,
  NO_BASE,
  temporaryDirectory,
  writeSegment,
} from "../../../tests/support/journal-fixture.ts";
import { entriesOf } from "../../testing/entries.ts";
import type { Disk } from "../disk.ts";
import { FsDisk } from "../fs-disk.ts";
import { retireSegment } from "../segment-archive.ts";
import { ReadOnlyDisk } from "./read-only-disk.ts";
import { type Replayed, replay } from "./replay.ts";
import { factLine, reportLines, reportOf } from "./replay-report.ts";
import { entriesEach, KEY, soldEvent } from "./testing/sold-event.ts";
import { ToolError } from "./tool-errors.ts";

const OTHER = "018f3c9a-7b10-7000-8000-0007a4b1c2d4" as EventId;
const { facts } = soldEvent();

/** What selling itself had at a seq. */
function stateAt(seq: number): Snapshot {
  const state = new EventState();
  for (const fact of facts.slice(0, seq)) apply(state, fact);
  return snapshotOf(state);
}

/** A journal of one segment for each list, every fact in a frame of its own. */
function journalOf(t: TestContext, ...segments: (readonly Buffer[])[]): string {
  const directory = temporaryDirectory(t);
  for (const [index, entries] of segments.entries()) {
    const frames = entries.map((one) => ({ entries: [one] }));
    const bytes = new JournalBuilder().segment(index + 1, [NO_BASE, ...frames]);
    writeSegment(directory, index + 1, bytes);
  }
  return directory;
}

interface Asked {
  readonly untilSeq?: number;
  readonly atMs?: number;
  readonly rows?: Snapshot;
  readonly eventId?: EventId;
}

function replayed(disk: Disk | string, asked: Asked = {}): Promise<Replayed> {
  const { rows, eventId = EVENT_ID } = asked;
  const limits = { untilSeq: asked.untilSeq ?? null, atMs: asked.atMs ?? null };
  const source = typeof disk === "string" ? new ReadOnlyDisk(disk) : disk;
  return replay(source, { eventId, limits }, rows === undefined ? null : async () => rows);
}

const refused = (promise: Promise<Replayed>, code: string, message: RegExp): Promise<void> =>
  assert.rejects(promise, (error) => {
    assert(error instanceof ToolError);
    assert.equal(error.code, code);
    assert.match(error.message, message);
    return true;
  });

const hashOf = ({ state }: Replayed): string => snapshotHash(snapshotOf(state));

test("a replay has at every seq the very state that selling had", async (t) => {
  const directory = journalOf(t, entriesEach(facts));
  for (let seq = 1; seq <= facts.length; seq += 1) {
    const result = await replayed(directory, { untilSeq: seq });
    assert.equal(hashOf(result), snapshotHash(stateAt(seq)), `at seq ${seq}`);
    assert.equal(result.applied.length, seq);
  }
  assert.equal((await replayed(directory)).state.seq, facts.length);
});

test("a time stands for the last seq up to then", async (t) => {
  const directory = journalOf(t, entriesEach(facts));
  const atMs = facts[3]?.atMs ?? 0;
  assert.equal((await replayed(directory, { atMs })).state.seq, 4);
  assert.equal((await replayed(directory, { atMs: atMs - 1 })).state.seq, 3);
  assert.equal((await replayed(directory, { atMs, untilSeq: 2 })).state.seq, 2);
  assert.equal((await replayed(directory, { atMs, untilSeq: 7 })).state.seq, 4);
  assert.equal((await replayed(directory, { atMs: 0 })).state.seq, 0);
});

test("facts come from the archive and the journal, and what is in both counts once", async (t) => {
  const entries = entriesEach(facts);
  const directory = journalOf(t, entries.slice(0, 4), entries.slice(2, 6), entries.slice(5));
  retireSegment(new FsDisk(directory), 1, { bytesMax: 1_000_000, warn: () => undefined });
  assert.equal(hashOf(await replayed(directory)), snapshotHash(stateAt(facts.length)));
});

test("facts of other events are left out", async (t) => {
  const [configured] = new EventBench().facts;
  assert(configured !== undefined);
  const foreign = entriesOf([{ ...configured }], { eventId: OTHER, firstLsn: 1 });
  const directory = journalOf(t, [foreign, ...entriesEach(facts, { firstLsn: 2 })]);
  assert.equal(hashOf(await replayed(directory)), snapshotHash(stateAt(facts.length)));
  assert.equal((await replayed(directory, { eventId: OTHER })).state.seq, 1);
});

test("two different facts of one seq are refused, with the place of both", async (t) => {
  const entries = entriesEach(facts);
  const [, second] = facts;
  assert(second !== undefined);
  const forged: Fact = { ...second, atMs: second.atMs + 1 };
  const directory = journalOf(t, entries, entriesEach([forged], { firstLsn: 2 }));
  const places = /^seq 2 is two .* journal-0000000001.seg at .*lsn 2.* journal-0000000002.seg at /;
  await refused(replayed(directory), "facts_differ", places);
});

test("a fact that does not follow from those before it is refused by name", async (t) => {
  const [configured, held] = facts;
  assert(configured !== undefined && held !== undefined);
  const again: Fact = { ...held, seq: 3 };
  const directory = journalOf(t, entriesEach([configured, held, again]));
  await refused(replayed(directory), "fact_impossible", /^seq 3 \(held, in journal-/);
  assert.equal((await replayed(directory, { untilSeq: 2 })).state.seq, 2);
});

test("facts that are missing in between are named", async (t) => {
  const entries = entriesEach(facts);
  const directory = journalOf(t, [...entries.slice(0, 3), ...entries.slice(5)]);
  await refused(replayed(directory), "facts_missing", /^seq 4 to 5 are missing/);
  assert.equal((await replayed(directory, { untilSeq: 3 })).state.seq, 3);
  await refused(replayed(directory, { untilSeq: 4 }), "facts_missing", /^seq 4 is missing/);
});

test("a seq beyond the journal's end is refused", async (t) => {
  const directory = journalOf(t, entriesEach(facts));
  const seq = facts.length + 2;
  const message = new RegExp(`^seq ${seq - 1} to ${seq} are missing: the journal ends before`);
  await refused(replayed(directory, { untilSeq: seq }), "facts_missing", message);
});

test("without the beginning, the rows of PostgreSQL are the beginning", async (t) => {
  const directory = journalOf(t, entriesEach(facts.slice(3), { firstLsn: 4 }));
  await refused(replayed(directory), "facts_missing", /^seq 1 to 3 are missing: .*--database/);
  for (let seq = 3; seq <= facts.length; seq += 1) {
    const result = await replayed(directory, { rows: stateAt(seq) });
    assert.equal(hashOf(result), snapshotHash(stateAt(facts.length)), `on the rows at seq ${seq}`);
    assert.deepEqual([result.baseSeq, result.applied.length], [seq, facts.length - seq]);
  }
  const middle = await replayed(directory, { rows: stateAt(4), untilSeq: 6 });
  assert.equal(hashOf(middle), snapshotHash(stateAt(6)));
});

test("the rows help over a hole, and alone, but not back before themselves", async (t) => {
  const entries = entriesEach(facts);
  const holed = journalOf(t, [...entries.slice(0, 2), ...entries.slice(5)]);
  assert.equal((await replayed(holed, { rows: stateAt(6) })).state.seq, facts.length);
  const empty = temporaryDirectory(t);
  assert.equal((await replayed(empty, { rows: stateAt(5) })).state.seq, 5);

  const late = journalOf(t, entries.slice(3));
  const early = replayed(late, { rows: stateAt(5), untilSeq: 4 });
  await refused(early, "facts_missing", /PostgreSQL is at seq 5 already: seq 4 can't be told/);
  const unjoined = replayed(late, { rows: stateAt(2) });
  await refused(unjoined, "facts_missing", /^seq 3 is missing/);
  const noRows = replayed(late, { rows: snapshotOf(new EventState()) });
  await refused(noRows, "facts_missing", /^seq 1 to 3 are missing/);
});

test("a time is told on rows only if it is certainly not before them", async (t) => {
  const directory = journalOf(t, entriesEach(facts.slice(4)));
  const atMs = facts[5]?.atMs ?? 0;
  assert.equal((await replayed(directory, { rows: stateAt(5), atMs })).state.seq, 6);
  const known = await replayed(directory, { rows: stateAt(5), atMs: facts[4]?.atMs ?? 0 });
  assert.equal(known.state.seq, 5);
  const early = replayed(directory, { rows: stateAt(5), atMs: (facts[4]?.atMs ?? 0) - 1 });
  await refused(early, "facts_missing", /the state at that time can't be told/);
  const alone = replayed(temporaryDirectory(t), { rows: stateAt(5), atMs });
  await refused(alone, "facts_missing", /the state at that time can't be told/);
});

test("an event that nobody has a fact of is refused", async (t) => {
  const directory = journalOf(t, entriesEach(facts));
  await refused(replayed(directory, { eventId: OTHER }), "no_facts", /--database/);
});

test("a fact that is written while the journal is read is found in the end", async (t) => {
  const entries = entriesEach(facts);
  const directory = journalOf(t, [...entries.slice(0, 3), ...entries.slice(5)]);
  const files = new ReadOnlyDisk(directory);
  let lists = 0;
  const growing: Disk = {
    list: () => {
      lists += 1;
      if (lists === 3) writeSegment(directory, 2, wholeSegment(entries));
      return files.list();
    },
    open: (name, mode) => files.open(name, mode),
    rename: (from, to) => files.rename(from, to),
    unlink: (name) => files.unlink(name),
    syncDirectory: () => files.syncDirectory(),
  };
  assert.equal((await replayed(growing)).state.seq, facts.length);
});

function wholeSegment(entries: readonly Buffer[]): Buffer {
  return new JournalBuilder().segment(2, [NO_BASE, { entries }]);
}

test("the report tells totals, areas, seats, holds and bookings of the state", async (t) => {
  const result = await replayed(journalOf(t, entriesEach(facts)), { untilSeq: 6 });
  const report = reportOf(EVENT_ID, result);
  assert.deepEqual(report.total, { capacity: 15, free: 10, held: 3, sold: 2, blocked: 0 });
  assert.deepEqual(report.areas, [
    { key: "floor", capacity: 5, held: 2, sold: 0, blocked: 0, free: 3 },
  ]);
  assert.equal(report.seats, "ssfffhffff");
  assert.deepEqual([report.holds.length, report.bookings.length], [1, 1]);
  assert.equal(report.hash, snapshotHash(stateAt(6)));

  const text = [...reportLines(report, result.state.definition)].join("\n");
  assert.match(text, /state {5}at seq 6, 20\S+Z; 6 facts applied from its first fact/);
  assert.match(text, /all +15 +10 +3 +2 +0\n/);
  assert.match(text, /area floor +5 +3 +2 +0 +0\n/);
  assert.match(text, /\n {7}0 {2}ssfffhffff\n/);
  assert.match(text, /hold \S+ user \S+: seat 5, 2 × floor; /);
  assert.match(text, /booking \S+ user \S+ code \S+: seat 0, seat 1 for 9000 EUR minor units; /);
});

test("the timeline has one line for each fact, with its key", async (t) => {
  const { applied, state } = await replayed(journalOf(t, entriesEach(facts)));
  const lines = applied.map((fact) => factLine(fact, state.definition));
  const names = lines.map((line) => /^ +\d+ {2}\S+Z {2}(\w+) /.exec(line)?.[1]);
  const expected = ["configured", "held", "held", "booked", "released", "held", "cancelled"];
  assert.deepEqual(names, [...expected, "expired"]);
  assert(lines[2]?.endsWith(`(key ${KEY.digest})`));
  assert.match(lines[6] ?? "", /\(rain\): seat 0, seat 1$/);
});
