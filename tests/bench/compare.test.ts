/** The command as a load tester gives it, with little of everything. */
import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import * as fs from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import type { Report } from "../../bench/report/report.ts";
import { ROOT } from "../../bench/root.ts";
import { until } from "../support/server.ts";

let directory = "";
before(() => {
  directory = fs.mkdtempSync(join(tmpdir(), "evently-compare-"));
  // The database server's account has to get through.
  fs.chmodSync(directory, 0o755);
});
after(() => fs.rmSync(directory, { recursive: true, force: true }));

interface Bench {
  readonly child: ChildProcess;
  readonly ended: Promise<number | null>;
  /** What it has said so far. */
  text: string;
}

/** Whatever it makes, it makes in a directory of its own. */
function bench(...args: readonly string[]): Bench {
  const child = spawn(process.execPath, ["bin/run.mjs", "bench/main.ts", ...args], {
    cwd: ROOT,
    env: { ...process.env, TMPDIR: directory },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const ended = new Promise<number | null>((resolve) => child.once("close", resolve));
  const running: Bench = { child, ended, text: "" };
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding("utf8").on("data", (chunk: string) => {
      running.text += chunk;
    });
  }
  return running;
}

/** Nothing of a bench is left: no file, and nobody who works in its directory. */
function leftovers(): string[] {
  // What tsx has compiled is its own affair.
  const isOthers = (name: string): boolean => name.endsWith(".json") || name.startsWith("tsx-");
  const files = fs.readdirSync(directory).filter((name) => !isOthers(name));
  const processes = fs.readdirSync("/proc").filter((pid) => {
    try {
      return fs.readFileSync(`/proc/${pid}/cmdline`, "utf8").includes(directory);
    } catch {
      return false;
    }
  });
  return [...files, ...processes];
}

test("compare sets ours beside a baseline and the ceiling, with the oracle's word on each", async () => {
  const json = join(directory, "report.json");
  const choice = ["--only", "redis-lock,echo", "--rounds", "1", "--duration", "1"];
  const running = bench("compare", ...choice, "--connections", "8", "--json", json);
  assert.equal(await running.ended, 0, running.text);

  const report = JSON.parse(fs.readFileSync(json, "utf8")) as Report;
  const [holds, sales] = report.tables ?? [];
  assert.deepEqual(holds?.rows.map(([name]) => name).sort(), ["echo", "evently", "redis-lock"]);
  assert.deepEqual(sales?.rows.map(([name]) => name).sort(), ["evently", "redis-lock"]);
  assert.equal(report.checks.length, 5, "two phases of each, and the echo's one");
  assert.ok(report.checks.every(({ ok }) => ok));
  assert.ok(report.streams.every(({ count }) => count > 0));
  assert.match(running.text, /redis-lock +\d+/);

  const turn = (contender: string, phase: string) =>
    report.turns?.find((each) => each.contender === contender && each.phase === phase)?.costs;
  const [ours, theirs, echo] = [
    turn("evently", "sales"),
    turn("redis-lock", "sales"),
    turn("echo", "holds"),
  ];
  assert.ok((ours?.journal?.fsyncs ?? 0) > 0 && (ours?.postgres?.transactions ?? 0) > 0);
  assert.equal(theirs?.journal, null);
  assert.ok(Number(theirs?.postgres?.transactions) >= 2 * Number(theirs?.count), "hold, booking");
  assert.ok(Number(theirs?.postgres?.walBytes) > 0);
  assert.deepEqual([echo?.journal, echo?.postgres], [null, null]);
  const costs = report.tables?.filter(({ head }) => head.includes("WAL syncs")) ?? [];
  assert.deepEqual(
    costs.map(({ rows }) => rows.length),
    [3, 2],
  );
  for (const [name = "", allUs, postgresUs, peakMib] of costs.flatMap(({ rows }) => rows)) {
    assert.ok(Number(allUs) > 0 && Number(peakMib) > 0, name);
    assert.ok(name === "echo" ? postgresUs === "" : Number(postgresUs) > 0, name);
  }
  assert.deepEqual(leftovers(), []);
});

test("compare that is interrupted takes its servers with it", async () => {
  const running = bench("compare", "--only", "row-lock", "--rounds", "1", "--duration", "30");
  await until("it loads", () => running.text.includes("holds/s"));
  running.child.kill("SIGINT");
  assert.equal(await running.ended, 130);
  assert.deepEqual(leftovers(), []);
});

test("what compare does not understand is a matter of usage", async () => {
  const wrong = [
    ["--rounds", "0"],
    ["--only", "magic"],
    ["--only", "evently"],
    ["--url", "http://127.0.0.1:1", "--email", "a@example.org", "--password", "secret word"],
  ];
  for (const args of wrong) {
    const running = bench("compare", ...args);
    assert.equal(await running.ended, 2, `${args.join(" ")}: ${running.text}`);
  }
});
