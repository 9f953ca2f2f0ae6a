import { ACCESS_TOKEN_SECONDS } from "../engine/limits.ts";

/** Of a token's life: for making what is sold, warming up, and whatever else is no load. */
const SPARE_SECONDS = 300;

/** Seconds that a load may take of which one set of buyers' access tokens serves so many. */
export function durationMaxFor(loads: number): number {
  return Math.floor((ACCESS_TOKEN_SECONDS - SPARE_SECONDS) / loads);
}
