import { Acknowledgements } from "./acknowledgements.ts";
import { FaultList } from "./fault-list.ts";
import type { LiveCaller } from "./live-caller.ts";
import type { LiveLoadOptions, LiveLoadResult } from "./live-load.ts";
import type { LiveReply } from "./live-reply.ts";
import { StreamRecord } from "./stream-record.ts";
import { keepTimetable } from "./timetable.ts";
import { priceFault } from "./told-price.ts";

const CREATED = 201;
/** A place of the area. */
const AREA = -1;

/** The part of a socket that the stream needs. */
export type Asked = Pick<LiveCaller, "request" | "inFlight" | "isCongested">;

/**
 * One hold after another, on all sockets.
 *
 * Invariants:
 * - A socket has at most `inFlightPerSocket` requests on the way, and none is added to one whose
 *   bytes the kernel does not take: what waits is counted as waiting, not as sent.
 * - A connection that ends is the end of the load.
 * - At the end every request that was sent has had its reply: what was acknowledged is counted.
 */
export class HoldStream {
  readonly #callers: readonly Asked[];
  readonly #options: LiveLoadOptions;
  readonly #record: StreamRecord;
  readonly #acknowledged = new Acknowledgements();
  readonly #faults = new FaultList();
  readonly #keyPrefix: string;
  #startMs = 0;
  #lastMs = 0;
  #sent = 0;
  #answered = 0;
  #turn = 0;
  /** With a rate: due, and no socket was free for it. */
  #neverSent = 0;
  /** Nothing more is sent. */
  #isClosed = false;
  #done: () => void = () => undefined;

  constructor(callers: readonly Asked[], options: LiveLoadOptions) {
    this.#callers = callers;
    this.#options = options;
    this.#keyPrefix = options.keyPrefix;
    this.#record = new StreamRecord("holds", options.ratePerSecond !== null);
  }

  get held(): number {
    return this.#record.succeeded;
  }

  run(): Promise<Omit<LiveLoadResult, "busyShare">> {
    this.#startMs = performance.now();
    this.#lastMs = this.#startMs;
    const { ratePerSecond, inFlightPerSocket } = this.#options;
    if (ratePerSecond === null) {
      for (let n = 0; n < inFlightPerSocket; n += 1) {
        for (const caller of this.#callers) this.#next(caller);
      }
    } else {
      void this.#keepTo(ratePerSecond);
    }
    return new Promise((resolve) => {
      this.#done = () => resolve(this.#result());
      this.#endIfDone();
    });
  }

  #isOver(nowMs: number): boolean {
    const { durationSeconds, amount, ratePerSecond } = this.#options;
    // With a rate, its timetable has an end.
    if (ratePerSecond !== null) return this.#isClosed;
    const isLate = durationSeconds !== null && nowMs - this.#startMs >= durationSeconds * 1_000;
    this.#isClosed ||= isLate || (amount !== null && this.#sent >= amount);
    return this.#isClosed;
  }

  /** As fast as replies come. */
  #next(caller: Asked): void {
    const nowMs = performance.now();
    if (this.#isOver(nowMs)) return this.#endIfDone();
    if (caller.isCongested) {
      setImmediate(() => this.#next(caller));
      return;
    }
    this.#hold(caller, nowMs, () => this.#next(caller));
  }

  async #keepTo(ratePerSecond: number): Promise<void> {
    const { durationSeconds, amount } = this.#options;
    const due = Math.floor(ratePerSecond * (durationSeconds ?? Number.POSITIVE_INFINITY));
    let free: Asked | null = null;
    this.#neverSent = await keepTimetable({
      now: () => performance.now(),
      startMs: this.#startMs,
      count: Math.min(due, amount ?? due),
      ratePerSecond,
      isFree: () => {
        free = this.#free();
        return free !== null;
      },
      isOver: () => this.#isClosed,
      send: (dueMs) => {
        if (free !== null) this.#hold(free, dueMs, () => undefined);
      },
    });
    this.#isClosed = true;
    this.#endIfDone();
  }

  #free(): Asked | null {
    for (let tries = 0; tries < this.#callers.length; tries += 1) {
      this.#turn += 1;
      const caller = this.#callers[this.#turn % this.#callers.length];
      if (caller === undefined || caller.isCongested) continue;
      if (caller.inFlight < this.#options.inFlightPerSocket) return caller;
    }
    return null;
  }

  #hold(caller: Asked, dueMs: number, then: () => void): void {
    const event = this.#sent % this.#options.eventIds.length;
    this.#sent += 1;
    const key = `"idempotencyKey":"${this.#keyPrefix}-${this.#sent}"`;
    const fields = `"eventId":"${this.#options.eventIds[event]}",${key}`;
    caller.request("hold", `${fields},"items":[{"area":"floor","quantity":1}]`, (reply) => {
      this.#told(reply, dueMs, event);
      then();
      if (this.#isOver(this.#lastMs)) this.#endIfDone();
    });
  }

  #told(reply: LiveReply, dueMs: number, event: number): void {
    this.#lastMs = performance.now();
    this.#answered += 1;
    const { status } = reply;
    const atMs = this.#lastMs - this.#startMs;
    this.#record.add({ status, ms: this.#lastMs - dueMs, atMs });
    if (status === 0) {
      this.#isClosed = true;
      this.#acknowledged.holdUnknown(event, 1);
    }
    if (status !== CREATED) return;
    const hold = { id: reply.bodyId, event, places: [AREA] };
    if (!this.#acknowledged.held(hold)) this.#faults.add(`hold ${hold.id} was given twice`);
    const fault = priceFault(reply.body, 1);
    if (fault !== null) this.#faults.add(`hold ${hold.id} has ${fault}`);
  }

  #endIfDone(): void {
    if (this.#answered === this.#sent && this.#isOver(performance.now())) this.#done();
  }

  #result(): Omit<LiveLoadResult, "busyShare"> {
    const seconds = (this.#lastMs - this.#startMs) / 1_000;
    const acknowledged = this.#acknowledged.pack();
    return {
      neverSent: this.#neverSent,
      seconds,
      streams: this.#record.streams(seconds),
      findings: { acknowledged, faults: this.#faults.shown, counts: {} },
    };
  }
}
