import {
  COURTESY_LOOK_MS,
  COURTESY_OTHERS_MAX,
  COURTESY_QUIET_MAX,
  COURTESY_SHARE,
} from "../../engine/lane-limits.ts";
import type { Clock } from "../../workers/clock.ts";
import type { MachineTimes } from "./machine-times.ts";

/** What a piece of work is taken to cost before there was one, and at least. */
const PIECE_MS = 10;
const PIECE_MS_MIN = 0.1;
/** How much the last look weighs in what a piece costs. */
const COST_WEIGHT = 0.3;

export interface CourtesyPorts {
  readonly clock: Clock;
  readonly machine: () => MachineTimes;
  /** Ms for which the notifier kept a processor busy, so far. */
  readonly busyMs: () => number;
}

/**
 * Lets the sale go first: while others than the notifier keep most of the machine busy, it takes no
 * more than COURTESY_SHARE of one processor. What waits meanwhile is sent when the rush is over.
 *
 * Its thread and the press's are in the background besides (workers/thread-priority.ts): what
 * others could use they get, so what they did use says how much there is to do.
 *
 * Invariants: in a crowd, no more is begun between two looks than its share pays for, by what such
 * pieces have cost so far, and nothing while it has used more than its share; turns are given in
 * order, to patient ones when nobody else waits; all have theirs, at the latest when the rush is
 * over.
 */
export class Courtesy {
  readonly #ports: CourtesyPorts;
  readonly #cancel: () => void;
  readonly #waiting: (() => void)[] = [];
  /** Those who let all others go first. */
  readonly #patient: (() => void)[] = [];
  #last: MachineTimes & { readonly busyMs: number };
  #lookedMs: number;
  /** Of all processors, what others than the notifier kept busy. */
  #othersShare = 1;
  #isCrowded = false;
  /** Ms of a processor that were used beyond the share. */
  #debtMs = 0;
  #chargedMs = 0;
  /** Turns that were given since the last look, and may be given until the next. */
  #given = 0;
  #left = Number.POSITIVE_INFINITY;
  /** Of a piece of work, about. */
  #costMs = PIECE_MS;

  constructor(ports: CourtesyPorts) {
    this.#ports = ports;
    this.#last = { ...ports.machine(), busyMs: ports.busyMs() };
    this.#lookedMs = ports.clock.monotonicMs();
    this.#cancel = ports.clock.every(COURTESY_LOOK_MS, () => this.#look());
  }

  /** Pieces are begun one by one, each after a turn of its own. */
  get isHoldingBack(): boolean {
    return this.#isCrowded;
  }

  /** There is so little to do that what is not urgent may be done now. */
  get isQuiet(): boolean {
    return this.#othersShare < COURTESY_QUIET_MAX;
  }

  /** Resolves when one piece of work may be begun. */
  turn(): Promise<void> {
    return this.#turnIn(this.#waiting);
  }

  /** The same for what comes in thousands and can wait: nothing else ever waits behind it. */
  patientTurn(): Promise<void> {
    return this.#turnIn(this.#patient);
  }

  #turnIn(queue: (() => void)[]): Promise<void> {
    return new Promise((resolve) => {
      queue.push(resolve);
      this.#letGo();
    });
  }

  /** What somebody else was busy for on the notifier's behalf. */
  charge(ms: number): void {
    this.#chargedMs += ms;
  }

  /** Nobody waits any more. */
  stop(): void {
    this.#cancel();
    this.#isCrowded = false;
    this.#left = Number.POSITIVE_INFINITY;
    this.#letGo();
  }

  #look(): void {
    const { clock, machine, busyMs } = this.#ports;
    const now = { ...machine(), busyMs: busyMs() };
    const nowMs = clock.monotonicMs();
    const idleMs = now.idleMs - this.#last.idleMs;
    const totalMs = now.totalMs - this.#last.totalMs;
    const usedMs = now.busyMs - this.#last.busyMs + this.#chargedMs;
    const allowedMs = COURTESY_SHARE * (nowMs - this.#lookedMs);
    if (this.#given > 0) this.#costMs += COST_WEIGHT * (usedMs / this.#given - this.#costMs);
    this.#last = now;
    this.#lookedMs = nowMs;
    this.#chargedMs = 0;
    this.#given = 0;
    this.#othersShare = totalMs === 0 ? 1 : (totalMs - idleMs - usedMs) / totalMs;
    this.#isCrowded = this.#othersShare > COURTESY_OTHERS_MAX;
    this.#debtMs = this.#isCrowded ? Math.max(0, this.#debtMs + usedMs - allowedMs) : 0;
    this.#left = this.#leftAfter(allowedMs);
    this.#letGo();
  }

  #leftAfter(allowedMs: number): number {
    if (!this.#isCrowded) return Number.POSITIVE_INFINITY;
    if (this.#debtMs > 0) return 0;
    return Math.max(1, Math.floor(allowedMs / Math.max(this.#costMs, PIECE_MS_MIN)));
  }

  #letGo(): void {
    for (const queue of [this.#waiting, this.#patient]) {
      const count = Math.min(this.#left, queue.length);
      this.#left -= count;
      this.#given += count;
      for (const go of queue.splice(0, count)) go();
    }
  }
}
