import assert from "node:assert/strict";
import { test } from "node:test";
import { filesEndingIn, readSource } from "../support/source-scan.ts";

/** What runs the engine for the model's own tests. */
const BENCH = ["tests/model/judged-bench.ts", "tests/model/any-operation.ts"];
/** Constants and shapes: neither decides anything. */
const SHARED = ["engine/limits.ts", "engine/place.ts", "engine/unreachable.ts"];

test("the model shares types and bounds with the engine that it judges, but no rule", () => {
  const files = filesEndingIn(".ts").filter((path) => {
    return path.startsWith("tests/model/") && !path.endsWith(".test.ts") && !BENCH.includes(path);
  });
  assert.ok(files.length > 5);
  const values =
    /import (?!type )\{[^}]*\} from "\.\.\/\.\.\/((?:engine|workers|gateway)\/[^"]+)"/g;
  const used = files.flatMap((path) => [...readSource(path).text.matchAll(values)]);
  const names = new Set(used.map(([, name = ""]) => name));
  assert.deepEqual([...names].filter((name) => !SHARED.includes(name)).sort(), []);
});
