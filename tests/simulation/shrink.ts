import { FAULTS, type PlanLimits } from "./plan.ts";
import { type RunReport, simulate } from "./simulation.ts";

export interface Shrunk {
  readonly limits: PlanLimits;
  readonly report: RunReport;
  readonly runs: number;
}

/**
 * Takes faults and operations away from a run that fails, as long as it goes on failing.
 * Another failure than the first counts as well: it is as real, and nearer to its cause.
 */
export async function shrink(failed: RunReport, limits: PlanLimits): Promise<Shrunk> {
  let best: Shrunk = { limits, report: failed, runs: 0 };
  const attempt = async (tried: PlanLimits): Promise<boolean> => {
    const report = await simulate(failed.seed, tried);
    const runs = best.runs + 1;
    best = report.violation === null ? { ...best, runs } : { limits: tried, report, runs };
    return report.violation !== null;
  };
  // Round after round: what one fault needs, another may have brought.
  for (let isSmaller = true; isSmaller; ) {
    isSmaller = false;
    for (const fault of FAULTS) {
      if (!best.report.plan.faults.has(fault)) continue;
      const without = [...(best.limits.without ?? []), fault];
      if (await attempt({ ...best.limits, without })) isSmaller = true;
    }
    for (const share of [0.25, 0.5, 0.75, 0.9]) {
      const operations = Math.floor(best.report.operations * share);
      if (operations < 1 || operations >= (best.limits.operations ?? Infinity)) continue;
      if (!(await attempt({ ...best.limits, operations }))) continue;
      isSmaller = true;
      break;
    }
  }
  return best;
}
