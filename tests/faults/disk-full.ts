/**
 * The disk of the journal is full: a small file system in memory, and ballast on it. The database
 * is elsewhere.
 */
import assert from "node:assert/strict";
import { execFile, execFileSync } from "node:child_process";
import * as fs from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { REQUEST_DEADLINE_MS } from "../../engine/limits.ts";
import { sequenceOf } from "../../workers/journal/segment.ts";
import { StartFailed, TestNode } from "../support/server.ts";
import { availabilityOf } from "../support/venue.ts";
import { caughtUp, impediments, openRig, type Rig, reckon } from "./rig.ts";
import { type Scenario, Skipped, type Stage, sleep } from "./scenario.ts";

const BUSY = "503 busy";
const MIB = 2 ** 20;
/** Room for the first segment and two more: of 16, 64 and 64 MiB. */
const DISK_MIB = 160;
const run = promisify(execFile);

export const diskFull: Scenario = {
  name: "disk-full",
  title:
    "the journal's disk is full: busy, reads go on, and with room all goes on; nothing is lost",
  async run(stage) {
    await noRoomAtAll(stage);
    const disk = await SmallDisk.mount(stage, DISK_MIB);
    const rig = await openRig(stage, { env: { DATA_DIR: join(disk.path, "data") } });
    await fullUnderLoad(stage, rig, disk);
    await fullAtStart(stage, rig, disk);
    await reckon(stage, rig, rig.node.databaseUrl);
  },
};

async function noRoomAtAll(stage: Stage): Promise<void> {
  const disk = await SmallDisk.mount(stage, 8);
  await refuses(TestNode.start({ DATA_DIR: join(disk.path, "data") }));
  stage.did("the first start with 8 MiB of room");
  stage.holds("it refuses, exit code 1, one line that says what is missing");
}

async function fullUnderLoad(stage: Stage, rig: Rig, disk: SmallDisk): Promise<void> {
  const { node, api, traffic } = rig;
  // A restart goes on in the segment that was prepared, and finds no room for the one after it. To
  // come to that point by writing takes half a minute.
  if (!stage.isLong) await node.stop();
  disk.fill();
  if (!stage.isLong) await node.start();
  else traffic.holdMuch();
  await traffic.start(32, 0);
  const filledMs = Date.now();
  await traffic.sees(BUSY, 200, 120_000);
  const fullMs = Date.now();
  await sleep(stage.isLong ? 10_000 : 200);
  await availabilityOf(api, traffic.event.id);
  assert.match(await impediments(api), /the journal has no room/);
  const freedMs = Date.now();
  disk.free();
  await traffic.sees("201", 100);
  const backMs = Date.now();
  await traffic.stop();
  await caughtUp(api);
  const busy = traffic.seen.filter(({ outcome }) => outcome === BUSY);
  assert.ok(busy.every(({ retryAfter }) => retryAfter === "1"));
  assert.ok(
    busy.every(({ tookMs }) => tookMs < REQUEST_DEADLINE_MS),
    traffic.latency(BUSY),
  );
  const isFair = Object.keys(traffic.outcomes()).every((one) => one === "201" || one === BUSY);
  assert.ok(isFair, JSON.stringify(traffic.outcomes()));
  stage.did(`the disk filled ${stage.isLong ? "under load" : "before a start"}, and freed again`);
  stage.holds(
    "503 busy with Retry-After at once while there is no room; reads answered; 201 after",
  );
  stage.figure("busy", `${fullMs - filledMs} ms after the disk was full, ${traffic.latency(BUSY)}`);
  stage.figure("201 again", `${backMs - freedMs} ms after there was room`);
}

/** A start that finds neither a prepared segment nor room for one, and a tail to recover. */
async function fullAtStart(stage: Stage, { node, traffic }: Rig, disk: SmallDisk): Promise<void> {
  await traffic.start();
  await traffic.sees("201", 100);
  await node.kill9();
  await traffic.stop();
  disk.removePrepared();
  disk.fill();
  for (let tries = 0; tries < 2; tries += 1) await refuses(node.start());
  disk.free();
  await node.start();
  stage.did("SIGKILL under load, the disk filled, two starts, the disk freed, a start");
  stage.holds("without room each start refuses; with room all is recovered");
}

async function refuses(start: Promise<unknown>): Promise<void> {
  await assert.rejects(start, (error) => {
    assert.ok(error instanceof StartFailed, String(error));
    assert.deepEqual(error.exit, { code: 1, signal: null });
    assert.match(error.stderr, /^evently: no room [^\n]+\n$/);
    return true;
  });
}

class SmallDisk {
  readonly path: string;

  /** Throws Skipped where we may not mount. */
  static async mount(stage: Stage, sizeMib: number): Promise<SmallDisk> {
    const path = fs.mkdtempSync(join(tmpdir(), "evently-disk-"));
    stage.after(() => fs.rmdirSync(path));
    try {
      await run("mount", ["-t", "tmpfs", "-o", `size=${sizeMib}m`, "tmpfs", path]);
    } catch {
      throw new Skipped("a small file system can't be mounted here: that takes root on Linux");
    }
    const unmount = (): void => {
      process.off("exit", unmount);
      execFileSync("umount", ["--lazy", path]);
    };
    process.once("exit", unmount);
    stage.after(unmount);
    return new SmallDisk(path);
  }

  private constructor(path: string) {
    this.path = path;
  }

  /** Leaves no room, not even for a page. */
  fill(): void {
    const descriptor = fs.openSync(join(this.path, "ballast"), "w");
    const chunk = Buffer.alloc(MIB);
    try {
      while (fs.writeSync(descriptor, chunk) === chunk.length) {
        // Until a write is short or fails.
      }
    } catch (error) {
      const isFull = error instanceof Error && "code" in error && error.code === "ENOSPC";
      if (!isFull) throw error;
    } finally {
      fs.closeSync(descriptor);
    }
  }

  free(): void {
    fs.rmSync(join(this.path, "ballast"));
  }

  /** Of the segments, the newest is the one that was prepared and never used. */
  removePrepared(): void {
    const journal = join(this.path, "data", "journal");
    const names = fs.readdirSync(journal).filter((name) => sequenceOf(name) !== null);
    const newest = names.sort().at(-1);
    assert.ok(newest !== undefined && names.length > 1, names.join());
    fs.rmSync(join(journal, newest));
  }
}
