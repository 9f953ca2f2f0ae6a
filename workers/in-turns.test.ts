import assert from "node:assert/strict";
import { test } from "node:test";
import type { Steps } from "../engine/steps.ts";
import { Turns } from "./in-turns.ts";

/** Turns whose steps take a millisecond each, of a thread that does other things for `otherMs`. */
function bench(otherMs: number) {
  const state = { nowMs: 0, done: "" };
  const soon: (() => void)[] = [];
  const turns = new Turns({ monotonicMs: () => state.nowMs, soon: (run) => soon.push(run) });
  function* work(name: string, count: number): Steps<string> {
    for (let n = 0; n < count; n += 1) {
      state.nowMs += 1;
      state.done += name;
      if (n < count - 1) yield;
    }
    return name;
  }
  /** Other things, and then a turn. False: there was none. */
  const turn = (): boolean => {
    state.nowMs += otherMs;
    const run = soon.shift();
    run?.();
    return run !== undefined;
  };
  return { state, turns, work, turn, soon };
}

test("works take a step in rotation, and a turn has one of them at least", async () => {
  const { state, turns, work, turn, soon } = bench(0);
  const both = Promise.all([turns.run(work("a", 3)), turns.run(work("b", 2))]);
  assert.equal(state.done, "ab", "the first step is done at once");
  assert.equal(soon.length, 1, "they share their turns");
  for (const done of ["aba", "abab", "ababa"]) {
    assert.ok(turn());
    assert.equal(state.done, done);
  }
  assert.equal(turn(), false, "no turn is taken for nothing");
  assert.deepEqual(await both, ["a", "b"]);
});

test("in a busy thread they have a quarter of its time, and 10 ms in one turn at most", async () => {
  for (const [otherMs, perTurn] of [
    [12, 4],
    [1_000, 10],
  ] as const) {
    const { state, turns, work, turn } = bench(otherMs);
    const all = turns.run(work("a", 1_000));
    turn();
    for (let n = 0; n < 5; n += 1) {
      const before = state.done.length;
      turn();
      const steps = state.done.length - before;
      assert.ok(Math.abs(steps - perTurn) <= 1, `${steps} steps beside ${otherMs} ms`);
    }
    while (turn());
    assert.equal(await all, "a");
  }
});

test("who fails is told so, and the others go on", async () => {
  const { turns, work, turn } = bench(0);
  function* failing(): Steps<never> {
    yield;
    throw new Error("broken");
  }
  const failed = assert.rejects(turns.run(failing()), /broken/);
  const good = turns.run(work("a", 3));
  while (turn());
  await failed;
  assert.equal(await good, "a");
});
