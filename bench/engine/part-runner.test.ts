import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { runPart } from "./part-runner.ts";

const OPTIONS = { seconds: 0.01, searches: 1, seed: 1 };

test("a part is measured, one that fails says why, and neither leaves files", async (t) => {
  const directory = mkdtempSync(join(tmpdir(), "evently-part-"));
  const before = process.env.TMPDIR;
  process.env.TMPDIR = directory;
  t.after(() => {
    if (before === undefined) delete process.env.TMPDIR;
    else process.env.TMPDIR = before;
    rmSync(directory, { recursive: true });
  });
  const { figures, checks } = await runPart("the journal", OPTIONS);
  assert.ok(figures.length > 0 && checks.every(({ ok }) => ok));
  await assert.rejects(runPart("nothing", OPTIONS), /there is no part "nothing"/);
  const left = readdirSync(directory).filter((name) => name.startsWith("evently-"));
  assert.deepEqual(left, []);
});
