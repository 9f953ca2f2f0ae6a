import assert from "node:assert/strict";
import { test } from "node:test";
import { OutputGate, RoundOutput } from "./round.ts";

/** A gate, and the ids of the answers that have left it, one list a release. */
function gate(): { gate: OutputGate; released: number[][] } {
  const released: number[][] = [];
  const opened = new OutputGate((output) => released.push(output.answers.map(({ id }) => id)));
  return { gate: opened, released };
}

function output(...ids: number[]): RoundOutput {
  const round = new RoundOutput();
  for (const id of ids) round.answer(id, 0, { kind: "unchanged" });
  return round;
}

test("an output waits for its ticket", () => {
  const { gate: opened, released } = gate();
  opened.hold(1, output(1), 100);
  assert.equal(opened.durable(0), null);
  assert.deepEqual(released, []);
  assert.equal(opened.durable(1), 100);
  assert.deepEqual(released, [[1]]);
});

test("outputs leave in the order of their rounds, those of one sync together", () => {
  const { gate: opened, released } = gate();
  for (const n of [1, 2, 3]) opened.hold(n, output(10 * n, 10 * n + 1), n);
  assert.equal(opened.durable(2), 1, "the oldest round's beginning");
  opened.durable(3);
  assert.deepEqual(released, [
    [10, 11, 20, 21],
    [30, 31],
  ]);
  assert.equal(opened.depth, 0);
});

test("an output without facts leaves at once when nothing waits", () => {
  const { gate: opened, released } = gate();
  opened.pass(output(1));
  assert.deepEqual(released, [[1]]);
});

test("an output without facts waits for the newest facts that it may rest on", () => {
  const { gate: opened, released } = gate();
  opened.hold(1, output(1), 0);
  opened.hold(2, output(2), 0);
  opened.pass(output(3));
  opened.durable(1);
  assert.deepEqual(released, [[1]]);
  opened.durable(2);
  assert.deepEqual(released, [[1], [2, 3]]);
});

test("an empty output never leaves", () => {
  const { gate: opened, released } = gate();
  opened.pass(new RoundOutput());
  assert.deepEqual(released, []);
});

test("a durable ticket that nobody waits for changes nothing", () => {
  const { gate: opened, released } = gate();
  opened.hold(1, output(1), 0);
  opened.durable(1);
  assert.equal(opened.durable(1), null);
  assert.equal(opened.durable(7), null);
  assert.equal(released.length, 1);
});
