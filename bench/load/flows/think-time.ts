import type { RandomSource } from "../../catalogue/random-source.ts";

/** Nobody is so quick that they need less than this share of the mean. */
const LEAST_SHARE = 0.5;

/** Ms that somebody takes: never less than half the mean, and some several times as long. */
export function thinkTime(meanMs: number, random: RandomSource): number {
  const more = -Math.log(1 - random.next());
  return meanMs * (LEAST_SHARE + (1 - LEAST_SHARE) * more);
}
