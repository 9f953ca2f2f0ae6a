import { LOADS_IN_FLIGHT_MAX } from "../../engine/limits.ts";

/**
 * Runs loads in their order, at most LOADS_IN_FLIGHT_MAX at once. A load deals with its own
 * failure.
 */
export class LoadQueue {
  readonly #waiting: (() => Promise<void>)[] = [];
  readonly #broken: (cause: unknown) => void;
  #inFlight = 0;

  /** `broken` hears of a load that rejected nevertheless: a bug. */
  constructor(broken: (cause: unknown) => void) {
    this.#broken = broken;
  }

  add(load: () => Promise<void>): void {
    this.#waiting.push(load);
    this.#next();
  }

  #next(): void {
    while (this.#inFlight < LOADS_IN_FLIGHT_MAX) {
      const load = this.#waiting.shift();
      if (load === undefined) return;
      this.#inFlight += 1;
      load().then(() => {
        this.#inFlight -= 1;
        this.#next();
      }, this.#broken);
    }
  }
}
