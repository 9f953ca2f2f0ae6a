import {
  HOLD_DELAY_MS_TARGET,
  HOLD_DELAY_WATCHED_MS,
  HOLDS_IN_FLIGHT_MAX,
  HOLDS_IN_FLIGHT_MIN,
  HOLDS_IN_FLIGHT_START,
  IN_FLIGHT_PER_WORKER_MAX,
} from "../engine/limits.ts";

/** How much further than holds go those requests that finish what a hold began. */
const FINISHING_SHARE = IN_FLIGHT_PER_WORKER_MAX / HOLDS_IN_FLIGHT_MAX;
/**
 * A request waits for the end of the turn of the gateway's loop in which it came, and its answer
 * for the end of the turn that is on when it comes: two turns that the worker has no part in.
 */
const TURNS_OF_GATEWAY = 2;
const SHRINK_MAX = 0.5;
const GROW_MAX = 1.125;

/**
 * How many requests one worker may have in flight: as many as it answers in good time. A fixed
 * number would be seconds of waiting on a slow disk and a waste on a fast one, so the delay is
 * watched and the number follows it.
 *
 * A burst is no overload: what counts is the fastest answer of an interval, as in CoDel (Nichols
 * and Jacobson, 2012). When even that one waited longer than the target, there is a queue that does
 * not drain, and less is let in; when it was faster and the limit was in the way, more is.
 *
 * New holds are refused first. Who holds places is about to pay: booking, extending, releasing and
 * looking at a hold have FINISHING_SHARE times the room.
 *
 * Invariant: HOLDS_IN_FLIGHT_MIN <= holds <= HOLDS_IN_FLIGHT_MAX.
 */
export class InFlightLimit {
  #holds = HOLDS_IN_FLIGHT_START;
  readonly #inFlightMax: number;
  #sinceMs: number;
  #fastestMs = Number.POSITIVE_INFINITY;
  #wasFull = false;

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
    return Math.min(this.#holds * FINISHING_SHARE, this.#inFlightMax);
  }

  /** A request was refused for the limit's sake. */
  refused(): void {
    this.#wasFull = true;
  }

  /**
   * An answer came `tookMs` after its request was let in. `turnMs` is how long a turn of the
   * gateway's loop takes: while it refuses many, turns are long, and letting in less would only
   * leave the worker without work.
   */
  answered(tookMs: number, nowMs: number, turnMs: number): void {
    const queuedMs = tookMs - TURNS_OF_GATEWAY * turnMs;
    if (queuedMs < this.#fastestMs) this.#fastestMs = queuedMs;
    if (nowMs - this.#sinceMs < HOLD_DELAY_WATCHED_MS) return;
    const share = HOLD_DELAY_MS_TARGET / Math.max(this.#fastestMs, 1);
    const factor = Math.min(Math.max(share, SHRINK_MAX), GROW_MAX);
    if (factor < 1 || this.#wasFull) {
      const holds = Math.round(this.#holds * factor);
      this.#holds = Math.min(Math.max(holds, HOLDS_IN_FLIGHT_MIN), HOLDS_IN_FLIGHT_MAX);
    }
    this.#sinceMs = nowMs;
    this.#fastestMs = Number.POSITIVE_INFINITY;
    this.#wasFull = false;
  }
}
