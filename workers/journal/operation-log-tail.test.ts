import assert from "node:assert/strict";
import { test } from "node:test";
import { entry, placesOf } from "../../tests/support/journal-fixture.ts";
import { MemoryLog } from "../testing/memory-log.ts";
import type { LogRow } from "./operation-log.ts";
import { type LogTail, readLogTail } from "./operation-log-tail.ts";

/** The epoch of whoever starts; rows are of earlier ones. */
const OURS = 3;

/** A row of shard 0. */
function row(firstLsn: number, lastLsn: number, { shard = 0, epoch = 1 } = {}): LogRow {
  const lsns = Array.from({ length: lastLsn - firstLsn + 1 }, (_, index) => firstLsn + index);
  const entries = lsns.map((lsn) => {
    const bytes = entry(shard, lsn);
    bytes.writeDoubleLE(epoch, 16);
    return bytes;
  });
  return { shard, epoch, firstLsn, lastLsn, entries: Buffer.concat(entries) };
}

interface Found {
  readonly rows: readonly LogRow[];
  /** [applied, end] of each shard; the end of `null` is not there. */
  readonly shards: readonly (readonly [applied: number, end: number | null])[];
  readonly epoch?: number;
}

function read({ rows, shards, epoch = OURS }: Found): Promise<LogTail> {
  const ends = shards.flatMap(([, lastLsn], shard) =>
    lastLsn === null ? [] : [{ shard, epoch, lastLsn }],
  );
  const log = new MemoryLog(ends);
  log.rows = [...rows];
  const owned = shards.map(([appliedLsn], shard) => ({ shard, epoch: OURS, appliedLsn }));
  return readLogTail(log, owned);
}

test("empty: no rows, or only such as PostgreSQL has, whatever they are", async () => {
  for (const rows of [[], [row(1, 3), row(2, 2)]]) {
    const tail = await read({ rows, shards: [[3, 3]] });
    assert.deepEqual([tail.rows, tail.recovered], [0, []]);
    assert.deepEqual(tail.last, new Map([[0, 3]]));
  }
});

test("clean: rows that follow each other, over pages and owners, from within one on", async () => {
  const rows = [
    row(1, 2),
    row(3, 5),
    row(6, 6),
    row(7, 7, { epoch: 2 }),
    row(8, 8, { epoch: 2 }),
    row(1, 1, { shard: 1 }),
  ];
  const shards = [
    [4, 8],
    [0, 1],
    [9, 9],
  ] as const;
  const tail = await read({ rows, shards });
  assert.deepEqual(placesOf(tail.recovered), [...[5, 6, 7, 8].map((lsn) => [0, lsn]), [1, 1]]);
  assert.deepEqual([tail.rows, tail.entries, tail.entriesRecovered], [5, 7, 5]);
  assert.deepEqual(
    tail.last,
    new Map([
      [0, 8],
      [1, 1],
      [2, 9],
    ]),
  );
});

const spoiled = (what: (bytes: Buffer) => Buffer): LogRow => {
  const good = row(2, 3);
  return { ...good, entries: what(Buffer.from(good.entries)) };
};

function withPatch(bytes: Buffer, patch: (bytes: Buffer) => void): Buffer {
  patch(bytes);
  return bytes;
}

const REFUSED: readonly (readonly [what: string, code: string, found: Found])[] = [
  ["a row is missing between two", "journal_lsn_gap", log1to3([row(1, 1), row(3, 3)])],
  ["a row is missing behind the watermark", "journal_lsn_gap", log1to3([row(2, 2), row(3, 3)])],
  ["two rows overlap", "journal_lsn_overlap", log1to3([row(1, 2), row(2, 3)])],
  [
    "a row of an older owner is behind",
    "journal_epoch_order",
    log1to3([row(1, 1, { epoch: 2 }), row(2, 3)]),
  ],
  [
    "a row is of an owner to come",
    "journal_epoch_order",
    log1to3([row(1, 3, { epoch: OURS + 1 })]),
  ],
  ["a row is behind the end", "journal_beyond_end", log1to3([row(1, 3), row(4, 4)])],
  ["a row reaches behind the end", "journal_beyond_end", log1to3([row(1, 4)])],
  ["the last row is missing", "journal_lost_tail", log1to3([row(1, 2)])],
  ["all rows are missing", "journal_lost_tail", log1to3([])],
  ["the end is before the watermark", "journal_lost_tail", { rows: [], shards: [[5, 4]] }],
  ["the end is missing", "journal_lost_tail", { rows: [], shards: [[0, null]] }],
  ["another process took over", "journal_fenced", { ...log1to3([row(1, 3)]), epoch: OURS + 1 }],
  ["a row lacks an entry", "journal_bad_payload", payload((b) => b.subarray(0, b.length / 2))],
  [
    "a row has an entry too many",
    "journal_bad_payload",
    payload((b) => Buffer.concat([b, entry(0, 4)])),
  ],
  ["an entry is cut off", "journal_bad_payload", payload((b) => b.subarray(0, b.length - 1))],
  ["a header is cut off", "journal_bad_payload", payload((b) => b.subarray(0, b.length / 2 + 9))],
  [
    "an entry is of another shard",
    "journal_bad_payload",
    payload((b) => withPatch(b, (bytes) => bytes.writeUInt16LE(1, 4))),
  ],
  [
    "an entry is of another owner",
    "journal_bad_payload",
    payload((b) => withPatch(b, (bytes) => bytes.writeDoubleLE(2, 16))),
  ],
  ["a row is empty", "journal_bad_payload", payload(() => Buffer.alloc(0))],
];

/** Rows of a shard whose log goes from 1 to 3. */
function log1to3(rows: readonly LogRow[]): Found {
  return { rows, shards: [[0, 3]] };
}

function payload(what: (bytes: Buffer) => Buffer): Found {
  return log1to3([row(1, 1), spoiled(what)]);
}

for (const [what, code, found] of REFUSED) {
  test(`refused: ${what}`, async () => {
    await assert.rejects(read(found), { code });
  });
}
