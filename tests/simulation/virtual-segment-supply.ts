import type { Clock } from "../../workers/clock.ts";
import type { Disk } from "../../workers/journal/disk.ts";
import {
  InlineSegmentSupply,
  type SegmentSupply,
  type SupplyOutcome,
} from "../../workers/journal/segment-supply.ts";

export interface VirtualSupplyOptions {
  readonly clock: Clock;
  readonly die: (reason: string, cause: unknown) => never;
  readonly disk: Disk;
  readonly randomSalt: () => Uint8Array;
  readonly segmentBytes: number;
  /** How long one order takes to begin, and its answer to arrive, ms. */
  readonly delayMs: () => number;
}

/** The supply of segments as another thread of the process: one order after the other, in time. */
export class VirtualSegmentSupply implements SegmentSupply {
  readonly #options: VirtualSupplyOptions;
  readonly #supply: InlineSegmentSupply;
  readonly #orders: (() => void)[] = [];
  #isBusy = false;
  #isClosed = false;
  #closed: (() => void)[] = [];

  constructor(options: VirtualSupplyOptions) {
    this.#options = options;
    const { disk, randomSalt, segmentBytes } = options;
    this.#supply = new InlineSegmentSupply(disk, randomSalt, segmentBytes);
  }

  prepare(sequence: number, done: (outcome: SupplyOutcome) => void): void {
    const { clock, delayMs } = this.#options;
    this.#order(() => {
      this.#supply.prepare(sequence, (outcome) => {
        clock.after(delayMs(), () => done(outcome));
      });
    });
  }

  discard(sequences: readonly number[]): void {
    this.#order(() => this.#supply.discard(sequences));
  }

  close(): void {
    this.#isClosed = true;
    this.#next();
  }

  whenClosed(): Promise<void> {
    return new Promise((resolve) => {
      this.#closed.push(resolve);
      this.#next();
    });
  }

  #order(order: () => void): void {
    this.#orders.push(order);
    this.#next();
  }

  #next(): void {
    if (this.#isBusy) return;
    const order = this.#orders.shift();
    if (order === undefined) {
      if (this.#isClosed) for (const resolve of this.#closed.splice(0)) resolve();
      return;
    }
    this.#isBusy = true;
    const { clock, die, delayMs } = this.#options;
    clock.after(delayMs(), () => {
      try {
        order();
      } catch (cause) {
        // In a thread of its own, an exception that nobody caught ends the process.
        die("the segment allocator failed", cause);
      }
      this.#isBusy = false;
      this.#next();
    });
  }
}
