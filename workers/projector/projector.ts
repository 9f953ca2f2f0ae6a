/**
 * Writes durable facts into PostgreSQL, behind everyone's back and never on anyone's waiting path.
 *
 *   offer ─► a queue per shard ─► in turn: one batch of one shard, net effects, one transaction
 *                                   │ lost connection …: the same batch again, after a pause
 *                                   │ refused (fence, constraint): this shard stops, others go on
 *                                   └ applied ─► watermark to all who wait
 *
 * Invariants:
 * - A shard's facts are applied in order, each once; its watermark only grows.
 * - One transaction is under way at a time.
 * - A shard that was refused is never written to again by this process.
 */
import { PROJECTION_RETRY_MS_MAX, UNPROJECTED_BYTES_MAX } from "../../engine/limits.ts";
import { forEachEntry, readEntryHeader } from "../journal/entry.ts";
import {
  type ProjectionBatch,
  ProjectionRefused,
  type ProjectionStore,
} from "./projection-store.ts";
import type { ProjectorFailedMessage, ProjectorReport } from "./projector-messages.ts";
import { ShardQueue } from "./shard-queue.ts";

export interface ProjectorPorts {
  readonly store: ProjectionStore;
  /** PostgreSQL has the shard's facts up to this lsn. */
  readonly projected: (shard: number, lsn: number) => void;
  readonly failed: (failure: Omit<ProjectorFailedMessage, "kind">) => void;
  /** Unix ms. */
  readonly wallMs: () => number;
  /** Resolves after this long. */
  readonly pause: (ms: number) => Promise<void>;
}

export class Projector {
  readonly #ports: ProjectorPorts;
  readonly #queues = new Map<number, ShardQueue>();
  /** Those of #queues in turn: the one that was served goes to the end. */
  readonly #turns: ShardQueue[];
  /** Wakes the loop, or cuts a pause short. */
  #wake: () => void = () => undefined;
  #drained: (() => void)[] = [];
  #stopping = false;
  #purgeDue = false;
  #running: Promise<void> | null = null;
  #factsTotal = 0;
  #batchesTotal = 0;
  #lastBatchFacts = 0;
  #lastBatchMs = 0;
  #lastError: string | null = null;

  constructor(
    shards: readonly (readonly [shard: number, epoch: number, appliedLsn: number])[],
    ports: ProjectorPorts,
  ) {
    this.#ports = ports;
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
      const { shard, lsn } = readEntryHeader(entries, offset);
      const queue = this.#queues.get(shard);
      if (queue === undefined) throw new Error(`shard ${shard} is not ours`);
      if (queue.failed || queue.push(entries, offset)) return;
      this.#fail(queue, "journal_gap", `lsn ${lsn} of shard ${shard} came before its turn`);
    });
    this.#wake();
  }

  /** Deletes what is past its time to live, as soon as there is nothing better to do. */
  purgeWhenIdle(): void {
    this.#purgeDue = true;
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
    const backlogBytes = this.#turns.reduce((sum, queue) => sum + queue.bytes, 0);
    return {
      kind: "projectorReport",
      backlogFacts: this.#turns.reduce((sum, queue) => sum + queue.count, 0),
      backlogBytes,
      overfull: backlogBytes > UNPROJECTED_BYTES_MAX,
      factsTotal: this.#factsTotal,
      batchesTotal: this.#batchesTotal,
      lastBatchFacts: this.#lastBatchFacts,
      lastBatchMs: this.#lastBatchMs,
      lastError: this.#lastError,
    };
  }

  async #work(): Promise<void> {
    while (!this.#stopping) {
      const queue = this.#takeTurn();
      if (queue !== null) {
        await this.#project(queue);
        continue;
      }
      for (const resolve of this.#drained.splice(0)) resolve();
      if (this.#purgeDue) await this.#purge();
      else await this.#woken();
    }
  }

  #takeTurn(): ShardQueue | null {
    const index = this.#turns.findIndex((queue) => queue.count > 0);
    const [queue] = index < 0 ? [] : this.#turns.splice(index, 1);
    if (queue === undefined) return null;
    this.#turns.push(queue);
    return queue;
  }

  /** Projects one batch, trying until it is in, refused, or the projector stops. */
  async #project(queue: ShardQueue): Promise<void> {
    for (let tries = 0; !this.#stopping; tries += 1) {
      const startedMs = this.#ports.wallMs();
      let batch: ProjectionBatch | null = null;
      try {
        batch = queue.peek();
        if (batch === null) return;
        await this.#ports.store.apply(batch);
        this.#lastError = null;
        // What was offered meanwhile may have left a gap behind the batch.
        if (queue.failed) return;
        return this.#advance(queue, batch, startedMs);
      } catch (error) {
        const reason = error instanceof Error ? error.message : String(error);
        this.#lastError = reason;
        if (error instanceof ProjectionRefused) return this.#fail(queue, error.code, reason);
        // Without a batch the store was not even asked: a fact that nobody can decode or fold.
        if (batch === null) return this.#fail(queue, "internal", reason);
        await this.#pauseAfter(tries);
      }
    }
  }

  #advance(queue: ShardQueue, batch: ProjectionBatch, startedMs: number): void {
    const facts = batch.lastLsn - batch.firstLsn + 1;
    queue.advance(batch);
    this.#factsTotal += facts;
    this.#batchesTotal += 1;
    this.#lastBatchFacts = facts;
    this.#lastBatchMs = this.#ports.wallMs() - startedMs;
    this.#ports.projected(queue.shard, batch.lastLsn);
  }

  #fail(queue: ShardQueue, code: string, reason: string): void {
    queue.fail();
    this.#ports.failed({ shard: queue.shard, code, reason });
  }

  /** One step of the purge. A failure is not tried again before the next time. */
  async #purge(): Promise<void> {
    try {
      this.#purgeDue = await this.#ports.store.purge(this.#ports.wallMs());
    } catch (error) {
      this.#purgeDue = false;
      this.#lastError = error instanceof Error ? error.message : String(error);
    }
  }

  async #pauseAfter(tries: number): Promise<void> {
    const ms = Math.min(PROJECTION_RETRY_MS_MAX, (PROJECTION_RETRY_MS_MAX / 100) * 2 ** tries);
    const stopped = new Promise<void>((resolve) => {
      this.#wake = () => {
        if (this.#stopping) resolve();
      };
    });
    await Promise.race([this.#ports.pause(ms), stopped]);
  }

  /** No await lies between finding nothing to do and this, so no wake is missed. */
  #woken(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve;
    });
  }
}
