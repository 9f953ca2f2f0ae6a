/**
 * The disk fails a write, a sync or a rename of the journal, once. The process must end itself at
 * once, without an acknowledgement for what was in that frame and without a second try; the next
 * start finds everything that was acknowledged.
 *
 * The failures come from a library that is preloaded into the node: shim/failing-disk.c.
 */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import * as fs from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { StartFailed } from "../support/server.ts";
import { endOf, openRig, type Rig, reckon } from "./rig.ts";
import { type Scenario, Skipped, type Stage } from "./scenario.ts";

const SHIM = fileURLToPath(new URL("shim/failing-disk.c", import.meta.url));
const KILLED = { code: null, signal: "SIGKILL" };
const run = promisify(execFile);

interface Fault {
  /** As failing-disk.c reads it. */
  readonly plan: string;
  /** What is logged by the library when it strikes. */
  readonly struck: RegExp;
}

/** Of the segment that is written to, under load. */
const FRAME_FAULTS: readonly Fault[] = [
  { plan: "fdatasync .seg 50 LOST", struck: /^fdatasync .*\.seg$/m },
  { plan: "pwrite .seg 50 SHORT", struck: /^pwrite64 .*\.seg$/m },
  { plan: "fdatasync .seg 50 EIO", struck: /^fdatasync .*\.seg$/m },
  { plan: "pwrite .seg 50 EIO", struck: /^pwrite64 .*\.seg$/m },
  { plan: "pwrite .seg 50 ENOSPC", struck: /^pwrite64 .*\.seg$/m },
];

/** While a start settles the directory, or prepares the segment after the first. */
const START_FAULTS: readonly Fault[] = [
  { plan: "fsync /journal 1 EIO", struck: /^fsync .*\/journal$/m },
  { plan: "fdatasync .tmp 3 EIO", struck: /^fdatasync .*\.tmp$/m },
  { plan: "pwrite .tmp 3 EIO", struck: /^pwrite64 .*\.tmp$/m },
  { plan: "rename .tmp 1 EIO", struck: /^rename .*\.tmp$/m },
  { plan: "fsync /journal 2 EIO", struck: /^fsync .*\/journal$/m },
];

export const diskFailing: Scenario = {
  name: "disk-failing",
  title: "a failed write or sync ends the process at once, and nothing acknowledged is lost",
  async run(stage) {
    const directory = fs.mkdtempSync(join(tmpdir(), "evently-shim-"));
    stage.after(() => fs.rmSync(directory, { recursive: true, force: true }));
    const env = {
      LD_PRELOAD: await compiled(directory),
      FAULT_PLAN: join(directory, "plan"),
      FAULT_LOG: join(directory, "log"),
    };
    const rig = await openRig(stage, { env });
    for (const fault of stage.isLong ? FRAME_FAULTS : FRAME_FAULTS.slice(0, 2)) {
      await underLoad(stage, rig, fault, env);
    }
    for (const fault of stage.isLong ? START_FAULTS : []) {
      await atStart(stage, rig, fault, env);
    }
    stage.holds("the process kills itself (SIGKILL), by the first failure, and says why");
    await reckon(stage, rig, rig.node.databaseUrl, /"msg":"fatal: /);
  },
};

/** Returns the path of the library. */
async function compiled(directory: string): Promise<string> {
  if (process.platform !== "linux") throw new Skipped("LD_PRELOAD is Linux's");
  const library = join(directory, "failing-disk.so");
  try {
    await run("cc", ["-shared", "-fPIC", "-O2", "-Wall", "-Werror", "-o", library, SHIM, "-ldl"]);
  } catch (error) {
    const isMissing = error instanceof Error && "code" in error && error.code === "ENOENT";
    if (isMissing) throw new Skipped("there is no C compiler (cc) here");
    throw error;
  }
  return library;
}

interface Env {
  readonly FAULT_PLAN: string;
  readonly FAULT_LOG: string;
}

async function underLoad(stage: Stage, rig: Rig, fault: Fault, env: Env): Promise<void> {
  const { node, traffic } = rig;
  const fromMs = Date.now();
  await traffic.start();
  await traffic.sees("201", 100);
  const ended = endOf(node);
  fs.writeFileSync(env.FAULT_PLAN, fault.plan);
  assert.deepEqual(await ended, KILLED);
  const diedMs = Date.now();
  await traffic.stop();
  await struck(stage, rig, fault, env);
  await node.start();
  // Those that had not been answered are settled before the next fault adds to them.
  await traffic.reckon(node.databaseUrl);
  stage.figure(`${fault.plan}: unanswered`, traffic.outcomes(fromMs, diedMs).lost ?? 0);
}

/** The node may have become ready before the fault strikes, as its next segment takes a while. */
async function atStart(stage: Stage, rig: Rig, fault: Fault, env: Env): Promise<void> {
  const { node } = rig;
  await node.kill9();
  fs.writeFileSync(env.FAULT_PLAN, fault.plan);
  try {
    await node.start();
    if (node.isUp) assert.deepEqual(await endOf(node), KILLED);
  } catch (error) {
    if (!(error instanceof StartFailed)) throw error;
    assert.deepEqual(error.exit, KILLED, error.stderr);
  }
  await struck(stage, rig, fault, env);
  await node.start();
}

/** The library struck where it should, once, and the process knew why it ended. */
async function struck(stage: Stage, { node }: Rig, fault: Fault, env: Env): Promise<void> {
  fs.rmSync(env.FAULT_PLAN);
  const log = fs.readFileSync(env.FAULT_LOG, "utf8");
  fs.rmSync(env.FAULT_LOG);
  assert.match(log, fault.struck);
  assert.equal(log.trim().split("\n").length, 1, log);
  const [fatal] = node.logged('"msg":"fatal: ');
  assert.ok(fatal !== undefined, "it says why it ends");
  const { msg, err } = JSON.parse(fatal) as { msg: string; err: string };
  stage.did(`${fault.plan} → ${msg} (${err.split("\n")[0]})`);
}
