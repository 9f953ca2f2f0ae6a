import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";

/**
 * What a group of processes may have of the processors together, as containers have it (Docker's
 * `--cpus`, Kubernetes' `limits.cpu`). The kernel counts it by control groups.
 */
export interface ProcessorQuota {
  /** As many as they may keep busy at a time, 1.5 for example. */
  readonly processors: number;
  /** Ms for which the group has kept one busy, so far. */
  readonly usedMs: () => number;
}

/** Where the kernel tells it; other places for tests. */
interface Places {
  readonly groups: string;
  readonly membership: string;
}

const LINUX: Places = { groups: "/sys/fs/cgroup", membership: "/proc/self/cgroup" };

/** The tightest one of the groups that this process is in; null: there is none. */
export function processorQuota({ groups, membership }: Places = LINUX): ProcessorQuota | null {
  const quotas: ProcessorQuota[] = [];
  for (const [, controllers = "", path = "/"] of linesOf(membership)) {
    if (controllers === "") quotas.push(...upFrom(groups, path, quotaOfVersion2));
    else if (controllers.split(",").includes("cpu")) {
      // Either is there under its own name, as a link where both are one mount.
      const [mount, usages] = [join(groups, "cpu"), join(groups, "cpuacct")];
      quotas.push(...upFrom(mount, path, (group) => quotaOfVersion1(group, mount, usages)));
    }
  }
  quotas.sort((a, b) => a.processors - b.processors);
  return quotas[0] ?? null;
}

/** Lines such as `0::/kubepods/pod7` and `4:cpu,cpuacct:/docker/1f`. */
function linesOf(membership: string): RegExpMatchArray[] {
  return [...(textOf(membership) ?? "").matchAll(/^\d+:([^:]*):(\S+)$/gm)];
}

/**
 * A group and those around it. Inside of a container paths may be the host's: then only the root is
 * there, which is the container's own group.
 */
function upFrom(
  root: string,
  path: string,
  quotaOf: (group: string) => ProcessorQuota | null,
): ProcessorQuota[] {
  const quotas: ProcessorQuota[] = [];
  for (let at = join("/", path); ; at = dirname(at)) {
    const quota = quotaOf(join(root, at));
    if (quota !== null) quotas.push(quota);
    if (at === "/") return quotas;
  }
}

function quotaOfVersion2(group: string): ProcessorQuota | null {
  const [quota, period] = (textOf(join(group, "cpu.max")) ?? "").trim().split(" ").map(Number);
  return quotaFrom(quota, period, () => {
    const [, usedUs] = /^usage_usec (\d+)$/m.exec(textOf(join(group, "cpu.stat")) ?? "") ?? [];
    return Number(usedUs ?? 0) / 1e3;
  });
}

function quotaOfVersion1(group: string, mount: string, usages: string): ProcessorQuota | null {
  const numberIn = (name: string): number => Number(textOf(join(group, name)) ?? Number.NaN);
  const usage = join(usages, group.slice(mount.length), "cpuacct.usage");
  return quotaFrom(numberIn("cpu.cfs_quota_us"), numberIn("cpu.cfs_period_us"), () => {
    return Number(textOf(usage) ?? 0) / 1e6;
  });
}

/** Of `max`, of -1, and of what is not there, no quota comes. */
function quotaFrom(
  quota = Number.NaN,
  period = Number.NaN,
  usedMs: () => number,
): ProcessorQuota | null {
  return quota > 0 && period > 0 ? { processors: quota / period, usedMs } : null;
}

function textOf(file: string): string | null {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return null;
  }
}
