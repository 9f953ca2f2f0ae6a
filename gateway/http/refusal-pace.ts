import {
  REFUSAL_WAIT_MS_MAX,
  REFUSALS_AT_ONCE_MAX,
  REFUSALS_PER_SECOND_MAX,
} from "../../engine/door-limits.ts";
import { type Clock, systemClock } from "../../workers/clock.ts";

const TURN_MS = 5;
/** Said in one turn at most, some 7 ms: a crowd that was told together asks again together. */
const SAID_PER_TURN_MAX = 512;

/** Something that waits to be said; returns false when there is nobody any more to hear it. */
export type Saying = () => boolean;

interface Late {
  readonly sinceMs: number;
  readonly say: Saying;
}

/**
 * When `busy` is said: at once, as long as it is said no more than REFUSALS_PER_SECOND_MAX times a
 * second, and in its turn beyond that. Whose turn does not come is told after REFUSAL_WAIT_MS_MAX
 * all the same, so of n connections no more than n in that time are told.
 *
 * Who asks again as soon as he is refused turns every refusal into the next request. Some thousands
 * of such buyers take the processor away from the sale; whoever is not told yet does not ask again.
 * A crowd that waits as `Retry-After` says never meets this.
 *
 * Invariants: refusals are said in the order in which they came, each once; nothing waits without
 * the timer, and the timer does not run while nothing waits.
 */
export class RefusalPace {
  readonly #clock: Clock;
  /** How many may be said now. */
  #allowance = REFUSALS_AT_ONCE_MAX;
  #filledMs: number;
  #waiting: Late[] = [];
  #isOver = false;
  #endTurns: (() => void) | null = null;

  /** Default: the machine's clock. */
  constructor(clock: Clock = systemClock) {
    this.#clock = clock;
    this.#filledMs = clock.monotonicMs();
  }

  /** True: it is to be said now. False: it is to be handed over with `wait`. */
  isTurn(): boolean {
    if (this.#isOver) return true;
    if (this.#waiting.length > 0) return false;
    if (this.#allowance < 1) this.#fill(this.#clock.monotonicMs());
    if (this.#allowance < 1) return false;
    this.#allowance -= 1;
    return true;
  }

  wait(say: Saying): void {
    const clock = this.#clock;
    this.#waiting.push({ sinceMs: clock.monotonicMs(), say });
    this.#endTurns ??= clock.every(TURN_MS, () => this.#turn(clock.monotonicMs()));
  }

  /** Says all that waits; from now on nothing does. */
  end(): void {
    this.#isOver = true;
    for (const { say } of this.#waiting.splice(0)) say();
    this.#rest();
  }

  #turn(nowMs: number): void {
    this.#fill(nowMs);
    let [passed, said] = [0, 0];
    for (const { sinceMs, say } of this.#waiting) {
      const isLate = nowMs - sinceMs >= REFUSAL_WAIT_MS_MAX;
      if ((this.#allowance < 1 && !isLate) || said >= SAID_PER_TURN_MAX) break;
      passed += 1;
      if (!say()) continue;
      said += 1;
      this.#allowance = Math.max(this.#allowance - 1, 0);
    }
    this.#waiting.splice(0, passed);
    this.#rest();
  }

  #rest(): void {
    if (this.#waiting.length > 0) return;
    this.#endTurns?.();
    this.#endTurns = null;
  }

  #fill(nowMs: number): void {
    const more = ((nowMs - this.#filledMs) * REFUSALS_PER_SECOND_MAX) / 1_000;
    this.#allowance = Math.min(this.#allowance + more, REFUSALS_AT_ONCE_MAX);
    this.#filledMs = nowMs;
  }
}
