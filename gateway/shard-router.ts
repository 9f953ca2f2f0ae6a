/**
 * The gateway's way to the actors: sends each request to the worker that hosts the event's shard,
 * and gives every answer back to its requester.
 *
 * Invariants:
 * - A worker has at most IN_FLIGHT_PER_WORKER_MAX requests; one more is answered `busy` at once.
 * - Every request is answered exactly once: by the worker, or as `timeout` when that takes too
 *   long.
 * - Changes of availability are applied before the answers of the same batch, so a buyer who reads
 *   after an answer sees what the answer said.
 */
import type { EventId } from "../engine/ids.ts";
import {
  ANSWER_WAIT_MS_MAX,
  IN_FLIGHT_PER_WORKER_MAX,
  REQUEST_DEADLINE_MS,
} from "../engine/limits.ts";
import { shardOf } from "../engine/shard-of.ts";
import { BatchSender, unpackMessage } from "../workers/batch-port.ts";
import { type Clock, systemClock } from "../workers/clock.ts";
import type { Port } from "../workers/port.ts";
import type {
  Answer,
  HoldExpiredNotice,
  InventoryChange,
  InventoryReset,
  Operation,
  ShardRequest,
  WorkerBatch,
} from "../workers/shard-messages.ts";

/** An actor's answer, or `timeout`: none came in time and the outcome is not known. */
export type Answered = Answer | { readonly kind: "timeout" };
/** `lsn`: the answer is in the database once the event's shard is projected up to it. */
export type Done = (answer: Answered, lsn: number) => void;

export interface ShardListener {
  changed(change: InventoryChange | InventoryReset): void;
  expired(notice: HoldExpiredNotice): void;
}

interface Pending {
  readonly done: Done;
  readonly worker: number;
  readonly sentMs: number;
}

interface ProjectionWait {
  readonly lsn: number;
  readonly resolve: (projected: boolean) => void;
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
}

/** How often requests are looked through for those that waited too long. */
const SWEEP_MS = 1_000;

const BUSY: Answer = { kind: "refused", refusal: { code: "busy" } };

export class ShardRouter {
  readonly #senders: BatchSender<ShardRequest>[];
  readonly #inFlight: number[];
  readonly #inFlightMax: number;
  readonly #shardCount: number;
  readonly #pending = new Map<number, Pending>();
  readonly #projected = new Map<number, number>();
  readonly #projectionWaits = new Map<number, ProjectionWait[]>();
  readonly #clock: Clock;
  readonly #endSweeps: () => void;
  readonly #stoppedShards = new Set<number>();
  #listener: ShardListener | null = null;
  #nextId = 1;
  #idle: (() => void)[] = [];

  constructor({
    ports,
    shardCount,
    watermarks,
    clock = systemClock,
    inFlightMax = IN_FLIGHT_PER_WORKER_MAX,
  }: ShardRouterOptions) {
    this.#inFlightMax = inFlightMax;
    this.#shardCount = shardCount;
    this.#clock = clock;
    this.#senders = ports.map((port) => new BatchSender(port, clock.soon));
    this.#inFlight = ports.map(() => 0);
    for (const port of ports) {
      port.on("message", (buffer: ArrayBuffer) => this.#receive(unpackMessage(buffer)));
    }
    this.projected(watermarks);
    this.#endSweeps = clock.every(SWEEP_MS, () => this.#sweep(clock.wallMs()));
  }

  listen(listener: ShardListener): void {
    this.#listener = listener;
  }

  shardOf(eventId: EventId): number {
    return shardOf(eventId, this.#shardCount);
  }

  /** Sends one operation to the event's actor; `done` is called exactly once, never at once. */
  execute(eventId: EventId, operation: Operation, done: Done): void {
    const shard = this.shardOf(eventId);
    const worker = shard % this.#senders.length;
    const sender = this.#senders[worker];
    const inFlight = this.#inFlight[worker] ?? 0;
    const isFull = inFlight >= this.#inFlightMax;
    if (sender === undefined || isFull || this.#stoppedShards.has(shard)) {
      this.#clock.soon(() => done(BUSY, 0));
      return;
    }
    this.#inFlight[worker] = inFlight + 1;
    const id = this.#nextId;
    this.#nextId += 1;
    const sentMs = this.#clock.wallMs();
    this.#pending.set(id, { done, worker, sentMs });
    sender.send({ id, shard, eventId, deadlineMs: sentMs + REQUEST_DEADLINE_MS, operation });
  }

  ask(eventId: EventId, operation: Operation): Promise<{ answer: Answered; lsn: number }> {
    return new Promise((resolve) => {
      this.execute(eventId, operation, (answer, lsn) => resolve({ answer, lsn }));
    });
  }

  /** True once PostgreSQL has the shard up to `lsn`; false when that takes too long. */
  whenProjected(shard: number, lsn: number): Promise<boolean> {
    if (this.isProjected(shard, lsn)) return Promise.resolve(true);
    return new Promise((resolve) => {
      const settle = (projected: boolean): void => {
        giveUp();
        resolve(projected);
      };
      const giveUp = this.#clock.after(REQUEST_DEADLINE_MS, () => settle(false));
      const waits = this.#projectionWaits.get(shard) ?? [];
      waits.push({ lsn, resolve: settle });
      this.#projectionWaits.set(shard, waits);
    });
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
      const waits = this.#projectionWaits.get(shard);
      if (waits === undefined) continue;
      const still = waits.filter((wait) => wait.lsn > lsn);
      if (still.length === 0) this.#projectionWaits.delete(shard);
      else this.#projectionWaits.set(shard, still);
      for (const wait of waits) if (wait.lsn <= lsn) wait.resolve(true);
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
      for (const notice of batch.expired) listener.expired(notice);
    }
    for (const { id, lsn, answer } of batch.answers) this.#settle(id, answer, lsn);
  }

  #settle(id: number, answer: Answered, lsn: number): void {
    const pending = this.#pending.get(id);
    if (pending === undefined) return;
    this.#pending.delete(id);
    this.#inFlight[pending.worker] = (this.#inFlight[pending.worker] ?? 1) - 1;
    pending.done(answer, lsn);
    if (this.#pending.size > 0) return;
    for (const resolve of this.#idle.splice(0)) resolve();
  }

  /** Ids grow with time, so the oldest requests come first. */
  #sweep(nowMs: number): void {
    for (const [id, { sentMs }] of this.#pending) {
      if (nowMs - sentMs < ANSWER_WAIT_MS_MAX) return;
      this.#settle(id, { kind: "timeout" }, 0);
    }
  }
}
