import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";

const LIST = new URL("./failure-list.mjs", import.meta.url).href;

/** What the list says of a file of tests. */
function listOf(path: string): Promise<string> {
  const { NODE_TEST_CONTEXT, NODE_OPTIONS, ...env } = process.env;
  const args = ["--test", `--test-reporter=${LIST}`, path];
  return new Promise((resolve) => {
    execFile(process.execPath, args, { env }, (_failed, stdout) => resolve(stdout));
  });
}

test("whatever failed stands on the last lines, and before it why; nothing else is said", async (t) => {
  const directory = mkdtempSync(join(tmpdir(), "evently-failures-"));
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  const path = join(directory, "some.test.mjs");
  const write = (bodies: readonly string[]): void =>
    writeFileSync(path, [`import { describe, it, test } from "node:test";`, ...bodies].join("\n"));
  write([`test("good", () => {});`]);
  assert.equal(await listOf(path), "");
  write([
    `test("good", () => {});`,
    `describe("suite", () => it("first", () => { throw new Error("this is why"); }));`,
    `test("later", { todo: true }, () => { throw new Error("not yet"); });`,
    `test("second", () => Promise.reject(new Error("x".repeat(10_000))));`,
  ]);
  const said = await listOf(path);
  assert.match(said, /this is why/);
  assert.doesNotMatch(said, /not yet/);
  assert.ok(said.length < 10_000);
  const headlines = said.trimEnd().split("\n").slice(-2);
  assert.deepEqual(
    headlines.map(
      (line) => /^FAILED TEST: (\w+) \(.*some\.test\.mjs\), after \d+ ms$/.exec(line)?.[1],
    ),
    ["first", "second"],
  );
});
