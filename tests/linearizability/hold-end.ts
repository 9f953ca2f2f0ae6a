/** When a hold must have ended: the contract's exactness, and the time in which nobody could. */
import type { OutageRecord } from "./history.ts";

/** The contract: a hold never ends later than this after its `expiresAt`. */
export const EXPIRY_MS_MAX = 1_000;

/**
 * The latest end of a hold, Unix ms. What was due while the server was away, or so shortly before
 * that its end may have gone with the server, is due when the server is back.
 */
export function latestEndMs(
  expiresAtMs: number,
  outages: readonly Pick<OutageRecord, "fromMs" | "toMs">[],
): number {
  let dueMs = expiresAtMs;
  for (const { fromMs, toMs } of [...outages].sort((a, b) => a.fromMs - b.fromMs)) {
    if (fromMs <= dueMs + EXPIRY_MS_MAX && dueMs < toMs) dueMs = toMs;
  }
  return dueMs + EXPIRY_MS_MAX;
}
