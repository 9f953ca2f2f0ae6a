import assert from "node:assert/strict";
import { test } from "node:test";
import type { EventId } from "../../engine/ids.ts";
import { CopyRows } from "./copy-rows.ts";
import { RowMemory, rowMemory } from "./row-memory.ts";
import { insertion } from "./statement.ts";

test("what was given back is taken again, the smallest that will do", () => {
  const memory = new RowMemory();
  const [small, large] = [memory.take(1_000), memory.take(300_000)];
  assert.deepEqual([small.length, large.length], [65_536, 524_288]);
  memory.give(large.subarray(0, 10));
  memory.give(small.subarray(5));
  assert.equal(memory.take(65_537).buffer, large.buffer);
  assert.equal(memory.take(1).buffer, small.buffer);
  assert.notEqual(memory.take(1).buffer, small.buffer);
});

test("no more is kept than what two large transactions take", () => {
  const memory = new RowMemory();
  const taken = [9, 20, 3].map((mib) => memory.take(mib * 2 ** 20));
  for (const bytes of taken) memory.give(bytes);
  assert.deepEqual(
    taken.map(({ length }) => length / 2 ** 20),
    [16, 32, 4],
  );
  assert.equal(memory.take(4 * 2 ** 20).buffer, taken[2]?.buffer);
  assert.equal(memory.take(16 * 2 ** 20).buffer, taken[0]?.buffer);
  assert.notEqual(memory.take(20 * 2 ** 20).buffer, taken[1]?.buffer);
});

test("rows that outgrow their memory, and rows in memory that was used before, are the same", () => {
  const rowsOf = (count: number): Buffer => {
    const rows = new CopyRows(2);
    for (let n = 0; n < count; n += 1) rows.row().integer(n).text(`row ${n} `.repeat(20));
    return rows.finish();
  };
  const first = rowsOf(5_000);
  const expected = Buffer.from(first);
  rowMemory.give(first);
  const second = rowsOf(5_000);
  assert.equal(second.buffer, first.buffer);
  assert.ok(second.equals(expected));
  // Its memory is not given back, so nobody else writes into it.
  rowsOf(5_000);
  assert.ok(second.equals(expected));
});

test("an insertion takes what it writes, and without rows nothing that nobody would give back", () => {
  const all = rowMemory.take(1);
  rowMemory.give(all);
  const write = (into: CopyRows, n: number): void => {
    into.row().integer(n);
  };
  const named = { name: "insert-things", table: "things", columns: "n" };
  assert.deepEqual(insertion(named, [], write).copy.rows.length, 0);
  assert.equal(insertion(named, [1, 2, 3], write).copy.rows.buffer, all.buffer);
});

test("memory is not given back twice, and what is not from here is not kept", () => {
  const memory = new RowMemory();
  const taken = memory.take(1);
  memory.give(taken);
  assert.throws(() => memory.give(taken), /given back once/);
  for (const other of [Buffer.alloc(0), Buffer.from("of Node's own pool")]) memory.give(other);
  assert.equal(memory.take(1).buffer, taken.buffer);
  assert.equal(memory.take(1).length, 65_536);
});

test("an event's id is the same column in every row, however often the memory was too small", () => {
  const ids = [1, 2].map((n) => `018f3c9a-7b10-7000-8000-00000000000${n}` as EventId);
  const written = (column: "uuid" | "eventId"): Buffer => {
    const rows = new CopyRows(3);
    for (let n = 0; n < 4_000; n += 1) {
      // In runs of one to seven rows; what lies between differs in length.
      const id = ids[Math.floor(n / (1 + (n % 7))) % 2] ?? null;
      assert.ok(id);
      rows
        .row()
        .text("x".repeat(n % 50))
        [column](id)
        .integer(n);
    }
    return rows.finish();
  };
  assert.ok(written("eventId").equals(written("uuid")));
});
