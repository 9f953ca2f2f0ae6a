import type { NetEffects } from "./effects.ts";

/** A shard moves on over its facts in [firstLsn, lastLsn]. */
export interface ShardAdvance {
  readonly shard: number;
  /** Of the shard's owner, who writes. */
  readonly epoch: number;
  readonly firstLsn: number;
  readonly lastLsn: number;
  /** The shard's time at lastLsn, Unix ms. */
  readonly logicalMs: number;
}

/** Facts of one or more shards, to be applied together or not at all. */
export interface ProjectionBatch {
  readonly advances: readonly ShardAdvance[];
  readonly effects: NetEffects;
}

/** Pairs of shard and the epoch at which it is owned. */
export type Epochs = readonly (readonly [shard: number, epoch: number])[];
/** Pairs of shard and the last lsn that its owner was told is stored. */
export type Watermarks = readonly (readonly [shard: number, lsn: number])[];

/** `already`: an earlier try had been committed, and its answer lost. */
export type Applied = "applied" | "already";

/**
 * Where facts become rows. A batch is one transaction, guarded by the epoch of every shard in it
 * and by every watermark being exactly at the batch's beginning, so sending it again is harmless.
 *
 * What is thrown and is no ProjectionRefused (a lost connection, a server that restarts, a full
 * disk) may be tried again with the same batch.
 */
export interface ProjectionStore {
  /** What `apply` needs of a batch, made ahead of its turn. Default: nothing. */
  prepare?(batch: ProjectionBatch): void;
  /** `waiting` may be called once, when nothing is left to be done but to wait for the answer. */
  apply(batch: ProjectionBatch, waiting?: () => void): Promise<Applied>;
  /**
   * Throws FenceLost unless the shards are still at these epochs, and WatermarkGap unless all that
   * was stored still is: a database that came back in an older state has lost some of it.
   */
  confirm(epochs: Epochs, watermarks: Watermarks): Promise<void>;
  /** Deletes some of what is older than its time to live. False: there is no more of it now. */
  purge(nowMs: number): Promise<boolean>;
  close(): Promise<void>;
}

/** Trying again cannot help: a shard of the batch must not be written to any more. */
export abstract class ProjectionRefused extends Error {
  abstract readonly code: string;
}

/** Another process owns the shard now, or did so in the older state that the database is in. */
export class FenceLost extends ProjectionRefused {
  readonly code = "fence_lost";

  /** `owner` null: there is none. */
  static at(shard: number, owner: number | null, ours: number): FenceLost {
    const why = (owner ?? 0) < ours ? ", in an older state of the database" : "";
    return new FenceLost(`shard ${shard} is at epoch ${owner ?? "none"}, we are at ${ours}${why}`);
  }
}

/**
 * The database does not end where it did: it lacks what was stored, or has a part of a batch.
 */
export class WatermarkGap extends ProjectionRefused {
  readonly code = "watermark_gap";
}

/** The database's last line fired: a row that must not be, or one that should have been there. */
export class InvariantViolated extends ProjectionRefused {
  readonly code = "invariant_violated";
}
