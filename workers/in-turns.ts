import type { Steps } from "../engine/steps.ts";
import type { Clock } from "./clock.ts";

/** Of the thread's time, for all such work together; one step a turn is always done. */
const SHARE = 0.25;
const TURN_MS_MAX = 10;

interface Work {
  /** Does a step. False: it was the last one. */
  readonly goOn: () => boolean;
}

/**
 * Does work in steps, between which whatever has come in is served: in each turn of the event loop
 * as many as a part of the time since the last turn allows, of all works in rotation.
 */
export class Turns {
  readonly #clock: Pick<Clock, "soon" | "monotonicMs">;
  readonly #works: Work[] = [];
  #lastMs = 0;

  constructor(clock: Pick<Clock, "soon" | "monotonicMs">) {
    this.#clock = clock;
  }

  /** Does the first step at once. Rejects with what a step throws. */
  run<Result>(steps: Steps<Result>): Promise<Result> {
    return new Promise((resolve, reject) => {
      const goOn = (): boolean => {
        try {
          const step = steps.next();
          if (step.done !== true) return true;
          resolve(step.value);
        } catch (error) {
          reject(error);
        }
        return false;
      };
      if (goOn()) this.#add({ goOn });
    });
  }

  #add(work: Work): void {
    this.#works.push(work);
    if (this.#works.length > 1) return;
    this.#lastMs = this.#clock.monotonicMs();
    this.#clock.soon(() => this.#turn());
  }

  #turn(): void {
    const startMs = this.#clock.monotonicMs();
    const endMs = startMs + Math.min(SHARE * (startMs - this.#lastMs), TURN_MS_MAX);
    this.#lastMs = startMs;
    do {
      const work = this.#works[0];
      if (work === undefined) return;
      const isMore = work.goOn();
      this.#works.shift();
      if (isMore) this.#works.push(work);
    } while (this.#clock.monotonicMs() < endMs);
    if (this.#works.length > 0) this.#clock.soon(() => this.#turn());
  }
}
