/**
 * The gateway's way to the actors: sends each request to the worker that hosts the event's shard,
 * and gives every answer back to its requester.
 *
 * Invariants:
 * - A worker has at most as many requests in flight as its InFlightLimit says, and never more than
 *   IN_FLIGHT_PER_WORKER_MAX; one more is answered `busy` at once. New holds are refused first.
 * - Every request is answered exactly once: by the worker, or as `timeout` when that takes too
 *   long.
 * - Changes of availability are applied before the answers of the same batch, so a buyer who reads
 *   after an answer sees what the answer said.
 */
import type { EventId } from "../engine/ids.ts";
import {
  ANSWER_WAIT_MS_MAX,
  AUDIT_WAIT_MS_MAX,
  IN_FLIGHT_PER_WORKER_MAX,
  PROJECTION_WAITS_MAX,
  REQUEST_DEADLINE_MS,
  UNPROJECTED_FACTS_PER_SHARD_MAX,
} from "../engine/limits.ts";
import { shardOf } from "../engine/shard-of.ts";
import { BatchSender } from "../workers/batch-port.ts";
import { type AskedOf, readBatch } from "../workers/batch-wire.ts";
import { type Clock, systemClock } from "../workers/clock.ts";
import { MessageReader } from "../workers/packed-message.ts";
import type { Port } from "../workers/port.ts";
import { writeRequests } from "../workers/request-wire.ts";
import type {
  Answer,
  InventoryChange,
  InventoryReset,
  Notice,
  Operation,
  ShardRequest,
  WorkerBatch,
} from "../workers/shard-messages.ts";
import { InFlightLimit } from "./in-flight-limit.ts";
import { RequestTable } from "./request-table.ts";
import type { AskSpan, Tracing } from "./tracing/tracing-port.ts";

/** An actor's answer, or `timeout`: none came in time and the outcome is not known. */
export type Answered = Answer | { readonly kind: "timeout" };
/** `lsn`: the answer is in the database once the event's shard is projected up to it. */
export type Done = (answer: Answered, lsn: number) => void;

export interface ShardListener {
  changed(change: InventoryChange | InventoryReset): void;
  noticed(notice: Notice): void;
}

/** One worker as the router sees it. */
interface Lane {
  readonly sender: BatchSender<ShardRequest>;
  readonly limit: InFlightLimit;
  inFlight: number;
}

/** One turn of the gateway's loop: what is asked in it leaves at its end. */
interface Turn {
  /** When it first asked something: monotonic, and Unix ms. */
  readonly acceptedMs: number;
  readonly wallMs: number;
  endedMs: number;
}

interface Pending {
  readonly done: Done;
  readonly lane: Lane;
  readonly shard: number;
  readonly turn: Turn;
  readonly operation: Operation;
  readonly span: AskSpan | null;
}

interface ProjectionWait {
  readonly lsn: number;
  readonly settle: (projected: boolean) => void;
}

export interface ShardRouterOptions {
  /** One port per worker; worker n hosts the shards s with s % workers = n. */
  readonly ports: readonly Port[];
  readonly shardCount: number;
  /** What PostgreSQL has of each shard at the start. */
  readonly watermarks: readonly (readonly [shard: number, lsn: number])[];
  /** Default: the machine's. */
  readonly clock?: Clock;
  /** Requests that one worker may have. Default: IN_FLIGHT_PER_WORKER_MAX. */
  readonly inFlightMax?: number;
  /**
   * Facts of one shard that PostgreSQL may lack. From half of it on new holds are refused: bookings
   * have the other half. Default: UNPROJECTED_FACTS_PER_SHARD_MAX.
   */
  readonly unprojectedFactsMax?: number;
  /** Default: nothing is traced. */
  readonly tracing?: Tracing | null;
}

/** How often requests are looked through for those that waited too long. */
const SWEEP_MS = 1_000;

const BUSY: Answer = { kind: "refused", refusal: { code: "busy" } };

export class ShardRouter {
  readonly #lanes: readonly Lane[];
  readonly #lagForHoldsMax: number;
  readonly #shardCount: number;
  /** Per shard, the highest lsn that an answer told of. */
  readonly #toldLsn: Float64Array;
  readonly #pending = new RequestTable<Pending>();
  readonly #askedOf: AskedOf = (id) => this.#pending.find(id)?.operation ?? null;
  readonly #projected = new Map<number, number>();
  readonly #projectionWaits = new Map<number, Set<ProjectionWait>>();
  #projectionWaitCount = 0;
  readonly #clock: Clock;
  readonly #tracing: Tracing | null;
  readonly #endSweeps: () => void;
  readonly #stoppedShards = new Set<number>();
  #lastEventId: EventId | null = null;
  #lastShard = 0;
  /** null: nothing has been asked in this turn. */
  #turn: Turn | null = null;
  #listener: ShardListener | null = null;
  #idle: (() => void)[] = [];

  constructor({
    ports,
    shardCount,
    watermarks,
    clock = systemClock,
    inFlightMax = IN_FLIGHT_PER_WORKER_MAX,
    unprojectedFactsMax = UNPROJECTED_FACTS_PER_SHARD_MAX,
    tracing = null,
  }: ShardRouterOptions) {
    this.#tracing = tracing;
    this.#lagForHoldsMax = unprojectedFactsMax / 2;
    this.#shardCount = shardCount;
    this.#clock = clock;
    this.#toldLsn = new Float64Array(shardCount);
    this.#lanes = ports.map((port) => ({
      sender: new BatchSender(port, clock.soon, writeRequests),
      limit: new InFlightLimit(clock.monotonicMs(), inFlightMax),
      inFlight: 0,
    }));
    for (const port of ports) {
      port.on("message", (buffer: ArrayBuffer) =>
        this.#receive(readBatch(new MessageReader(buffer), this.#askedOf)),
      );
    }
    this.projected(watermarks);
    this.#endSweeps = clock.every(SWEEP_MS, () => this.#sweep(clock.monotonicMs()));
  }

  /** Requests that have no answer yet. */
  get inFlight(): number {
    return this.#pending.size;
  }

  /** Requests in flight per worker, and from how many on new holds are refused. */
  get lanes(): { readonly inFlight: number; readonly holdsMax: number }[] {
    return this.#lanes.map(({ inFlight, limit }) => ({ inFlight, holdsMax: limit.holds }));
  }

  /** Requests for each shard that have no answer yet; a shard without any is not in it. */
  inFlightByShard(): ReadonlyMap<number, number> {
    const counts = new Map<number, number>();
    this.#pending.forEach(({ shard }) => {
      counts.set(shard, (counts.get(shard) ?? 0) + 1);
    });
    return counts;
  }

  listen(listener: ShardListener): void {
    this.#listener = listener;
  }

  /** In a rush it is nearly always asked for the same event, several times for each request. */
  shardOf(eventId: EventId): number {
    if (eventId !== this.#lastEventId) {
      this.#lastEventId = eventId;
      this.#lastShard = shardOf(eventId, this.#shardCount);
    }
    return this.#lastShard;
  }

  /**
   * Whether a new hold would be refused now: asked before any work is spent on it, since refusing
   * has to be cheap when there is much to refuse.
   */
  refusesHolds(eventId: EventId): boolean {
    const shard = this.shardOf(eventId);
    const lane = this.#lanes[shard % this.#lanes.length];
    return lane === undefined || this.#isRefused("hold", shard, lane);
  }

  /** Whether a new hold would be refused now, whatever its event: so much is known for nothing. */
  refusesAllHolds(): boolean {
    return this.#lanes.every(({ limit, inFlight }) => inFlight >= limit.holds);
  }

  /** Sends one operation to the event's actor; `done` is called exactly once, never at once. */
  execute(eventId: EventId, operation: Operation, done: Done): void {
    const shard = this.shardOf(eventId);
    const lane = this.#lanes[shard % this.#lanes.length];
    if (lane === undefined || this.#isRefused(operation.kind, shard, lane)) {
      this.#clock.soon(() => done(BUSY, 0));
      return;
    }
    lane.inFlight += 1;
    const turn = this.#turn ?? this.#newTurn();
    const deadlineMs = turn.wallMs + REQUEST_DEADLINE_MS;
    const span = this.#tracing?.ask({ eventId, shard, kind: operation.kind }) ?? null;
    const id = this.#pending.add({ done, lane, shard, turn, operation, span });
    const request = { id, shard, eventId, deadlineMs, operation };
    lane.sender.send(span === null ? request : { ...request, trace: span.context });
  }

  #newTurn(): Turn {
    const clock = this.#clock;
    const [acceptedMs, wallMs] = [clock.monotonicMs(), clock.wallMs()];
    const turn = { acceptedMs, wallMs, endedMs: Number.POSITIVE_INFINITY };
    this.#turn = turn;
    clock.soon(() => {
      turn.endedMs = clock.monotonicMs();
      this.#turn = null;
    });
    return turn;
  }

  #isRefused(kind: Operation["kind"], shard: number, { limit, inFlight }: Lane): boolean {
    if (this.#stoppedShards.has(shard)) return true;
    const isHold = kind === "hold";
    if (inFlight >= (isHold ? limit.holds : limit.any)) return true;
    return isHold && this.#lagOf(shard) > this.#lagForHoldsMax;
  }

  /** Facts of the shard that were told of and that PostgreSQL lacks. */
  #lagOf(shard: number): number {
    return (this.#toldLsn[shard] ?? 0) - (this.#projected.get(shard) ?? 0);
  }

  ask(eventId: EventId, operation: Operation): Promise<{ answer: Answered; lsn: number }> {
    return new Promise((resolve) => {
      this.execute(eventId, operation, (answer, lsn) => resolve({ answer, lsn }));
    });
  }

  /**
   * True once PostgreSQL has the shard up to `lsn`; false when that takes too long, or when too
   * many wait already.
   */
  whenProjected(shard: number, lsn: number): Promise<boolean> {
    if (this.isProjected(shard, lsn)) return Promise.resolve(true);
    if (this.#projectionWaitCount >= PROJECTION_WAITS_MAX) return Promise.resolve(false);
    return new Promise((resolve) => {
      const waits = this.#projectionWaits.get(shard) ?? new Set();
      const settle = (projected: boolean): void => {
        giveUp();
        this.#projectionWaitCount -= 1;
        waits.delete(wait);
        resolve(projected);
      };
      const wait = { lsn, settle };
      const giveUp = this.#clock.after(REQUEST_DEADLINE_MS, () => settle(false));
      this.#projectionWaitCount += 1;
      waits.add(wait);
      this.#projectionWaits.set(shard, waits);
    });
  }

  /** As whenProjected: up to whatever anybody was told of the shard by now. */
  whenTold(shard: number): Promise<boolean> {
    return this.whenProjected(shard, this.#toldLsn[shard] ?? 0);
  }

  /**
   * True once PostgreSQL has whatever anybody was told by now: for reads that are rare and must
   * miss nothing. False as with `whenProjected`.
   */
  async whenAllProjected(): Promise<boolean> {
    const waits = Array.from(this.#toldLsn, (_, shard) => this.whenTold(shard));
    return (await Promise.all(waits)).every((projected) => projected);
  }

  /**
   * The database refused a fact of this shard: nothing of it is trusted until people have looked.
   */
  stopShard(shard: number): void {
    this.#stoppedShards.add(shard);
  }

  isProjected(shard: number, lsn: number): boolean {
    return lsn <= (this.#projected.get(shard) ?? 0);
  }

  projected(watermarks: readonly (readonly [shard: number, lsn: number])[]): void {
    for (const [shard, lsn] of watermarks) {
      this.#projected.set(shard, lsn);
      for (const wait of this.#projectionWaits.get(shard) ?? []) {
        if (wait.lsn <= lsn) wait.settle(true);
      }
    }
  }

  /** Resolves when every request that was accepted has its answer. */
  drained(): Promise<void> {
    if (this.#pending.size === 0) return Promise.resolve();
    return new Promise((resolve) => this.#idle.push(resolve));
  }

  stop(): void {
    this.#endSweeps();
  }

  #receive(batch: WorkerBatch): void {
    const listener = this.#listener;
    if (listener !== null) {
      for (const change of batch.changes) listener.changed(change);
      for (const notice of batch.notices) {
        this.#told(this.shardOf(notice.eventId), notice.lsn);
        listener.noticed(notice);
      }
    }
    for (const decision of batch.decisions ?? []) this.#tracing?.decided(decision);
    const nowMs = this.#clock.monotonicMs();
    for (const { id, lsn, answer } of batch.answers) {
      const pending = this.#pending.take(id);
      if (pending === null) continue;
      pending.lane.limit.answered(batch.sentMs - pending.turn.endedMs, nowMs);
      this.#settle(pending, answer, lsn);
    }
  }

  /** Somebody heard of what the shard has up to this lsn. */
  #told(shard: number, lsn: number): void {
    if (lsn > (this.#toldLsn[shard] ?? 0)) this.#toldLsn[shard] = lsn;
  }

  /** Ends what was taken out of #pending. */
  #settle(pending: Pending, answer: Answered, lsn: number): void {
    const { lane, shard } = pending;
    lane.inFlight -= 1;
    this.#told(shard, lsn);
    pending.span?.end(answer.kind);
    pending.done(answer, lsn);
    if (this.#pending.size > 0) return;
    for (const resolve of this.#idle.splice(0)) resolve();
  }

  #sweep(nowMs: number): void {
    this.#pending.forEach((pending, id) => {
      const isAudit = pending.operation.kind === "audit";
      const waitMsMax = isAudit ? AUDIT_WAIT_MS_MAX : ANSWER_WAIT_MS_MAX;
      if (nowMs - pending.turn.acceptedMs < waitMsMax) return;
      if (this.#pending.take(id) !== null) this.#settle(pending, { kind: "timeout" }, 0);
    });
  }
}
