import {
  PROJECTION_INTERVAL_MS,
  PROJECTION_INTERVAL_MS_MAX,
  PROJECTION_INTERVAL_TIMES,
  PROJECTION_RUSH_FACTS_MIN,
} from "../../engine/projection-limits.ts";

/** How far transactions are apart while little waits, from beginning to beginning. Unix ms. */
export class ProjectionInterval {
  #beganMs = Number.NEGATIVE_INFINITY;
  #ms = PROJECTION_INTERVAL_MS;

  begin(nowMs: number): void {
    this.#beganMs = nowMs;
  }

  /** A transaction of few facts that took long waited for its disk: that is no rush. */
  ended(facts: number, tookMs: number): void {
    const isRush = facts >= PROJECTION_RUSH_FACTS_MIN;
    const longer = isRush ? PROJECTION_INTERVAL_TIMES * tookMs : 0;
    this.#ms = Math.max(PROJECTION_INTERVAL_MS, Math.min(longer, PROJECTION_INTERVAL_MS_MAX));
  }

  /** How long the next one is to wait. A clock that was set back says that this is long. */
  restMs(nowMs: number): number {
    return Math.min(this.#ms, this.#beganMs + this.#ms - nowMs);
  }
}
