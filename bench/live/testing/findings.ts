import type { CrowdFindings } from "../crowd.ts";

/** Two subscribers with whom all is well, whatever they heard. */
export const WELL: Omit<CrowdFindings, "deltas"> = {
  gaps: [],
  gapCount: 0,
  strange: 0,
  subscribers: 2,
  behind: 0,
  lost: 0,
  lostBecause: "",
  utilisation: 0.1,
  loopLagMsP99: 1,
  sample: [],
};
