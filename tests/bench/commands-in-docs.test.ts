/** Every bench command that a document shows is one that the bench understands. */
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { parseCommand } from "../../bench/command-line.ts";
import { parseOverload } from "../../bench/overload-command.ts";
import { scenarioOf } from "../../bench/registry.ts";
import { ROOT } from "../../bench/root.ts";

/** With `--`, or by a script of package.json that names the scenario. */
const COMMAND = /npm run bench(?: -- |:)([a-z][a-z-]*)([^`#\n\\]*)/g;
/** A script of its own that takes nothing, and no scenario. */
const OTHER = "campaign";

function documents(): string[] {
  const docs = readdirSync(join(ROOT, "docs"), { recursive: true, encoding: "utf8" });
  return ["README.md", ...docs.map((name) => join("docs", name))].filter((name) =>
    name.endsWith(".md"),
  );
}

const textOf = (path: string): string => readFileSync(join(ROOT, path), "utf8");

/** `http://…` stands for any server. */
const argumentsOf = (text: string): string[] =>
  text
    .replace(/^ -- /, "")
    .replaceAll("http://…", "http://127.0.0.1:3000")
    .split(/\s+/)
    .filter((word) => word !== "");

test("the options that documents show are such that their scenario takes them", async () => {
  let commands = 0;
  for (const path of documents()) {
    for (const [shown, name = "", rest = ""] of textOf(path).matchAll(COMMAND)) {
      if (name === OTHER) continue;
      if (name === "overload") {
        assert.doesNotThrow(() => parseOverload(argumentsOf(rest)), `${path}: ${shown}`);
        continue;
      }
      const scenario = await scenarioOf(name);
      assert.ok(scenario !== null, `${path}: ${shown}`);
      const env = { BENCH_EMAIL: "a@example.org", BENCH_PASSWORD: "p" };
      assert.doesNotThrow(
        () => parseCommand(scenario, argumentsOf(rest), env),
        `${path}: ${shown}`,
      );
      commands += 1;
    }
  }
  assert.ok(commands > 20, `${commands} commands`);
});
