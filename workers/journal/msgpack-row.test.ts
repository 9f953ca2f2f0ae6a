import assert from "node:assert/strict";
import { test } from "node:test";
import { Packr } from "msgpackr";
import { encodeFact } from "../../engine/fact-codec.ts";
import { ALICE, EVENT_ID, EventBench } from "../../engine/testing/fixtures.ts";
import { EntryWriter, readEntry } from "./entry.ts";
import { NOT_WRITTEN, RowReader, writeRow } from "./msgpack-row.ts";

const packr = new Packr({ useRecords: false, variableMapSize: true });
const AT = 5;

function written(value: unknown, room = 4_096): Buffer | null {
  const bytes = Buffer.alloc(room);
  const end = writeRow(new DataView(bytes.buffer, bytes.byteOffset, room), AT, value);
  return end === NOT_WRITTEN ? null : bytes.subarray(AT, end);
}

const EDGES = [0, 0x7f, 0x80, 0xff, 0x100, 0xffff, 0x1_0000, 0xffff_ffff, 0x1_0000_0000];
const NUMBERS = [...EDGES, 1_800_000_000_123, Number.MAX_SAFE_INTEGER, 0.5, 1e300, -1, -32];
const TEXTS = [0, 1, 31, 32, 36, 255].map((length) => "x".repeat(length));
const ROWS = [[], [null, true, false], [[1, [2, "three"]], "four"], Array.from({ length: 16 })];

test("what is written is what msgpackr writes", () => {
  const rows = ROWS.map((row) => row.map((value) => value ?? 7));
  for (const value of [...NUMBERS, ...TEXTS, ...rows, null, true, Array(300).fill("place")]) {
    assert.deepEqual(written(value), Buffer.from(packr.pack(value)), JSON.stringify(value));
  }
});

test("what was written is read, and nothing else is taken for it", () => {
  const reader = new RowReader();
  const begun = (value: unknown): RowReader => {
    reader.begin(written(value) ?? Buffer.alloc(0), 0);
    return reader;
  };
  for (const value of NUMBERS) assert.equal(begun(value).number(), value);
  for (const value of TEXTS) assert.equal(begun(value).text(), value);
  for (const length of [0, 1, 15, 16, 300]) {
    assert.equal(begun(Array(length).fill(0)).array(), length);
  }
  begun([1, ["two", 3e9], "four"]);
  const read = [reader.array(), reader.number(), reader.array(), reader.text(), reader.number()];
  assert.deepEqual([...read, reader.text()], [3, 1, 2, "two", 3e9, "four"]);
  for (const value of ["x", [1], null, true]) assert.ok(Number.isNaN(begun(value).number()));
  for (const value of [7, [1], null, 0.5]) assert.equal(begun(value).text(), null);
  for (const value of [7, "x", null, 0.5]) assert.equal(begun(value).array(), -1);
});

test("what ends too early, or is of no kind that is written, is told from all else", () => {
  const reader = new RowReader();
  const row = written([1, 0x80, 0x100, 0x1_0000, 1e300, "x".repeat(40), [2], null, "y"]);
  assert.ok(row);
  const all = (bytes: Buffer, end = bytes.length): unknown[] => {
    reader.begin(bytes, 0, end);
    const read: unknown[] = [reader.array()];
    for (let n = 0; n < 5; n += 1) read.push(reader.number());
    read.push(reader.skipText(), reader.array(), reader.number(), reader.null(), reader.text());
    return read;
  };
  assert.deepEqual(all(row), [9, 1, 0x80, 0x100, 0x1_0000, 1e300, 23, 1, 2, true, "y"]);
  for (let end = 0; end < row.length; end += 1) {
    for (const read of [all(row.subarray(0, end)), all(row, end)]) {
      assert.ok(read[0] === -1 || read.at(-1) === null, `${end}`);
    }
  }
  for (const head of [0xca, 0xcf, 0xd0, 0xd1, 0xd2, 0xd3, 0xdd, 0xc1]) {
    for (const bytes of [Buffer.from([head]), Buffer.from([head, ...Array(20).fill(0xce)])]) {
      reader.begin(bytes, 0);
      assert.ok(Number.isNaN(reader.number()));
      reader.begin(bytes, 0);
      assert.deepEqual([reader.array(), reader.text()], [-1, null]);
    }
  }
});

test("what it can't write, and what has no room, it leaves to others", () => {
  const others = ["ä", "x".repeat(256), -33, -0.5, -0x8000_0000, {}, undefined, new Uint8Array(1)];
  for (const value of others) {
    assert.equal(written(value), null);
    assert.equal(written([1, [value]]), null);
  }
  for (let room = AT; room < AT + 40; room += 1)
    assert.equal(written(["x".repeat(36)], room), null);
});

test("facts of all kinds are read as they were written, whichever way it was", () => {
  const bench = new EventBench({ perOrderMax: 10, perUserMax: 1_000 });
  for (let n = 0; n < 3; n += 1) {
    const command = bench.bookCommand(bench.held([n, -1]));
    bench.run(n === 1 ? { ...command, email: "änn☃@example.org" } : command);
  }
  bench.run(bench.joinCommand(2, ALICE));
  const writer = new EntryWriter();
  const many = Array.from({ length: 40 }, () => bench.facts).flat();
  for (const [lsn, fact] of many.entries()) {
    writer.write({ shard: 1, lsn, epoch: 2, atMs: fact.atMs }, EVENT_ID, fact);
  }
  const bytes = Buffer.from(writer.take());
  let at = 0;
  for (const [lsn, fact] of many.entries()) {
    const entry = readEntry(bytes, at);
    assert.deepEqual(
      { ...entry, fact: encodeFact(entry.fact) },
      {
        shard: 1,
        lsn,
        epoch: 2,
        atMs: fact.atMs,
        eventId: EVENT_ID,
        fact: encodeFact(fact),
      },
    );
    at += 32 + bytes.readUInt32LE(at);
  }
  assert.equal(at, bytes.length);
});
