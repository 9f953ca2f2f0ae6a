import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, it } from "node:test";
import { listedNumbers, machineTimes, quotaTimes } from "./machine-times.ts";
import { processorQuota } from "./processor-quota.ts";

describe("processorQuota", () => {
  let root: string;
  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), "evently-groups-"));
  });
  afterEach(() => rmSync(root, { recursive: true }));

  function write(path: string, text: string): void {
    const file = join(root, path);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, text);
  }

  function quota() {
    const found = processorQuota({ groups: root, membership: join(root, "membership") });
    return found === null ? null : [found.processors, found.usedMs()];
  }

  it("is a container's own, where it sees nothing but itself", () => {
    write("membership", "0::/\n");
    write("cpu.max", "150000 100000\n");
    write("cpu.stat", "usage_usec 2500000\nuser_usec 2000000\n");
    assert.deepEqual(quota(), [1.5, 2_500]);
  });

  it("is the tightest of the groups around a service", () => {
    write("membership", "0::/shop.slice/evently.service\n");
    write("cpu.max", "max 100000\n");
    write("shop.slice/cpu.max", "200000 100000\n");
    write("shop.slice/cpu.stat", "usage_usec 1000\n");
    write("shop.slice/evently.service/cpu.max", "400000 100000\n");
    write("shop.slice/evently.service/cpu.stat", "usage_usec 7\n");
    assert.deepEqual(quota(), [2, 1]);
  });

  it("is read of the first version of control groups, too", () => {
    write("membership", "5:memory:/m\n4:cpuacct,cpu:/docker/1f\n0::/\n");
    write("cpu,cpuacct/docker/1f/cpu.cfs_quota_us", "50000\n");
    write("cpu,cpuacct/docker/1f/cpu.cfs_period_us", "100000\n");
    write("cpu,cpuacct/docker/1f/cpuacct.usage", "3000000\n");
    for (const name of ["cpu", "cpuacct"]) symlinkSync("cpu,cpuacct", join(root, name));
    assert.deepEqual(quota(), [0.5, 3]);
  });

  it("is found where the path is the host's, and usage is counted apart", () => {
    write("membership", "3:cpuacct:/docker/1f\n2:cpu:/docker/1f\n");
    write("cpu/cpu.cfs_quota_us", "50000\n");
    write("cpu/cpu.cfs_period_us", "100000\n");
    write("cpuacct/cpuacct.usage", "4000000\n");
    assert.deepEqual(quota(), [0.5, 4]);
  });

  it("is none where none is set, or nothing is told", () => {
    assert.equal(quota(), null);
    write("membership", "1:cpu:/\n0::/\n");
    assert.equal(quota(), null);
    write("cpu.max", "max 100000\n");
    write("cpu/cpu.cfs_quota_us", "-1\n");
    write("cpu/cpu.cfs_period_us", "100000\n");
    assert.equal(quota(), null);
  });
});

describe("machineTimes", () => {
  it("leaves out processors that the process may not use", () => {
    assert.deepEqual(listedNumbers("0-2,5"), new Set([0, 1, 2, 5]));
    assert.deepEqual(listedNumbers("1"), new Set([1]));
    assert.equal(listedNumbers(""), null);
    const { idleMs, totalMs } = machineTimes();
    assert.ok(totalMs > 0 && idleMs <= totalMs);
  });

  it("takes what a quota leaves of itself for idle, whatever the machine has besides", () => {
    const before = quotaTimes({ processors: 2, usedMs: () => 500 }, 10_000);
    const after = quotaTimes({ processors: 2, usedMs: () => 2_000 }, 11_000);
    assert.equal(after.totalMs - before.totalMs, 2_000);
    assert.equal(after.idleMs - before.idleMs, 500);
  });
});
