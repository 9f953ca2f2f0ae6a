/**
 * The simulation in small: seeds that nobody has seen before, the same seed twice, and bugs that it
 * has to find. In processes of its own, whose unhandled rejections are its business.
 */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readFile } from "node:fs/promises";
import { test } from "node:test";
import { ROOT } from "../../bench/root.ts";
import { EVERY_BUG } from "./every-bug.ts";
import { hunt } from "./plant.ts";

const FRESH_SEEDS = 24;

function simulated(...args: string[]): { code: number | null; output: string } {
  const command = ["--import", "tsx", "tests/simulation/simulate.ts", ...args];
  const child = spawnSync(process.execPath, command, { cwd: ROOT, encoding: "utf8" });
  return { code: child.status, output: child.stdout + child.stderr };
}

test("seeds that nobody has seen before are simulated without a violation", (t) => {
  const { code, output } = simulated("--seeds", String(FRESH_SEEDS));
  t.diagnostic(output.trim());
  assert.equal(code, 0, output);
});

test("the same seed is the same run, and another one is not", () => {
  const [first, again] = [1, 2].map(() => simulated("--seed", "86", "--seeds", "2", "--json"));
  assert.equal(first?.code, 0, first?.output);
  const reportsOf = (output = ""): string[] =>
    output.split("\n").filter((line) => line.startsWith("{"));
  const [one, other] = reportsOf(first?.output);
  assert.deepEqual(reportsOf(again?.output), [one, other]);
  assert.notEqual(one, other?.replace(/"seed":\d+/, '"seed":86'));
});

test("a command that makes no sense is told so", () => {
  const { code, output } = simulated("--without", "rain");
  assert.equal(code, 2);
  assert.match(output, /there is no fault rain/);
});

// One of each kind; `npm run simulate:planted` hunts them all.
for (const name of [
  "a frame is acknowledged without its fdatasync",
  "recovery loses the last frame of the tail",
  "facts that are projected stay in the queue and are projected twice",
  "keys of holds do not survive a restart",
  "a late payment is both booked and refunded",
]) {
  test(`planted, and found: ${name}`, async (t) => {
    const bug = EVERY_BUG.find((each) => each.name === name);
    assert.ok(bug);
    const { seeds, found } = await hunt(bug, 100);
    t.diagnostic(`${found.slice(0, 120)} (seed ${seeds})`);
    assert.notEqual(seeds, null);
  });
}

test("every bug can be planted", async () => {
  assert.equal(new Set(EVERY_BUG.map(({ name }) => name)).size, EVERY_BUG.length);
  for (const { file, find } of EVERY_BUG) {
    const source = await readFile(`${ROOT}/${file}`, "utf8");
    assert.equal(source.split(find).length, 2, `${file} has it once: ${find}`);
  }
});
