import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { parseArgs } from "node:util";
import { ROOT } from "../../bench/root.ts";
import { commandLine, type Ending, oneOf, readableFile, wholeNumber } from "./command-line.ts";

class Ended extends Error {
  readonly code: number;
  readonly said: string;
  constructor(code: number, said: string) {
    super(`ended with ${code}: ${said}`);
    this.code = code;
    this.said = said;
  }
}

function ended(args: string[]): Ended | object {
  let said = "";
  const ending: Ending = {
    say: (stream, text) => {
      said += `${stream}: ${text}`;
    },
    exit: (code) => {
      throw new Ended(code, said);
    },
  };
  const read = (given: string[]) => {
    const { values } = parseArgs({
      args: given,
      options: { count: { type: "string", default: "3" }, by: { type: "string", default: "sea" } },
    });
    return {
      count: wholeNumber("--count", values.count),
      by: oneOf("--by", values.by, ["land", "sea"]),
    };
  };
  try {
    return commandLine({ name: "count", usage: "\nCounts.\n" }, read, args, ending);
  } catch (error) {
    if (error instanceof Ended) return error;
    throw error;
  }
}

test("help is asked for, arguments are read, and what is wrong is one line and exit code 2", () => {
  assert.deepEqual(ended([]), { count: 3, by: "sea" });
  assert.deepEqual(ended(["--count", "7", "--by", "land"]), { count: 7, by: "land" });
  for (const help of [["--help"], ["-h"], ["--count", "x", "--help"]]) {
    assert.deepEqual(ended(help), new Ended(0, "stdout: Counts."));
  }
  const more = "\nmore: npm run count -- --help";
  const wrong: readonly (readonly [args: string[], what: RegExp])[] = [
    [["--count", "0"], /^stderr: --count is a whole number from 1 on, not "0"/],
    [["--count", "1e3"], /^stderr: --count is a whole number/],
    [["--by", "air"], /^stderr: --by is land or sea, not "air"/],
    [["--size", "1"], /^stderr: Unknown option '--size'/],
    [["--count"], /^stderr: Option '--count <value>' argument missing/],
    [["7"], /^stderr: Unexpected argument '7'/],
  ];
  for (const [args, what] of wrong) {
    const end = ended(args);
    assert.ok(end instanceof Ended && end.code === 2, args.join(" "));
    assert.match(end.said, what);
    assert.ok(end.said.endsWith(more));
  }
  assert.throws(() => readableFile("--check", "/nowhere/at/all"), /is not there$/);
});

interface Scripts {
  readonly scripts: Readonly<Record<string, string>>;
}
const { scripts } = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8")) as Scripts;
const TOOLS = ["torture", "crash", "fuzz", "bench:campaign", "simulate:planted"];

test("what is run by hand tells how, before it does anything", async () => {
  for (const name of TOOLS) {
    const file = readFileSync(join(ROOT, scripts[name]?.split(" ").at(-1) ?? ""), "utf8");
    assert.ok(file.includes(`npm run ${name} -- [`), `${name} has its usage`);
    assert.ok(file.includes(`commandLine({ name: "${name}", usage: USAGE }`), `${name} tells it`);
  }
  const [, ...words] = (scripts["simulate:planted"] ?? "").split(" ");
  const { code, said } = await new Promise<{ code: number | null; said: string }>((resolve) => {
    const args = [...words, "--no-such"];
    const child = execFile(process.execPath, args, { cwd: ROOT }, (_, out, err) => {
      resolve({ code: child.exitCode, said: out + err });
    });
  });
  assert.equal(code, 2, said);
  assert.match(said, /^Unknown option.*\nmore: npm run simulate:planted -- --help\n$/);
});
