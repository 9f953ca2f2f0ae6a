import assert from "node:assert/strict";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { requireWritable } from "./output-files.ts";
import { UsageError } from "./scenario.ts";

test("a file that can't be written is a matter of usage, and nothing is changed by asking", (t) => {
  const directory = mkdtempSync(join(tmpdir(), "evently-outputs-"));
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  const [fresh, kept] = [join(directory, "fresh.json"), join(directory, "kept.json")];
  writeFileSync(kept, "a report");
  for (const path of [null, fresh, kept]) requireWritable("json", path);
  assert.ok(!existsSync(fresh));
  assert.equal(readFileSync(kept, "utf8"), "a report");
  for (const path of [join(directory, "nowhere", "x.json"), directory]) {
    assert.throws(
      () => requireWritable("json", path),
      (error) => error instanceof UsageError && error.message.includes(`--json can't be written`),
    );
  }
});
