import type { Steps } from "../engine/steps.ts";
import type { Clock } from "./clock.ts";

/**
 * Does one step in each turn of the event loop, the first one now, and in between whatever else has
 * come in. Rejects with what a step throws.
 */
export function inTurns<Result>(steps: Steps<Result>, soon: Clock["soon"]): Promise<Result> {
  return new Promise((resolve, reject) => {
    const turn = (): void => {
      try {
        const step = steps.next();
        if (step.done === true) resolve(step.value);
        else soon(turn);
      } catch (error) {
        reject(error);
      }
    };
    turn();
  });
}
