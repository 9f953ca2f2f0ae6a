import assert from "node:assert/strict";
import { test } from "node:test";
import { winnerOf } from "./winner.ts";

const count = (delivered: number, opens: number, clicks: number) => ({ delivered, opens, clicks });

test("the text with the best rate wins, not the one with the most readers", () => {
  const sample = [count(1_000, 30, 9), count(100, 20, 1), count(100, 10, 2)];
  const { winner, because } = winnerOf(sample, { winnerBy: "opens" });
  assert.deepEqual([winner, because], [1, "rate"]);
  assert.equal(winnerOf(sample, { winnerBy: "clicks" }).winner, 2);
});

test("of equal ones the other rate decides, then the order", () => {
  const opened = [count(100, 20, 1), count(200, 40, 4), count(100, 20, 2)];
  const { winner, because } = winnerOf(opened, { winnerBy: "opens" });
  assert.deepEqual([winner, because], [1, "tie"]);
  assert.equal(winnerOf([count(9, 3, 0), count(9, 3, 0)], { winnerBy: "opens" }).winner, 0);
});

test("too few say nothing: the first text goes on", () => {
  const sample = [count(10, 0, 0), count(10, 4, 4)];
  assert.deepEqual(winnerOf(sample, { winnerBy: "opens" }), {
    winner: 0,
    because: "too_few",
    sample,
  });
  assert.equal(winnerOf([count(0, 0, 0), count(10, 5, 0)], { winnerBy: "opens" }).winner, 1);
});
