import { readFileSync } from "node:fs";
import { cpus } from "node:os";
import { type ProcessorQuota, processorQuota } from "./processor-quota.ts";

export interface MachineTimes {
  /** Ms for which the processors that may be used were idle, together. */
  readonly idleMs: number;
  /** Ms for which they have existed. */
  readonly totalMs: number;
}

const ALLOWED = allowedProcessors();
const QUOTA = processorQuota();

/**
 * Of the processors that this process may run on; where a quota is less than they are, of that:
 * whoever may use two of sixteen processors is not helped by the idle fourteen.
 */
export function machineTimes(): MachineTimes {
  const times = cpus().filter((_, index) => ALLOWED === null || ALLOWED.has(index));
  if (QUOTA !== null && QUOTA.processors < times.length) return quotaTimes(QUOTA);
  let [idleMs, totalMs] = [0, 0];
  for (const { times: each } of times) {
    idleMs += each.idle;
    totalMs += each.user + each.nice + each.sys + each.idle + each.irq;
  }
  return { idleMs, totalMs };
}

/** What the group did not use of what it could have had; `nowMs` counts from any moment. */
export function quotaTimes(
  { processors, usedMs }: ProcessorQuota,
  nowMs = performance.now(),
): MachineTimes {
  const totalMs = processors * nowMs;
  return { idleMs: totalMs - usedMs(), totalMs };
}

/** Their numbers; null: the system does not tell, and it is taken to be all of them. */
function allowedProcessors(): ReadonlySet<number> | null {
  try {
    const status = readFileSync("/proc/self/status", "utf8");
    return listedNumbers(/^Cpus_allowed_list:\s*(\S+)$/m.exec(status)?.[1] ?? "");
  } catch {
    return null;
  }
}

/** What Linux writes as `0-3,8`; null: nothing is listed. */
export function listedNumbers(list: string): ReadonlySet<number> | null {
  const numbers = new Set<number>();
  for (const [, first = "", last = first] of list.matchAll(/(\d+)(?:-(\d+))?/g)) {
    for (let n = Number(first); n <= Number(last); n += 1) numbers.add(n);
  }
  return numbers.size === 0 ? null : numbers;
}
