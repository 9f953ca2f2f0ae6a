import assert from "node:assert/strict";
import * as fs from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { ConfigError } from "./config.ts";
import { prepareDataDir } from "./data-dir.ts";

test("a missing directory is made with those above it, and one that is there is left alone", (t) => {
  const parent = fs.mkdtempSync(join(tmpdir(), "evently-data-"));
  t.after(() => fs.rmSync(parent, { recursive: true }));
  const path = join(parent, "a/b/c");
  prepareDataDir(path);
  fs.writeFileSync(join(path, "kept"), "");
  prepareDataDir(path);
  assert.deepEqual(fs.readdirSync(path), ["kept"]);
});

test("what can't be a directory of ours is refused at once, by the variable's name", () => {
  for (const path of ["/dev/null/x", "/dev/null", "/proc/x", "/proc/x/y"]) {
    assert.throws(
      () => prepareDataDir(path),
      (error) =>
        error instanceof ConfigError &&
        /^DATA_DIR accepts .*: E(?:NOTDIR|NOENT|EXIST)\b[^\n]*$/.test(error.message),
      path,
    );
  }
});
