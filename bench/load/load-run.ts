import type autocannon from "autocannon";
import type { Stream } from "../report/report.ts";
import {
  AutocannonConnection,
  type ConnectionOwner,
  type HttpAnswer,
} from "./autocannon-connection.ts";
import type { Flow, Visitor } from "./flow.ts";
import { isSuccess, StreamRecord } from "./stream-record.ts";

/** How often connections whose request is due are sent off. */
const TICK_MS = 1;

export interface LoadBounds {
  readonly connections: number;
  /**
   * So long at first, times are not counted: the load's own code is cold and its connections are
   * being opened, and both would be taken for the server's.
   */
  readonly settleSeconds: number;
  /** No request is sent after so many seconds more; those on their way are waited for. */
  readonly seconds: number;
  /** Exactly so many requests are sent, unless the time is over first; null: any number. */
  readonly requests: number | null;
  /** Requests a second of all connections together; null: each sends as fast as answers come. */
  readonly ratePerSecond: number | null;
}

/** One connection: what it sends, and since when it should have. */
interface Lane {
  readonly visitor: Visitor;
  readonly connection: AutocannonConnection;
  /** When its next request is due; 0: whenever it can be sent. */
  dueMs: number;
  /** Before this it sends nothing, as its visitor paused. */
  pausedUntilMs: number;
  /** Waits for its time, with nothing on its way. */
  isIdle: boolean;
  /** Of the request on its way. */
  stream: number;
  sinceMs: number;
}

/**
 * A load while it runs. With a rate, every connection has a timetable, and the time of a request
 * counts from when it was due, however late its connection was free (as wrk2 does it): a server
 * that stands still for a second is late for all that were due in it, not for one.
 *
 * Invariants: what was sent is counted once, when its answer came or its connection was lost;
 * `ended` resolves when nothing is on its way and nothing will be sent.
 */
export class LoadRun {
  readonly #flow: Flow;
  readonly #bounds: LoadBounds;
  readonly #records: readonly StreamRecord[];
  /** Successes of requests that do not count, by stream. */
  readonly #uncounted: number[];
  readonly #lanes: Lane[] = [];
  readonly #ticker: NodeJS.Timeout;
  readonly #startMs = performance.now();
  /** Requests count whose time begins here or later. */
  readonly #countMs: number;
  #lastAnswerMs = this.#startMs;
  #lastSentMs = this.#startMs;
  /** When it was over; null: it is not, or its visitors have ended it. */
  #overMs: number | null = null;
  /** When there was nothing left to do for the first of its visitors; null: there is. */
  #doneMs: number | null = null;
  #sent = 0;
  #open: number;
  #isStopped = false;
  #endNow: () => void = () => undefined;
  readonly ended: Promise<void>;

  constructor(flow: Flow, bounds: LoadBounds) {
    this.#flow = flow;
    this.#bounds = bounds;
    this.#countMs = this.#startMs + bounds.settleSeconds * 1_000;
    this.#open = bounds.connections;
    const isCorrected = bounds.ratePerSecond !== null;
    this.#records = flow.streams.map((name) => new StreamRecord(name, isCorrected));
    this.#uncounted = flow.streams.map(() => 0);
    this.ended = new Promise((resolve) => {
      this.#endNow = resolve;
    });
    this.#ticker = setInterval(() => this.#tick(), TICK_MS);
  }

  /** For `setupClient` of autocannon, once a connection. */
  readonly adopt = (client: autocannon.Client): void => {
    const index = this.#lanes.length;
    const { ratePerSecond } = this.#bounds;
    const owner: ConnectionOwner = {
      ready: () => this.#proceed(lane),
      answered: (answer) => this.#answered(lane, answer),
      closed: () => this.#closed(lane),
    };
    const lane: Lane = {
      visitor: this.#flow.visitor(index),
      connection: new AutocannonConnection(client, owner),
      // One after another, so that all together are even.
      dueMs: ratePerSecond === null ? 0 : this.#startMs + (index * 1_000) / ratePerSecond,
      pausedUntilMs: 0,
      isIdle: false,
      stream: 0,
      sinceMs: 0,
    };
    this.#lanes.push(lane);
  };

  /** Sends nothing any more. */
  stop(): void {
    this.#isStopped = true;
  }

  /** Of what does not count, too. */
  get succeededInAll(): number[] {
    return this.#records.map((record, index) => record.succeeded + (this.#uncounted[index] ?? 0));
  }

  get succeeded(): number[] {
    return this.#records.map((record) => record.succeeded);
  }

  /**
   * Seconds that count. Each answer lets the next request go, so those that are sent within a time
   * are as many as are answered in it, if it begins when all connections have one on its way: then
   * it ends with the last that may be sent. Otherwise it goes from the first to the last answer.
   */
  get seconds(): number {
    const sentMs = this.#overMs ?? this.#lastSentMs;
    const endMs = this.#bounds.settleSeconds === 0 ? this.#lastAnswerMs : sentMs;
    // To the microsecond: sums of its clock have more digits than it can tell.
    return Math.round(Math.max(0, endMs - this.#countMs) * 1_000) / 1_000_000;
  }

  /** Requests that were due while there was something to do, and were not sent. */
  get neverSent(): number {
    const { ratePerSecond, requests, settleSeconds, seconds } = this.#bounds;
    if (ratePerSecond === null) return 0;
    const doneSeconds = ((this.#doneMs ?? Number.POSITIVE_INFINITY) - this.#startMs) / 1_000;
    const due = Math.floor(ratePerSecond * Math.min(settleSeconds + seconds, doneSeconds));
    return Math.max(0, Math.min(due, requests ?? due) - this.#sent);
  }

  /** Without kinds of requests that this load never made. */
  streams(): Stream[] {
    const made = this.#records.filter((record, index) => index === 0 || record.wasAsked);
    return made.flatMap((record) => record.streams(this.seconds));
  }

  #isOver(nowMs: number): boolean {
    const { requests, seconds } = this.#bounds;
    const endMs = this.#countMs + seconds * 1_000;
    const isUsedUp = requests !== null && this.#sent >= requests;
    if (isUsedUp || this.#isStopped || nowMs >= endMs) this.#overMs ??= Math.min(nowMs, endMs);
    return this.#overMs !== null;
  }

  #proceed(lane: Lane): void {
    const nowMs = performance.now();
    lane.isIdle = false;
    if (this.#isOver(nowMs)) return lane.connection.end();
    if (nowMs < Math.max(lane.dueMs, lane.pausedUntilMs)) {
      lane.isIdle = true;
      return;
    }
    const step = lane.visitor.next();
    if (step.kind === "end") {
      this.#doneMs ??= nowMs;
      return lane.connection.end();
    }
    if (step.kind === "pause") {
      lane.pausedUntilMs = nowMs + step.ms;
      lane.isIdle = true;
      return;
    }
    const { ratePerSecond, connections } = this.#bounds;
    lane.stream = step.stream;
    lane.sinceMs = ratePerSecond === null ? nowMs : Math.max(lane.dueMs, lane.pausedUntilMs);
    if (ratePerSecond !== null) lane.dueMs += (connections * 1_000) / ratePerSecond;
    this.#sent += 1;
    this.#lastSentMs = nowMs;
    lane.connection.send(step.text);
  }

  #answered(lane: Lane, answer: HttpAnswer): void {
    const nowMs = performance.now();
    this.#lastAnswerMs = nowMs;
    if (lane.sinceMs >= this.#countMs) {
      const times = { ms: nowMs - lane.sinceMs, atMs: nowMs - this.#countMs };
      this.#records[lane.stream]?.add({ status: answer.status, ...times });
    } else if (isSuccess(answer.status)) {
      this.#uncounted[lane.stream] = (this.#uncounted[lane.stream] ?? 0) + 1;
    }
    lane.visitor.answered(answer);
  }

  #tick(): void {
    for (const lane of this.#lanes) if (lane.isIdle) this.#proceed(lane);
  }

  #closed(lane: Lane): void {
    lane.visitor.left();
    this.#open -= 1;
    if (this.#open > 0) return;
    clearInterval(this.#ticker);
    this.#endNow();
  }
}
