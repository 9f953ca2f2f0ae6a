/**
 * The real server under load, killed at moments of a schedule and started again, and what its
 * clients were told meanwhile.
 *
 * Invariants:
 * - Clients never stop asking: what nobody answered before the kill is asked again after it.
 * - An outage is noted from before the kill until after the server is ready again.
 */

import assert from "node:assert/strict";
import { setTimeout as delay } from "node:timers/promises";
import { Random } from "../../engine/testing/random.ts";
import type { EventRecord, OperationRecord } from "../linearizability/history.ts";
import { ApiClient } from "../support/client.ts";
import { unlessUndocumented } from "../support/documented-answers.ts";
import { StartFailed, TestNode } from "../support/server.ts";
import type { SignedIn } from "../support/shapes.ts";
import { auditOf, availabilityOf, ok, openStudio, SMALL_PLAN, seatIds } from "../support/venue.ts";
import { Buyer, type Sale } from "./buyer.ts";
import { type Asker, clockMs, Recorder } from "./recorder.ts";
import { type Cycle, FIRST_SHARDS, FIRST_WORKERS, type Moment, scheduleOf } from "./schedule.ts";

export interface CrashOptions {
  readonly seed: number;
  readonly cycles: number;
  readonly ackMode: string;
  readonly shardsVary: boolean;
  readonly buyersPerEvent: number;
  /** Told of each cycle. */
  readonly log: (line: string) => void;
}

/** One that is always sold out, one that never is, and one between. */
const EVENTS = [
  { holdTtlSeconds: 1, seats: 20 },
  { holdTtlSeconds: 1, seats: 60 },
  { holdTtlSeconds: 2, seats: 150 },
];
const AREAS = [
  { key: "floor", name: "Floor", capacity: 8, priceCategory: "standing" },
  { key: "stand", name: "Stand", capacity: 16, priceCategory: "standing" },
];
const PER_ORDER_MAX = 4;
const PER_USER_MAX = 9;
/** Things that one buyer does before another one comes. */
const ACTS_OF_A_BUYER = { min: 20, max: 150 };
const PAUSE_MS_MAX = 8;
/** An answer to wait for may not come: nobody has anything to cancel. */
const ANSWER_MS_MAX = 1_000;
/** A timer that is so late says that the whole machine, or this process, stood still. */
const STALL_MS = 250;
const TICK_MS = 50;

export class CrashRun {
  readonly options: CrashOptions;
  readonly node: TestNode;
  readonly api: ApiClient;
  readonly recorder: Recorder;
  readonly sales: Sale[] = [];
  /** Everyone who ever asked, with the time of their token. */
  readonly askers: { readonly asker: Asker; readonly sinceMs: number }[] = [];
  readonly startsMs: number[] = [];
  readonly moments = new Map<Moment["kind"], number>();
  kills = 0;
  #stopping = false;
  #cycles: Promise<void> = Promise.resolve();
  #slackMs = 2;
  readonly #random: Random;

  private constructor(options: CrashOptions, node: TestNode) {
    this.options = options;
    this.node = node;
    this.api = new ApiClient(() => node.url);
    this.recorder = new Recorder(this.api, () => node.url);
    this.#random = new Random(options.seed);
  }

  static async start(options: CrashOptions): Promise<CrashRun> {
    const env = { ...envOf({ shards: FIRST_SHARDS, workers: FIRST_WORKERS }) };
    const node = await TestNode.start({ ...env, ACK_MODE: options.ackMode });
    return new CrashRun(options, node);
  }

  async close(): Promise<void> {
    this.#stopping = true;
    this.recorder.close();
    // After a failure a cycle may be under way: it would start the server again.
    await Promise.allSettled([this.#cycles]);
    this.api.close();
    await this.node.remove();
  }

  /** Sells under load through all cycles of the schedule; returns when the last one is over. */
  async sell(): Promise<void> {
    for (const event of EVENTS) await this.#open(event);
    const watch = this.#watchClock();
    const crowd = this.sales.flatMap((sale) =>
      Array.from({ length: this.options.buyersPerEvent }, () => this.#visit(sale)),
    );
    this.#cycles = this.#killInCycles();
    try {
      // A buyer who finds something wrong ends the run at once.
      await Promise.all([this.#cycles, ...crowd]);
      await this.recorder.answerDropped();
    } finally {
      clearInterval(watch);
    }
    this.recorder.records.push({ kind: "clock", slackMs: this.#slackMs });
  }

  async #killInCycles(): Promise<void> {
    for (const [n, cycle] of scheduleOf(this.options).entries()) {
      if (this.#stopping) return;
      await this.#cycle(n, cycle);
    }
    this.#stopping = true;
  }

  async #open({ holdTtlSeconds, seats: count }: (typeof EVENTS)[number]): Promise<void> {
    const event = await openStudio(this.api, {
      holdTtlSeconds,
      limits: { perOrder: PER_ORDER_MAX, perUser: PER_USER_MAX },
      seatingPlan: planOf(count),
      areas: AREAS,
    });
    const seats = await seatIds(this.api, event.id);
    const { seq } = await availabilityOf(this.api, event.id);
    const areas = AREAS.map(({ key }) => key);
    this.sales.push({ eventId: event.id, seats, areas, holdIds: [], bookingIds: [] });
    const record: EventRecord = {
      kind: "event",
      eventId: event.id,
      seq,
      seats,
      areas: AREAS.map(({ key, capacity }) => ({ key, capacity })),
      holdTtlMs: 1_000 * holdTtlSeconds,
      perOrderMax: PER_ORDER_MAX,
      perUserMax: PER_USER_MAX,
    };
    this.recorder.records.push(record);
  }

  /** One place in the crowd of an event: a buyer, and when that one leaves another. */
  async #visit(sale: Sale): Promise<void> {
    const random = new Random(this.#random.below(2 ** 32));
    while (!this.#stopping) {
      const asker = await this.#guest(sale, random.next() < 0.25);
      if (asker === null) continue;
      this.askers.push({ asker, sinceMs: clockMs() });
      const buyer = new Buyer(asker, sale, this.recorder, random);
      const { min, max } = ACTS_OF_A_BUYER;
      const acts = min + random.below(max - min);
      for (let act = 0; act < acts && !this.#stopping; act += 1) {
        await buyer.act();
        await delay(random.below(PAUSE_MS_MAX));
      }
      asker.live?.close();
      asker.live = null;
    }
  }

  /** null: the server was away. */
  async #guest({ eventId }: Sale, prefersLive: boolean): Promise<Asker | null> {
    await this.recorder.gate.opened();
    const reply = await this.api.post<SignedIn>("/api/v1/auth/guest").catch(unlessUndocumented);
    if (reply === null) {
      await delay(10);
      return null;
    }
    const { user, accessToken: token } = ok(reply, 201);
    return { user: user.id, token, eventId, prefersLive, live: null };
  }

  async #cycle(n: number, cycle: Cycle): Promise<void> {
    const { moment, loadMs } = cycle;
    await delay(loadMs);
    if (moment.kind === "after-answer") await this.#answer(moment);
    const fromMs = this.#beginOutage();
    const env = envOf(cycle);
    switch (moment.kind) {
      case "mid-load":
      case "after-answer":
        await this.#kill();
        break;
      case "start-up":
        await this.#kill();
        for (const delayMs of moment.delaysMs) {
          await this.#killStart(env, (ended) => Promise.race([delay(delayMs), ended]));
        }
        break;
      case "recovery":
        await this.#kill();
        await this.#killStart(env, (ended) => this.#recovering(ended, moment.delayMs));
        break;
      case "drain":
        await this.#killDrain(moment.delayMs);
        break;
      case "twice":
        await this.#kill();
        await this.#restart(env);
        this.recorder.gate.open();
        await delay(moment.delayMs);
        this.recorder.gate.close();
        await this.#kill();
        break;
    }
    await this.#restart(env);
    this.#endOutage(fromMs);
    this.moments.set(moment.kind, 1 + (this.moments.get(moment.kind) ?? 0));
    this.options.log(
      `cycle ${n + 1}: ${JSON.stringify({ loadMs, ...moment })}, back with ` +
        `${cycle.shards} shards and ${cycle.workers} workers after ${this.startsMs.at(-1)} ms`,
    );
    const dropped = this.recorder.answerDropped();
    this.recorder.gate.open();
    await dropped;
    await auditOf(this.api, this.#random.pick(this.sales).eventId);
  }

  #beginOutage(): number {
    this.recorder.gate.close();
    return clockMs();
  }

  #endOutage(fromMs: number): void {
    this.recorder.records.push({ kind: "outage", cause: "restart", fromMs, toMs: clockMs() });
  }

  /** Resolves in the very turn in which the answer arrives, or when it takes too long. */
  #answer({ to, nth }: Extract<Moment, { kind: "after-answer" }>): Promise<void> {
    let left = nth;
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ANSWER_MS_MAX);
      this.recorder.onAnswer = ({ operation, answer }: OperationRecord) => {
        if (operation.kind !== to || answer.status >= 300) return;
        left -= 1;
        if (left > 0) return;
        this.recorder.onAnswer = () => undefined;
        clearTimeout(timer);
        resolve();
      };
    });
  }

  async #kill(): Promise<void> {
    this.kills += 1;
    await this.node.kill9();
  }

  async #restart(env: Readonly<Record<string, string>>): Promise<void> {
    const startedMs = clockMs();
    await this.node.start(env);
    this.startsMs.push(Math.round(clockMs() - startedMs));
  }

  /** Begins a start, and kills it when `moment` has come, ready or not. */
  async #killStart(
    env: Readonly<Record<string, string>>,
    moment: (ended: Promise<unknown>) => Promise<unknown>,
  ): Promise<void> {
    const ended = this.node.start(env).then(
      () => null,
      (error: unknown) => error,
    );
    await moment(ended);
    await this.#kill();
    const error = await ended;
    if (error === null) return;
    assert.ok(error instanceof StartFailed, String(error));
    assert.equal(error.exit.signal, "SIGKILL", `it refused to start: ${error.stderr}`);
  }

  /** Resolves some time after the journal was read, while PostgreSQL is brought up to it. */
  async #recovering(ended: Promise<unknown>, delayMs: number): Promise<void> {
    let isOver = false;
    const over = ended.then(() => {
      isOver = true;
    });
    while (!isOver && this.node.logged("journal tail recovered").length === 0) await delay(1);
    await Promise.race([delay(delayMs), over]);
  }

  async #killDrain(delayMs: number): Promise<void> {
    const stopped = this.node.stop();
    await Promise.race([delay(delayMs), stopped]);
    if (this.node.isUp) await this.#kill();
    const { code, signal } = await stopped;
    assert.ok(code === 0 || signal === "SIGKILL", `it stopped with ${code}`);
  }

  /** Notes when everything stood still, and how far this clock is from the server's. */
  #watchClock(): NodeJS.Timeout {
    let lastMs = clockMs();
    return setInterval(() => {
      const nowMs = clockMs();
      this.#slackMs = Math.max(this.#slackMs, 2 + Math.abs(nowMs - Date.now()));
      if (nowMs - lastMs > TICK_MS + STALL_MS) {
        this.recorder.records.push({ kind: "outage", cause: "stall", fromMs: lastMs, toMs: nowMs });
      }
      lastMs = nowMs;
    }, TICK_MS);
  }
}

function envOf({ shards, workers }: Pick<Cycle, "shards" | "workers">): Record<string, string> {
  return { SHARDS: String(shards), WORKERS: String(workers) };
}

/** A row of so many seats, in the two categories of the studio. */
function planOf(count: number): object {
  const [zone] = SMALL_PLAN.zones;
  const seats = Array.from({ length: count }, (_, index) => ({
    seat_guid: `A-${index + 1}`,
    seat_number: String(index + 1),
    category: index % 3 === 0 ? "Balcony" : "Stalls",
    position: { x: index, y: 0 },
  }));
  return { ...SMALL_PLAN, zones: [{ ...zone, rows: [{ row_number: "A", seats }] }] };
}
