import { cpus } from "node:os";
import { COURTESY_IDLE_MIN, COURTESY_LOOK_MS, COURTESY_SHARE } from "../../engine/lane-limits.ts";
import type { Clock } from "../../workers/clock.ts";

export interface CourtesyPorts {
  readonly clock: Clock;
  /** Ms for which all processors of the machine together were idle, and have existed. */
  readonly machine: () => { readonly idleMs: number; readonly totalMs: number };
  /** Ms for which the notifier kept a processor busy, so far. */
  readonly busyMs: () => number;
}

/**
 * Lets the sale go first: while the machine has work for all of its processors, the notifier takes
 * no more than COURTESY_SHARE of one of them. What waits meanwhile is sent when the rush is over.
 *
 * Invariant: whoever waits for its turn gets it, at the latest when the notifier has paid back, at
 * that share, what it had used.
 */
export class Courtesy {
  readonly #ports: CourtesyPorts;
  readonly #cancel: () => void;
  readonly #waiting: (() => void)[] = [];
  #last: { readonly idleMs: number; readonly totalMs: number; readonly busyMs: number };
  #lookedMs: number;
  /** Ms of a processor that were used beyond the share. */
  #debtMs = 0;
  #chargedMs = 0;

  constructor(ports: CourtesyPorts) {
    this.#ports = ports;
    this.#last = { ...ports.machine(), busyMs: ports.busyMs() };
    this.#lookedMs = ports.clock.monotonicMs();
    this.#cancel = ports.clock.every(COURTESY_LOOK_MS, () => this.#look());
  }

  get isHoldingBack(): boolean {
    return this.#debtMs > 0;
  }

  /** Resolves when something may be begun. */
  turn(): Promise<void> {
    if (!this.isHoldingBack) return Promise.resolve();
    return new Promise((resolve) => {
      this.#waiting.push(resolve);
    });
  }

  /** What somebody else was busy for on the notifier's behalf. */
  charge(ms: number): void {
    this.#chargedMs += ms;
  }

  /** Nobody waits any more. */
  stop(): void {
    this.#cancel();
    this.#debtMs = 0;
    this.#letGo();
  }

  #look(): void {
    const { clock, machine, busyMs } = this.#ports;
    const now = { ...machine(), busyMs: busyMs() };
    const nowMs = clock.monotonicMs();
    const idleShare = (now.idleMs - this.#last.idleMs) / (now.totalMs - this.#last.totalMs || 1);
    const usedMs = now.busyMs - this.#last.busyMs + this.#chargedMs;
    this.#chargedMs = 0;
    const allowedMs = COURTESY_SHARE * (nowMs - this.#lookedMs);
    this.#last = now;
    this.#lookedMs = nowMs;
    const isCrowded = idleShare < COURTESY_IDLE_MIN;
    this.#debtMs = isCrowded ? Math.max(0, this.#debtMs + usedMs - allowedMs) : 0;
    if (!this.isHoldingBack) this.#letGo();
  }

  #letGo(): void {
    for (const go of this.#waiting.splice(0)) go();
  }
}

export function machineTimes(): { idleMs: number; totalMs: number } {
  let idleMs = 0;
  let totalMs = 0;
  for (const { times } of cpus()) {
    idleMs += times.idle;
    totalMs += times.user + times.nice + times.sys + times.idle + times.irq;
  }
  return { idleMs, totalMs };
}
