import {
  HOLD_DELAY_MS_TARGET,
  HOLD_DELAY_WATCHED_MS,
  HOLDS_IN_FLIGHT_MAX,
  HOLDS_IN_FLIGHT_MIN,
  IN_FLIGHT_PER_WORKER_MAX,
} from "../engine/limits.ts";

const SHRINK_MAX = 0.25;
const GROW_MAX = 1.125;

/**
 * How many requests one worker may have in flight: as many as it answers in good time. A fixed
 * number would be seconds of waiting on a slow disk and a waste on a fast one, so the worker's
 * delay is watched and the number follows it.
 *
 * A burst is no overload: what counts is the fastest answer of an interval, as in CoDel (Nichols
 * and Jacobson, 2012). When even that one waited longer than the target, there is a queue that does
 * not drain, and less is let in; when it was faster, more is, up to what a burst may be.
 *
 * Only new holds are bound by it. Who holds places is about to pay: booking, extending, releasing
 * and looking at a hold are let in up to `any`.
 *
 * Invariant: HOLDS_IN_FLIGHT_MIN <= holds <= HOLDS_IN_FLIGHT_MAX.
 */
export class InFlightLimit {
  #holds = HOLDS_IN_FLIGHT_MAX;
  readonly #inFlightMax: number;
  #sinceMs: number;
  #fastestMs = Number.POSITIVE_INFINITY;

  /** `inFlightMax`: never more than so many, whatever they are. */
  constructor(nowMs: number, inFlightMax = IN_FLIGHT_PER_WORKER_MAX) {
    this.#sinceMs = nowMs;
    this.#inFlightMax = inFlightMax;
  }

  /** Requests in flight from which on a new hold is refused. */
  get holds(): number {
    return Math.min(this.#holds, this.#inFlightMax);
  }

  /** Requests in flight from which on any request is refused. */
  get any(): number {
    return this.#inFlightMax;
  }

  /**
   * A request was with the worker for `tookMs`. What it waited for a turn of the gateway's own loop
   * does not count: while that refuses many its turns are long, and letting in less would only
   * leave the worker without work.
   */
  answered(tookMs: number, nowMs: number): void {
    if (tookMs < this.#fastestMs) this.#fastestMs = tookMs;
    if (nowMs - this.#sinceMs < HOLD_DELAY_WATCHED_MS) return;
    const share = HOLD_DELAY_MS_TARGET / Math.max(this.#fastestMs, 1);
    const holds = Math.round(this.#holds * Math.min(Math.max(share, SHRINK_MAX), GROW_MAX));
    this.#holds = Math.min(Math.max(holds, HOLDS_IN_FLIGHT_MIN), HOLDS_IN_FLIGHT_MAX);
    this.#sinceMs = nowMs;
    this.#fastestMs = Number.POSITIVE_INFINITY;
  }
}
