/**
 * Writes durable facts into PostgreSQL, behind everyone's back and never on anyone's waiting path.
 *
 *   offer ─► a queue per shard ─► first facts of each, in turn ─► net effects ─► one transaction
 *                                   │ lost connection …: the same batch again, after a pause
 *                                   │ refused (fence, constraint): each of its shards alone; the
 *                                   │ one that is refused alone stops, the others go on
 *                                   └ applied ─► watermarks to all who wait
 *
 * A transaction costs as much as fifty facts. So all shards share one, and while little waits they
 * come at intervals, longer ones in a rush: the processor is the engine's, and a hold that was
 * booked meanwhile never becomes a row. While much waits, the next one is put together while
 * PostgreSQL is at this one.
 *
 * Invariants:
 * - A shard's facts are applied in order, each once; its watermark only grows.
 * - One transaction is under way at a time.
 * - A shard that was refused is never written to again by this process.
 */
import { UNPROJECTED_BYTES_MAX } from "../../engine/limits.ts";
import {
  PROJECTION_BATCH_BYTES_MAX,
  PROJECTION_BATCH_FACTS_MAX,
  PROJECTION_RETRY_MS_MAX,
} from "../../engine/projection-limits.ts";
import { forEachEntry, lsnOf, shardOfEntry } from "../journal/entry.ts";
import type { TracedFact, TracedWork } from "../traced.ts";
import { type CutBatch, cutBatch } from "./cut-batch.ts";
import { ProjectionInterval } from "./projection-interval.ts";
import { ProjectionMeter } from "./projection-meter.ts";
import {
  type ProjectionBatch,
  ProjectionRefused,
  type ProjectionStore,
} from "./projection-store.ts";
import { ProjectionTraces } from "./projection-traces.ts";
import type {
  ProjectorFailedMessage,
  ProjectorReport,
  WatermarkMessage,
} from "./projector-messages.ts";
import { ShardQueue } from "./shard-queue.ts";

export interface ProjectorPorts {
  readonly store: ProjectionStore;
  /** PostgreSQL has the shards' facts up to these lsns. */
  readonly projected: (watermarks: WatermarkMessage["watermarks"]) => void;
  readonly failed: (failure: Omit<ProjectorFailedMessage, "kind">) => void;
  /** A transaction had traced facts in it. Default: nobody is told. */
  readonly traced?: (work: TracedWork) => void;
  /** By the clock that all threads share. Default: 0 for ever, as for who is told nothing. */
  readonly monotonicMs?: () => number;
  /** Unix ms. */
  readonly wallMs: () => number;
  /** Resolves after this long. */
  readonly pause: (ms: number) => Promise<void>;
  /** Past it the projector calls itself overfull. Default: UNPROJECTED_BYTES_MAX. */
  readonly backlogBytesMax?: number;
  /** Facts in one transaction. Default: PROJECTION_BATCH_FACTS_MAX. */
  readonly batchFactsMax?: number;
}

export class Projector {
  readonly #ports: ProjectorPorts;
  readonly #batchFactsMax: number;
  readonly #queues = new Map<number, ShardQueue>();
  /** Those of #queues in turn. */
  #turns: ShardQueue[];
  /** Wakes the loop, or cuts a pause short. */
  #wake: () => void = () => undefined;
  #drained: (() => void)[] = [];
  #stopping = false;
  #purgeDue = false;
  #confirmDue = false;
  #running: Promise<void> | null = null;
  /** What was put together ahead of its turn; its facts follow those that are under way. */
  #ahead: CutBatch | null = null;
  readonly #interval = new ProjectionInterval();
  /** When the store was asked what it has not answered yet, Unix ms. */
  #askedMs: number | null = null;
  readonly #meter = new ProjectionMeter();
  readonly #traces = new ProjectionTraces();
  #lastError: string | null = null;

  constructor(
    shards: readonly (readonly [shard: number, epoch: number, appliedLsn: number])[],
    ports: ProjectorPorts,
  ) {
    this.#ports = ports;
    this.#batchFactsMax = ports.batchFactsMax ?? PROJECTION_BATCH_FACTS_MAX;
    for (const [shard, epoch, appliedLsn] of shards) {
      this.#queues.set(shard, new ShardQueue(shard, epoch, appliedLsn));
    }
    this.#turns = [...this.#queues.values()];
  }

  /** Works until `stop`. */
  run(): Promise<void> {
    this.#running ??= this.#work();
    return this.#running;
  }

  /** Takes durable entries in. They may repeat what is known; they may not leave anything out. */
  offer(entries: Buffer): void {
    forEachEntry(entries, (offset) => {
      const shard = shardOfEntry(entries, offset);
      const queue = this.#queues.get(shard);
      if (queue === undefined) throw new Error(`shard ${shard} is not ours`);
      if (queue.failed || queue.push(entries, offset)) return;
      const lsn = lsnOf(entries, offset);
      this.#fail(queue, "journal_gap", `lsn ${lsn} of shard ${shard} came before its turn`);
    });
    this.#wake();
  }

  /** These facts, which `offer` brings next, are traced. */
  trace(traced: readonly TracedFact[]): void {
    this.#traces.add(traced);
  }

  /** Deletes what is past its time to live, as soon as there is nothing better to do. */
  purgeWhenIdle(): void {
    this.#purgeDue = true;
    this.#wake();
  }

  /**
   * Asks, before the next transaction, whether the shards are still ours, and all that was stored
   * still is. A transaction that succeeds says so of its own shards alone.
   */
  confirmSoon(): void {
    this.#confirmDue = true;
    this.#wake();
  }

  /** Resolves once everything offered is in PostgreSQL, except for shards that failed. */
  drain(): Promise<void> {
    const drained = new Promise<void>((resolve) => {
      this.#drained.push(resolve);
    });
    this.#wake();
    return drained;
  }

  /** Ends the loop after the transaction that is under way. */
  async stop(): Promise<void> {
    this.#stopping = true;
    this.#wake();
    await this.#running;
    await this.#ports.store.close();
  }

  watermarks(): [shard: number, lsn: number][] {
    return this.#turns.map(({ shard, appliedLsn }) => [shard, appliedLsn]);
  }

  report(): ProjectorReport {
    const backlogBytes = this.#backlogBytes();
    return {
      kind: "projectorReport",
      backlogFacts: this.#backlogFacts(),
      backlogBytes,
      overfull: backlogBytes > (this.#ports.backlogBytesMax ?? UNPROJECTED_BYTES_MAX),
      ...this.#meter.figures(),
      lagMs: this.#lagMs(),
      unansweredMs: this.#askedMs === null ? 0 : this.#ports.wallMs() - this.#askedMs,
      lastError: this.#lastError,
    };
  }

  #lagMs(): number {
    const oldestMs = Math.min(...this.#turns.map((queue) => queue.oldestMs));
    return Number.isFinite(oldestMs) ? Math.max(0, this.#ports.wallMs() - oldestMs) : 0;
  }

  #backlogFacts(): number {
    return this.#turns.reduce((sum, queue) => sum + queue.count, 0);
  }

  #backlogBytes(): number {
    return this.#turns.reduce((sum, queue) => sum + queue.bytes, 0);
  }

  async #work(): Promise<void> {
    // A question that takes long is due again when it is answered: there is work between two.
    let hasAsked = false;
    while (!this.#stopping) {
      if (this.#confirmDue && !hasAsked) {
        await this.#confirm();
        hasAsked = true;
        continue;
      }
      hasAsked = false;
      const backlog = this.#backlogFacts();
      if (backlog > 0) {
        await this.#keepInterval();
        await this.#projectNext();
        continue;
      }
      for (const resolve of this.#drained.splice(0)) resolve();
      if (this.#purgeDue) await this.#purge();
      else if (!this.#confirmDue) await this.#woken();
    }
  }

  /** Those that fill a transaction. They go to the end, so that the next one begins with others. */
  #nextQueues(): ShardQueue[] {
    const queues: ShardQueue[] = [];
    let facts = 0;
    for (const queue of this.#turns) {
      if (facts >= this.#batchFactsMax) break;
      facts += queue.untaken;
      if (queue.untaken > 0) queues.push(queue);
    }
    this.#turns = [...this.#turns.filter((queue) => !queues.includes(queue)), ...queues];
    return queues;
  }

  async #projectNext(): Promise<void> {
    const ahead = this.#ahead;
    this.#ahead = null;
    const isGood = ahead?.slices.every(({ queue }) => !queue.failed) ?? false;
    if (ahead !== null && isGood) return this.#projectBatch(ahead);
    this.#putAllBack();
    await this.#project(this.#nextQueues());
  }

  /** Projects the first facts of the queues, those that were given out included. */
  async #project(queues: readonly ShardQueue[]): Promise<void> {
    this.#putAllBack();
    let batch: CutBatch;
    try {
      batch = cutBatch(queues, this.#batchFactsMax);
    } catch (error) {
      // A fact that nobody can decode or fold. The store was not even asked.
      return this.#refused(queues, "internal", messageOf(error));
    }
    await this.#projectBatch(batch);
  }

  /** Where much waits, the next batch; what is wrong with it is found out when it is its turn. */
  #lookAhead(): void {
    const waiting = this.#turns.reduce((sum, queue) => sum + queue.untaken, 0);
    if (this.#ahead !== null || waiting < this.#batchFactsMax) return;
    const queues = this.#nextQueues();
    const taken = queues.map((queue) => queue.count - queue.untaken);
    try {
      const batch = cutBatch(queues, this.#batchFactsMax);
      this.#ports.store.prepare?.(batch);
      this.#ahead = batch;
    } catch {
      for (const [index, queue] of queues.entries()) queue.putBack(taken[index]);
    }
  }

  #putAllBack(): void {
    this.#ahead = null;
    for (const queue of this.#turns) queue.putBack();
  }

  /** Tries until it is in, refused, or we stop. */
  async #projectBatch(batch: CutBatch): Promise<void> {
    const { slices } = batch;
    // A batch whose outcome is unknown is tried again as it was, so that the store can recognise
    // it.
    for (let tries = 0; !this.#stopping; tries += 1) {
      const startedMs = this.#ports.wallMs();
      this.#interval.begin(startedMs);
      const tracedFromMs = this.#now();
      try {
        await this.#ask(() => this.#ports.store.apply(batch, () => this.#lookAhead()));
        this.#advance(batch, startedMs);
        return this.#tellTraced(batch, tracedFromMs);
      } catch (error) {
        if (error instanceof ProjectionRefused) {
          const asked = slices.map(({ queue }) => queue);
          return this.#refused(asked, error.code, messageOf(error));
        }
        this.#meter.failed();
        await this.#pauseAfter(tries);
      }
    }
  }

  #now(): number {
    return this.#traces.count === 0 ? 0 : (this.#ports.monotonicMs?.() ?? 0);
  }

  #tellTraced({ advances }: ProjectionBatch, startMs: number): void {
    if (this.#traces.count === 0) return;
    const work = this.#traces.take(advances, { startMs, endMs: this.#now() });
    if (work !== null) this.#ports.traced?.(work);
  }

  /**
   * Nothing of the batch is in. Of several shards, each is tried alone to find whose fault it is.
   */
  async #refused(queues: readonly ShardQueue[], code: string, reason: string): Promise<void> {
    const [queue] = queues;
    if (queue !== undefined && queues.length === 1) return this.#fail(queue, code, reason);
    for (const alone of queues) if (alone.count > 0) await this.#project([alone]);
  }

  #advance({ slices }: CutBatch, startedMs: number): void {
    let facts = 0;
    for (const { queue, slice } of slices) {
      facts += slice.facts;
      // What was offered meanwhile may have left a gap behind the slice.
      if (!queue.failed) queue.drop(slice);
    }
    const tookMs = this.#ports.wallMs() - startedMs;
    this.#interval.ended(facts, tookMs);
    this.#meter.applied(facts, tookMs);
    this.#ports.projected(slices.map(({ slice: { advance } }) => [advance.shard, advance.lastLsn]));
  }

  #fail(queue: ShardQueue, code: string, reason: string): void {
    if (queue.failed) return;
    queue.fail();
    this.#ports.failed({ shard: queue.shard, code, reason });
  }

  /** One step of the purge. A failure is not tried again before the next time. */
  async #purge(): Promise<void> {
    try {
      this.#purgeDue = await this.#ask(() => this.#ports.store.purge(this.#ports.wallMs()));
    } catch {
      // Said by lastError.
      this.#purgeDue = false;
    }
  }

  async #confirm(): Promise<void> {
    this.#confirmDue = false;
    const owned = this.#turns.filter((queue) => !queue.failed);
    const epochs = owned.map(({ shard, epoch }) => [shard, epoch] as const);
    const watermarks = owned.map(({ shard, appliedLsn }) => [shard, appliedLsn] as const);
    try {
      await this.#ask(() => this.#ports.store.confirm(epochs, watermarks));
    } catch (error) {
      if (!(error instanceof ProjectionRefused)) return;
      for (const queue of owned) this.#fail(queue, error.code, messageOf(error));
    }
  }

  /** Every question to the store: notes how long it takes, and how it ended. */
  async #ask<T>(question: () => Promise<T>): Promise<T> {
    this.#askedMs = this.#ports.wallMs();
    try {
      const answer = await question();
      this.#lastError = null;
      return answer;
    } catch (error) {
      this.#lastError = messageOf(error);
      throw error;
    } finally {
      this.#askedMs = null;
    }
  }

  async #pauseAfter(tries: number): Promise<void> {
    const ms = Math.min(PROJECTION_RETRY_MS_MAX, (PROJECTION_RETRY_MS_MAX / 100) * 2 ** tries);
    await Promise.race([this.#ports.pause(ms), this.#wokenIf(() => this.#stopping)]);
  }

  #fillsTransaction(): boolean {
    if (this.#backlogFacts() >= this.#batchFactsMax) return true;
    return this.#backlogBytes() >= PROJECTION_BATCH_BYTES_MAX;
  }

  /** Lets a little more come together, unless someone waits for all of it. */
  async #keepInterval(): Promise<void> {
    const isUrgent = (): boolean =>
      this.#stopping || this.#drained.length > 0 || this.#fillsTransaction();
    const ms = this.#interval.restMs(this.#ports.wallMs());
    if (ms <= 0 || isUrgent()) return;
    await Promise.race([this.#ports.pause(ms), this.#wokenIf(isUrgent)]);
  }

  #wokenIf(isReason: () => boolean): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = () => {
        if (isReason()) resolve();
      };
    });
  }

  /** No await lies between finding nothing to do and this, so no wake is missed. */
  #woken(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve;
    });
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
