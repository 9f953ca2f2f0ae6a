import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { Line } from "./line.ts";

test("a line is a list, whatever comes and goes wherever", () => {
  const step = fc.record({ comes: fc.boolean(), pick: fc.nat(1_000) });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
      const line = new Line<number>();
      const list: number[] = [];
      for (const [n, { comes, pick }] of steps.entries()) {
        const place = pick % (list.length + 1);
        if (comes) {
          line.insert(place, n);
          list.splice(place, 0, n);
        } else {
          assert.equal(line.take(place), list.splice(place, 1)[0]);
        }
        assert.deepEqual([...line], list);
        assert.equal(line.count, list.length);
        assert.equal(line.at(place), list[place]);
        assert.equal(line.at(-1), undefined);
        assert.deepEqual(line.part(place, 3), list.slice(place, place + 3));
      }
    }),
  );
});

/** A line of so many, and how often one of them was put somewhere. */
function counted(count: number): { line: Line<number>; moves: () => number } {
  let moves = 0;
  const items = new Proxy<number[]>([...Array(count).keys()], {
    set: (target, key, value) => {
      moves += 1;
      return Reflect.set(target, key, value);
    },
  });
  return { line: new Line(items), moves: () => moves };
}

test("who goes from the front moves nobody else, however long the line", () => {
  const { line, moves } = counted(4_000);
  for (let n = 0; n < 4_000; n += 1) assert.equal(line.take(0), n);
  // Each is cleared, and moved when half of the line is gone; some more for the line's length.
  assert.ok(moves() < 4 * 4_000, `${moves()} moves`);
});

test("who comes or goes near an end moves only those between", () => {
  const { line, moves } = counted(4_000);
  for (let n = 0; n < 100; n += 1) {
    assert.equal(line.take(3), n + 3);
    line.take(line.count - 3);
    line.insert(line.count - 1, -1);
  }
  assert.ok(moves() < 100 * 20, `${moves()} moves`);
  const before = moves();
  for (let n = 0; n < 50; n += 1) line.insert(1, -2);
  assert.ok(moves() - before < 50 * 5, `${moves() - before} moves`);
});
