/** wrk beside our own load: what it says is in the report, and where it is missing that is said. */
import assert from "node:assert/strict";
import { execFile, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { promisify } from "node:util";
import { isSound, type Report } from "../../bench/report/report.ts";
import { ROOT } from "../../bench/root.ts";

const run = promisify(execFile);
const hasWrk = spawnSync("wrk", ["--version"]).error === undefined;

const bench = (args: readonly string[], env: NodeJS.ProcessEnv = {}) =>
  run(process.execPath, ["bin/run.mjs", "bench/main.ts", "hold-wrk", ...args], {
    cwd: ROOT,
    env: { ...process.env, ...env },
  });

test("wrk holds places, and as many are held as it was told", async (t) => {
  if (!hasWrk) return t.diagnostic("wrk is not installed: not looked at");
  const directory = mkdtempSync(join(tmpdir(), "evently-wrk-test-"));
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  const json = join(directory, "r.json");
  await bench(["--duration", "1", "--connections", "4", "--json", json]);
  const report = JSON.parse(readFileSync(json, "utf8")) as Report;
  assert.ok(isSound(report));
  const [holds] = report.streams;
  assert.ok(holds !== undefined && holds.count > 0);
  assert.ok(holds.latencyMs.p50 > 0 && holds.latencyMs.p50 <= holds.latencyMs.max);
  assert.ok(
    report.checks.some(({ name }) => name === "as many places are held as were said to be"),
  );
});

test("without wrk the bench says what is missing, and starts no server", async (t) => {
  const bin = mkdtempSync(join(tmpdir(), "evently-no-wrk-"));
  t.after(() => rmSync(bin, { recursive: true, force: true }));
  symlinkSync(process.execPath, join(bin, "node"));
  const failure = await bench([], { PATH: bin }).then(
    () => null,
    ({ stderr, stdout }: { stderr: string; stdout: string }) => stderr + stdout,
  );
  assert.match(String(failure), /hold-wrk needs wrk, which is not installed/);
  assert.doesNotMatch(String(failure), /starting a server/);
});
